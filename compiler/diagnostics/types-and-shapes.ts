// E01xx: types, sizes, shapes, and what is passed to what.

import { defineDiagnostics } from './diagnostic.ts';

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

const axes = (n: number): string => (n === 1 ? '1 axis' : `${n} axes`);

interface AxisCount {
  readonly found: string;
  readonly callee: string;
  readonly takes: string;
  readonly expected: number;
  /** More axes are taken too, by a pack. */
  readonly atLeast: boolean;
  readonly actual: number;
}

const didYouMean = (data: { readonly suggestion: string | null }): string =>
  data.suggestion === null ? '' : `did you mean \`${data.suggestion}\`?`;

export const sizes = defineDiagnostics({
  E0101: {
    severity: 'error',
    title: 'sizes differ',
    message: (data: { what: string; actual: string; by: string; expected: string }) =>
      `${data.what} is ${data.actual}, but ${data.by} needs ${data.expected}`,
    explanation:
      'Two sizes that must be equal are not, and there are numbers that show it. The message names both sizes and where ' +
      'each comes from; usually one of the two places has the wrong name.',
    example:
      'model Scale(n: dim) {\n  param w: [n] = 1\n  fn (x: [..B, n]) -> [..B, n] = x * w\n}\nlayer a = Scale(784)\nlayer b = Scale(128)\nfn f(x: [B, 784]) -> [B, 784] = x |> a |> b\n',
  },
  E0102: {
    severity: 'error',
    title: 'sizes may differ',
    message: (data: { left: string; right: string }) =>
      `nothing shows that ${data.left} equals ${data.right}`,
    help: (data: { left: string; right: string }) => `add \`where ${data.left} == ${data.right}\``,
    explanation:
      'The compiler found neither a proof that the two sizes are equal nor numbers for which they differ. Say it in a ' +
      '`where` clause: it is assumed in the body and checked at each call.',
    example:
      'fn f(x: [n], y: [n]) -> [n] = x + y\nfn g(x: [m * (m + 1) * (m + 2) * (m + 3) * (m + 4)],\n     y: [m * (m + 1) * (m + 2) * (m + 3) * (m + 4) // 120 * 120], z: [m]) -> real = sum(f(x, y))\n',
  },
  E0103: {
    severity: 'error',
    title: 'too many axes',
    message: (data: AxisCount) =>
      `this is ${data.found}, with ${axes(data.actual)}, and ${data.callee} takes ${data.takes}, with ${data.atLeast ? 'at least ' : ''}${axes(data.expected)}`,
    explanation:
      'A tensor has more axes than the parameter. A picture [28, 28] does not become a vector [784] by itself: flatten it ' +
      'first. A parameter declared as `[..B, n]` takes any leading axes.',
    example: 'fn f(x: [n]) -> [n] = x\nfn g(x: [B, 28, 28]) -> [B, 28, 28] = f(x)',
  },
  E0104: {
    severity: 'error',
    title: 'too few axes',
    message: (data: AxisCount) =>
      `this is ${data.found}, with ${axes(data.actual)}, and ${data.callee} takes ${data.takes}, with ${data.atLeast ? 'at least ' : ''}${axes(data.expected)}`,
    explanation:
      'A tensor has fewer axes than the parameter. A new axis of size 1 is written in index notation: `y[0, i] = x[i]`.',
    example: 'fn f(x: [B, n]) -> [B, n] = x\nfn g(x: [n]) -> [n] = f(x)',
  },
  E0105: {
    severity: 'error',
    title: 'a pack does not fit',
    message: (data: { found: string; expected: string }) =>
      `this is ${data.found}, and ${data.expected} is needed`,
    explanation:
      '`..B` stands for axes that the definition knows nothing about. It matches itself, or a pack of a function that is ' +
      'called; a size cannot stand for it, because it may be no axis or several.',
    example: 'fn f(x: [B, n]) -> [B, n] = x\nfn g(x: [..B, n]) -> [..B, n] = f(x)',
  },
  E0106: {
    severity: 'error',
    title: 'skip connection sizes differ',
    message: (data: { left: string; right: string; values: string | null }) =>
      `the one side is ${data.left}, the other ${data.right}` +
      (data.values === null ? '' : `: for ${data.values}`),
    explanation:
      'Tensors that are added or concatenated must agree in every other axis. Halving a size rounds, so doubling it again ' +
      'gives the same size only if it was even: state `where H % 2 == 0` (or a higher power of 2 for deeper nets).',
    example: 'fn f(x: [H], y: [2 * ((H + 1) // 2)]) -> [H] = x + y',
  },
  E0107: {
    severity: 'error',
    title: 'the quotient may not be whole',
    message: (data: { dividend: string; divisor: string; values: string | null }) =>
      `nothing shows that ${data.divisor} divides ${data.dividend}` +
      (data.values === null ? '' : `: not for ${data.values}`),
    help: (data: { dividend: string; divisor: string }) =>
      `add \`where ${data.dividend} % ${data.divisor} == 0\`, or round down with \`//\``,
    explanation:
      'Between sizes `/` is exact: it demands a proof that nothing is left over. `//` rounds down.',
    example: 'fn f(x: [B, d], heads: dim) -> [B, d / heads] = 0',
  },
  E0108: {
    severity: 'error',
    title: 'the call breaks a condition',
    message: (data: { callee: string; condition: string; values: string }) =>
      `${data.callee} needs \`${data.condition}\`, and here ${data.values}`,
    explanation:
      "A definition's `where` clause is assumed in its body, and so every call has to fulfil it.",
    example:
      'fn half(x: [n]) -> [n / 2] where n % 2 == 0 = halves(x)[0]\nfn g(x: [7]) -> [3] = half(x)',
  },
  E0109: {
    severity: 'error',
    title: 'the call may break a condition',
    message: (data: { callee: string; condition: string; values: string | null }) =>
      `nothing shows that \`${data.condition}\`, which ${data.callee} needs` +
      (data.values === null ? '' : `: not for ${data.values}`),
    help: (data: { condition: string }) => `add \`where ${data.condition}\` to this definition`,
    explanation:
      'The condition holds for some sizes and nothing here says it does for all. Pass the condition on: state it in the ' +
      '`where` clause of the definition that makes the call.',
    example:
      'fn half(x: [n]) -> [n / 2] where n % 2 == 0 = halves(x)[0]\nfn g(x: [k]) -> [k // 2] = half(x)',
  },
  E0110: {
    severity: 'error',
    title: 'not a condition on sizes',
    message: (data: { found: string }) => `\`${data.found}\` says nothing about sizes`,
    explanation:
      'A `where` clause compares sizes, `K <= H`, `n == 2 * m`, states divisibility, `d % heads == 0`, or bounds a number ' +
      'that is known when the program is built, `0 <= rate < 1`.',
    example: 'fn f(x: [n]) -> [n] where sum(x) == 1 = x',
  },
  E0111: {
    severity: 'error',
    title: 'nothing determines a size',
    message: (data: { name: string; suggestion: string | null }) =>
      `\`${data.name}\` stands in no parameter's type by itself`,
    help: (data: { name: string; suggestion: string | null }) =>
      `add a parameter \`${data.name}: dim\`` +
      (data.suggestion === null ? '' : `, or did you mean \`${data.suggestion}\`?`),
    explanation:
      'A size is bound by standing alone as an axis of a parameter, or by being a parameter of type `dim`. In the result, or ' +
      'inside arithmetic that does not determine it, a new name has no value.',
    example: 'fn f(x: [n]) -> [k] = x',
  },
  E0112: {
    severity: 'error',
    title: 'a size may be too small',
    message: (data: { size: string; least: number; values: string | null }) =>
      `nothing shows that ${data.size} is at least ${data.least}` +
      (data.values === null ? '' : `: not for ${data.values}`),
    help: (data: { size: string; least: number }) => `add \`where ${data.size} >= ${data.least}\``,
    explanation:
      'No axis is empty, so sizes are at least 1; what is subtracted from a size must be smaller than it.',
    example: 'fn f(x: [n], k: dim) -> [k] = ones(k)\nfn g(x: [n]) -> [n - 1] = f(x, n - 1)\n',
  },
  E0113: {
    severity: 'error',
    title: 'the divisor may be 0',
    message: (data: { divisor: string }) => `nothing shows that ${data.divisor} is at least 1`,
    help: (data: { divisor: string }) => `add \`where ${data.divisor} >= 1\``,
    explanation: 'Sizes are divided, exactly or rounding down, by sizes of at least 1.',
    example: 'fn f(x: [n], k: dim) -> [n // (k - 1)] = 0',
  },
  E0114: {
    severity: 'error',
    title: 'the size is too large to work with',
    message: () => 'this size has a number beyond 2^53, or too many terms',
    explanation: 'Sizes are exact integers of up to 53 bits, and polynomials of moderate length.',
    example: 'fn f(x: [n]) -> [2^60] = 0',
  },
  E0115: {
    severity: 'error',
    title: 'must be known when the program is built',
    message: (data: { what: string; why: string }) => `${data.what} ${data.why}`,
    explanation:
      'Sizes, numbers of layers, axes and static options are fixed when the program is built: they are made of numbers, ' +
      '`dim` parameters, sizes of tensors and constants, not of values of tensors.',
    example:
      'model M(a: real) {\n  fn (x: [n]) -> [n] = a * x\n}\nmodel N() {\n  param w: real = 1\n  layer m = M(w)\n  fn (x: [n]) -> [n] = m(x)\n}\n',
  },
  E0116: {
    severity: 'error',
    title: 'two packs in one type',
    message: (data: { first: string; second: string }) =>
      `where \`..${data.first}\` ends and \`..${data.second}\` begins could not be told`,
    explanation: 'A shape has at most one pack, for how many axes each takes would be ambiguous.',
    example: 'fn f(x: [..A, ..B]) -> real = 1',
  },
  E0117: {
    severity: 'warning',
    title: 'a size that is used once',
    message: (data: { name: string; suggestion: string | null }) =>
      `\`${data.name}\` is bound here and used nowhere else`,
    help: (data: { suggestion: string | null }) =>
      data.suggestion === null
        ? 'write `_` for a size that does not matter'
        : `did you mean \`${data.suggestion}\`?`,
    explanation:
      'A name that occurs once constrains nothing. It may be misspelt; if any size is meant, `_` says so.',
    example: 'fn f(x: [hieght, width], y: [height]) -> real = sum(x) + sum(y)\n',
  },
});

