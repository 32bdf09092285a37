// E01xx: types, shapes and sizes.

import { defineDiagnostics } from './diagnostic.ts';

export const types = defineDiagnostics({
  E0101: {
    severity: 'error',
    title: 'sizes differ',
    message: (data: { place: string; found: string; wanted: string }) =>
      `${data.place} is ${data.found}, but ${data.wanted} is needed`,
    explanation:
      'Two sizes have to be equal and are not: the message shows both, where each comes from, and, where they agree for ' +
      'some sizes only, a counterexample.',
    example: 'fn f(x: [n], y: [n]) -> [n] = x + y\nfn g(x: [3], y: [4]) -> [3] = f(x, y)\n',
  },
  E0102: {
    severity: 'error',
    title: 'the number of axes differs',
    message: (data: { found: string; wanted: string; what: string }) =>
      `${data.what} is ${data.found}, which has ${data.wanted}`,
    explanation:
      'A tensor has too many or too few axes for the place where it stands. `flatten(x)` keeps the first axis and makes ' +
      'one of all others; `reshape` makes any shape with as many elements.',
    example:
      'fn f(x: [B, n]) -> [B] {\n  y[b] = sum[i] x[b, i]\n  return y\n}\nfn g(x: [2, 3, 4]) -> [2] = f(x)\n',
  },
  E0103: {
    severity: 'error',
    title: 'wrong type',
    message: (data: { what: string; found: string; wanted: string }) =>
      `${data.what} is ${data.found}, but ${data.wanted} is needed`,
    explanation: 'The value is of another kind than its place asks for.',
    example: 'fn f(x: [n]) -> [n] = x\nfn g(a: (real, real)) -> real = sum(f(a))\n',
  },
  E0104: {
    severity: 'error',
    title: 'wrong kind of number',
    message: (data: { what: string; found: string; wanted: string }) =>
      `${data.what} is ${data.found}, but ${data.wanted} is needed`,
    explanation:
      'A `fin` is an `int`, and an `int` is a `real`, where one is needed. The other way needs a word: `floor(x)` or ' +
      '`int(x)` for an int, `clamp(i, 0, n - 1)` or `fin(i)` for a `fin(n)`, `ind(c)` for the number of a truth value.',
    example: 'fn f(k: int) -> int = k\nfn g(x: real) -> int = f(x)\n',
  },
  E0105: {
    severity: 'error',
    title: 'the quotient may not be whole',
    message: (data: { text: string; counterexample: string | null }) =>
      `nothing shows that \`${data.text}\` is whole` +
      (data.counterexample === null ? '' : `: ${data.counterexample}`),
    explanation:
      'In a size, `/` divides exactly, which needs a proof. State the divisibility (`where d % heads == 0`), or round ' +
      'down by `//`.',
    example: 'fn f(x: [d], heads: dim) -> [heads, d / heads] = reshape(x, [heads, d / heads])\n',
  },
  E0107: {
    severity: 'error',
    title: 'nothing determines a size',
    message: (data: { name: string }) =>
      `no parameter of this signature has \`${data.name}\` as a size`,
    explanation:
      'Calls find the sizes of a signature from the shapes of the arguments. A name that occurs in the result only, or ' +
      'only inside arithmetic, is found by none; make it a parameter: `k: dim`.',
    example: 'fn f(x: [n]) -> [k] = zeros(k)\n',
  },
  E0109: {
    severity: 'error',
    title: 'a condition does not hold',
    message: (data: {
      name: string;
      condition: string;
      here: string;
      counterexample: string | null;
    }) =>
      `\`${data.name}\` demands \`${data.condition}\`, here \`${data.here}\`` +
      (data.counterexample === null ? '' : `: ${data.counterexample}`),
    explanation:
      'A `where` clause of the definition is false for the sizes of this use, or for some of them.',
    example: 'fn f(x: [n]) -> [n] where n % 2 == 0 = x\nfn g(x: [3]) -> [3] = f(x)\n',
  },
  E0110: {
    severity: 'error',
    title: 'a condition may not hold',
    message: (data: { name: string; condition: string; here: string }) =>
      `\`${data.name}\` demands \`${data.condition}\`, and nothing shows \`${data.here}\``,
    explanation:
      'The `where` clause of the definition is neither proved nor refuted for the sizes of this use. Stating it in the ' +
      '`where` clause of the definition around the use settles it.',
    example:
      'fn f(x: [n], m: dim) -> [n] where n * n <= m * m * m + 40000 = x\n' +
      'fn g(x: [n], m: dim) -> [n] where n <= 200 * m = f(x, m)\n',
  },
  E0111: {
    severity: 'error',
    title: 'a size may be 0',
    message: (data: { size: string; reason: string }) =>
      `${data.size} must be at least 1, since ${data.reason}`,
    explanation: 'Sizes are at least 1, for all sizes they are computed from.',
    example: 'fn f(x: [n], k: dim) -> [n] = x\nfn g(x: [n]) -> [n] = f(x, n - 1)\n',
  },
  E0112: {
    severity: 'error',
    title: 'not a size',
    message: (data: { found: string }) => `a size is needed here, and this is ${data.found}`,
    explanation:
      'Sizes are whole numbers known when the program is built: numbers, names of sizes, and `+ - * / // %` of those.',
    example: 'fn f(x: [n], a: real) -> [n] = x\nfn g(x: [n], a: real) -> [a] = f(x, a)\n',
  },
  E0114: {
    severity: 'error',
    title: 'the leading axes differ',
    message: (data: { what: string; found: string; wanted: string }) =>
      `${data.what} is ${data.found}, but ${data.wanted} is needed`,
    explanation:
      'A pack such as `..B` stands for any axes, and is equal to itself only: nothing is known of it here.',
    example:
      'fn f(x: [..B, n], y: [..C, n]) -> [..B, n] = x\nfn g(x: [..B, n], y: [..C, n]) -> [..C, n] = f(x, y)\n',
  },
  E0115: {
    severity: 'error',
    title: 'not a condition on sizes',
    message: (data: { text: string }) =>
      `\`${data.text}\` is no condition that a \`where\` clause can state`,
    explanation:
      'A `where` clause compares sizes by `== <= < >= >`, or states a divisibility: `d % heads == 0`.',
    example: 'fn f(x: [n]) -> [n] where n != 3 = x\n',
  },
  E0116: {
    severity: 'error',
    title: 'a number may be out of its range',
    message: (data: { found: string; size: string }) =>
      `nothing shows that ${data.found} is in 0..${data.size} - 1`,
    explanation:
      'A `fin(n)` is an integer in 0..n-1, proved when the program is checked, or made so by `clamp(i, 0, n - 1)`.',
    example: 'fn f(y: fin(3)) -> int = y\nconst a = f(3)\n',
  },
  E0118: {
    severity: 'error',
    title: 'a size is too large',
    message: () => 'this size has no value that can be represented, or too many terms',
    explanation: 'Sizes stay below 2^53, and the polynomial of a size below 200 terms.',
    example: 'fn f(x: [9007199254740991 * 2]) -> real = sum(x)\n',
  },
  E0119: {
    severity: 'error',
    title: 'the branches differ',
    message: (data: { then: string; otherwise: string }) =>
      `one branch is ${data.then}, the other ${data.otherwise}`,
    explanation:
      'Both branches of an `if` have one type: equal shapes, or a scalar beside a tensor, and bases that convert.',
    example: 'fn f(x: [n], y: [m], c: bool) -> [n] = if c then x else y\n',
  },
  E0120: {
    severity: 'error',
    title: 'the condition is no truth value',
    message: (data: { found: string }) => `a bool is needed here, and this is ${data.found}`,
    explanation: 'Numbers are no truth values: compare them (`x > 0`).',
    example: 'fn f(x: [n]) -> [n] = if x then x else 0\n',
  },
  E0121: {
    severity: 'error',
    title: 'the result is missing',
    message: (data: { wanted: string }) => `${data.wanted}`,
    explanation:
      'A function gives its result by `= e`, by `return e`, or by assigning the names of its result.',
    example: 'fn f(x: [n]) -> y: [n] {\n  z = 2 * x\n}\n',
  },
  E0122: {
    severity: 'error',
    title: 'the items of an array differ',
    message: (data: { first: string; found: string }) =>
      `this item is ${data.found}, the first one ${data.first}`,
    explanation: 'All items of `[a, b, c]` have one type; the array adds an axis in front.',
    example: 'fn f(x: [n], y: [m]) -> [2, n] = [x, y]\n',
  },
  E0123: {
    severity: 'error',
    title: 'both a result and named results',
    message: (data: { name: string }) =>
      `the result \`${data.name}\` is assigned, and \`return\` gives another`,
    explanation: 'A function either assigns the names of its result, or returns an expression.',
    example: 'fn f(x: [n]) -> y: [n] {\n  y = 2 * x\n  return x\n}\n',
  },
  E0124: {
    severity: 'error',
    title: 'the condition is not known when the program is built',
    message: () => 'this `if` statement depends on a tensor',
    help: () => 'choose between values instead: `y = if c then a else b`',
    explanation:
      'The condition of an `if` statement is `training`, or made of hyper-parameters, sizes and constants; one branch is ' +
      'built. Between values, `if c then a else b` chooses element by element.',
    example: 'fn f(x: real) -> y: real {\n  if x > 0 { y = x } else { y = 0 }\n}\n',
  },
  E0125: {
    severity: 'error',
    title: 'a constant tensor or a number is needed',
    message: (data: { what: string; found: string }) => `${data.what} is ${data.found}`,
    explanation:
      'Hyper-parameters are numbers, truth values, sizes and functions that are known when the program is built.',
    example: 'model M(a: [3]) {\n  fn (x: [3]) -> [3] = a * x\n}\nlayer net = M([1, 2, 3])\n',
  },
  E0126: {
    severity: 'error',
    title: '`dim` stands for a parameter only',
    message: () => 'a value cannot be of type `dim`',
    help: () => 'use `int`',
    explanation:
      '`n: dim` declares a parameter that is a size. Values that are whole numbers are of type `int`.',
    example: 'fn f(x: [n]) -> dim = n\n',
  },
});