export const types = defineDiagnostics({
  E0121: {
    severity: 'error',
    title: 'wrong type',
    message: (data: { found: string; expected: string }) =>
      `this is ${data.found}, and ${data.expected} is needed`,
    explanation: 'The value is of another kind than its place takes.',
    example: 'fn f(x: bool[n]) -> [n] = exp(x)',
  },
  E0122: {
    severity: 'error',
    title: 'not something to call',
    message: (data: { found: string }) => `this is ${data.found}`,
    explanation:
      'Functions are called, and layers, which run the unnamed `fn` of their model. A model itself is first made into a ' +
      'layer: `layer net = MLP(784, 10)`.',
    example: 'fn f(x: [n]) -> [n] = x(1)',
  },
  E0123: {
    severity: 'error',
    title: 'wrong number of arguments',
    message: (data: { callee: string; expected: string; found: number }) =>
      `${data.callee} takes ${data.expected}, and gets ${data.found}`,
    explanation: 'Arguments are given in order or by name; those with a default may be left out.',
    example: 'fn f(x: [n], y: [n]) -> [n] = x + y\nfn g(x: [n]) -> [n] = f(x, x, x)',
  },
  E0124: {
    severity: 'error',
    title: 'no such parameter',
    message: (data: { callee: string; name: string; suggestion: string | null }) =>
      `${data.callee} has no parameter \`${data.name}\``,
    help: didYouMean,
    explanation: 'An argument given by name, `beta1 = 0.5`, uses the name of a parameter.',
    example:
      'fn f(x: [n], scale: real = 1) -> [n] = x * scale\nfn g(x: [n]) -> [n] = f(x, scal = 2)',
  },
  E0125: {
    severity: 'error',
    title: 'the argument is given twice',
    message: (data: { name: string }) => `\`${data.name}\` has a value already`,
    explanation: 'Each parameter gets one value, by its place or by its name.',
    example: 'fn f(x: [n]) -> [n] = x\nfn g(x: [n]) -> [n] = f(x, x = x)',
  },
  E0126: {
    severity: 'error',
    title: 'an argument is missing',
    message: (data: { callee: string; name: string }) =>
      `${data.callee} needs \`${data.name}\`, which has no default`,
    explanation: 'Only parameters with a default value may be left out.',
    example: 'fn f(x: [n], y: [n]) -> [n] = x + y\nfn g(x: [n]) -> [n] = f(x)',
  },
  E0127: {
    severity: 'error',
    title: 'an argument by place after one by name',
    message: () => 'its place is no longer known',
    explanation: 'Arguments in order come first, those by name after them.',
    example: 'fn f(x: [n], y: [n]) -> [n] = x + y\nfn g(x: [n]) -> [n] = f(x = x, x)',
  },
  E0128: {
    severity: 'error',
    title: 'wrong number of values',
    message: (data: { names: number; values: string }) =>
      `${plural(data.names, 'name')} on the left, and ${data.values} on the right`,
    explanation: '`a, b = f(x)` takes a tuple of two apart: there must be as many names as values.',
    example: 'fn f(x: [n]) -> [n] {\n  a, b, c = (x, x)\n  return a\n}',
  },
  E0130: {
    severity: 'error',
    title: 'the branches differ',
    message: (data: { first: string; second: string }) =>
      `\`then\` gives ${data.first}, \`else\` gives ${data.second}`,
    explanation: 'Both branches of an `if` have one type.',
    example: 'fn f(x: [n], y: [m], c: bool) -> [n] = if c then x else y',
  },
  E0131: {
    severity: 'error',
    title: 'the result has another type',
    message: (data: { found: string; declared: string }) =>
      `the body gives ${data.found}, and ${data.declared} is declared`,
    explanation:
      'The type after `->` is what callers rely on; the body must have it, for all sizes.',
    example: 'fn f(x: [B, n]) -> [n] = x',
  },
  E0132: {
    severity: 'error',
    title: 'the body has no result',
    message: () => 'nothing is returned, and no named result is defined',
    explanation:
      'A block ends with `return e`, or defines the results that the signature names: `-> y: [n] { y = ... }`.',
    example: 'fn f(x: [n]) -> [n] {\n  z = x\n}',
  },
  E0133: {
    severity: 'error',
    title: 'the function does not fit',
    message: (data: { found: string; expected: string }) =>
      `this is ${data.found}, and ${data.expected} is needed`,
    explanation:
      'A function passed as a value must take and give what the parameter says, for the sizes at hand.',
    example:
      'fn twice(f: ([n]) -> [n], x: [n]) -> [n] = f(f(x))\nfn g(x: [n], y: [n]) -> [n] = x\nfn h(x: [n]) -> [n] = twice(g, x)',
  },
  E0134: {
    severity: 'error',
    title: 'the type cannot be told',
    message: (data: { what: string }) => `nothing says what ${data.what} is`,
    explanation: 'Add a type: `y: [n] = ...`.',
    example: 'fn f(x: [n], i: int) -> real = sum(x) + fin(i)\n',
  },
  E0135: {
    severity: 'error',
    title: 'the value may be out of range',
    message: (data: { value: string; size: string }) =>
      `nothing shows that ${data.value} lies in 0 to ${data.size} - 1`,
    explanation:
      '`fin(n)` holds 0 to n - 1. An integer becomes one by a proof of its bounds, or by `clamp(i, 0, n - 1)`.',
    example: 'fn f(i: int) -> fin(10) = i',
  },
  E0136: {
    severity: 'error',
    title: '`dim` and `mdp` stand for parameters only',
    message: (data: { what: string }) => `a value cannot be of type \`${data.what}\``,
    help: (data: { what: string }) => (data.what === 'dim' ? 'use `int`' : ''),
    explanation:
      '`n: dim` declares a parameter that is a size. Values that are whole numbers are of type `int`. `m: mdp` declares a parameter ' +
      'that takes any decision process; it binds the numbers of states and actions, so it has no shape and is no type of a value.',
    example: 'fn f(x: [n]) -> dim = n\n',
  },
  E0137: {
    severity: 'error',
    title: 'two results',
    message: (data: { name: string }) =>
      `the result \`${data.name}\` is named, and \`return\` gives another value`,
    explanation:
      'A function either assigns the names of its result, or returns an expression; a named result and `return` in one ' +
      'body say two things.',
    example: 'fn f(x: [n]) -> y: [n] {\n  y = 2 * x\n  return x\n}\n',
  },
  E0138: {
    severity: 'error',
    title: 'the condition is not known when the program is built',
    message: () => 'this `if` statement depends on a tensor',
    help: () => 'choose between values instead: `y = if c then a else b`',
    explanation:
      'The condition of an `if` statement is `training`, or made of hyper-parameters, sizes and constants; one branch is ' +
      'built. Between values, `if c then a else b` chooses element by element.',
    example: 'fn f(x: real) -> y: real {\n  if x > 0 { y = x } else { y = 0 }\n}\n',
  },
  E0139: {
    severity: 'error',
    title: 'the items of an array differ',
    message: (data: { first: string; found: string }) =>
      `this item is ${data.found}, the first one ${data.first}`,
    explanation: 'All items of `[a, b, c]` have one type; the array adds an axis in front.',
    example: 'fn f(x: [n], y: [m]) -> [2, n] = [x, y]\n',
  },
});
