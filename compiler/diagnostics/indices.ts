// E03xx: index notation.

import { defineDiagnostics } from './diagnostic.ts';

export const indices = defineDiagnostics({
  E0301: {
    severity: 'error',
    title: 'the index is not bound here',
    message: (data: { name: string; scope: string | null }) =>
      data.scope === null
        ? `\`${data.name}\` is neither an index of the left side nor bound by a sum`
        : `\`${data.name}\` is bound by ${data.scope}, which ended before this`,
    explanation:
      'Indices come from the left side or from a binder such as `sum[i]`. The scope of a binder is one product: ' +
      '`sum[i] a[i]*b[i] + c[i]` is `(sum[i] a[i]*b[i]) + c[i]`, where the last `i` is outside. Bracket the sum of ' +
      'both: `sum[i] (a[i]*b[i] + c[i])`.',
    example: 'fn f(a: [n], b: [n], c: [n]) -> real = sum[i] a[i]*b[i] + c[i]',
  },
  E0302: {
    severity: 'error',
    title: 'the index has two ranges',
    message: (data: { name: string; first: string; second: string }) =>
      `\`${data.name}\` runs over ${data.first} here, and over ${data.second} before`,
    explanation:
      'An index has one range: its explicit bound, or the size of every axis that it reads bare, and these must be equal. ' +
      'A frequent cause is a matrix whose axes are the other way round.',
    example: 'fn f(W: [m, n], x: [n]) -> [m] {\n  y[o] = sum[i] W[i, o] * x[i]\n  return y\n}',
  },
  E0303: {
    severity: 'error',
    title: 'the index may be out of range',
    message: (data: { index: string; least: string; most: string; size: string }) =>
      `\`${data.index}\` reaches from ${data.least} to ${data.most}, but the axis has size ${data.size}`,
    explanation:
      'A read must be in range for every value of its indices, and the compiler proves it once, for all sizes. Narrow the ' +
      'range of an index (`sum[i < n - 1]`), pad the tensor, or add the `where` clause that makes it true.',
    example: 'fn f(x: [n]) -> y: [n] {\n  y[i] = x[i + 1]\n}\n',
  },
  E0304: {
    severity: 'error',
    title: 'an index must be a whole number in range',
    message: (data: { found: string; size: string }) =>
      `an axis of size ${data.size} is read by an index or a \`fin(${data.size})\`, and this is ${data.found}`,
    explanation:
      'An `int` may be anything, so it cannot read an axis. Declare data as `fin(V)`, which is checked when it is loaded, ' +
      'or `clamp(i, 0, n - 1)` an `int`.',
    example: 'fn f(E: [V, d], t: int[B]) -> [B, d] {\n  y[b, c] = E[t[b], c]\n  return y\n}',
  },
  E0305: {
    severity: 'error',
    title: 'nothing gives the index a range',
    message: (data: { name: string }) => `no axis is read at \`${data.name}\` alone`,
    help: (data: { name: string }) => `give it a bound: \`${data.name} < n\``,
    explanation:
      'A range comes from an explicit bound, from the type of the left side, or from a read at the bare index. A read at ' +
      '`i + 1` or `2*i` determines none.',
    example: 'fn f(x: [n]) -> real = sum[i] x[2*i]',
  },
  E0306: {
    severity: 'error',
    title: 'the index is bound twice',
    message: (data: { name: string }) => `\`${data.name}\` is already an index here`,
    explanation: 'An index on the left side, or of an outer sum, may not be bound again inside it.',
    example: 'fn f(x: [n, n]) -> y: [n] {\n  y[i] = sum[i] x[i, i]\n}\n',
  },
  E0307: {
    severity: 'error',
    title: '`..` does not fit here',
    message: (data: { reason: string }) => data.reason,
    explanation:
      'In index notation `..` stands for the leading axes of a pack, the same on both sides; it stands once on the left, ' +
      'and on the right wherever a tensor with those axes is read.',
    example: 'fn f(x: [n, m]) -> real = sum[i] x[.., i]\n',
  },
  E0308: {
    severity: 'error',
    title: 'wrong number of indices',
    message: (data: { shape: string; expected: number; found: number }) =>
      `${data.shape} has ${data.expected} ${data.expected === 1 ? 'axis' : 'axes'}, and ${data.found} are read`,
    explanation:
      'A read names every axis, one index each; `..` stands for the axes of a pack, `:` keeps an axis whole.',
    example: 'fn f(x: [n, m]) -> real = sum[i] x[i]',
  },
  E0309: {
    severity: 'error',
    title: 'the bound is not one',
    message: (data: { name: string; bound: string }) =>
      `\`${data.name}\` is bounded by \`${data.bound}\`, which is neither a size nor an outer index`,
    explanation:
      'An index is bounded by a size, `sum[i < n]`, or by an index around it, `sum[s <= t]`, the prefix form.',
    example: 'fn f(x: [n], r: real) -> real = sum[i < r] x[i]',
  },
  E0310: {
    severity: 'error',
    title: 'a group does not fit its axis',
    message: (data: { group: string; product: string; size: string }) =>
      `\`${data.group}\` has ${data.product} places, and the axis ${data.size}`,
    explanation:
      'A group such as `(i, j)` is one flattened axis; the product of the ranges of its indices must be its size.',
    example: 'fn f(x: [7]) -> y: [2, 3] {\n  y[i, j] = x[(i, j)]\n}\n',
  },
  E0311: {
    severity: 'error',
    title: 'the slice may be out of range',
    message: (data: { from: string; to: string; size: string }) =>
      `${data.from} to ${data.to} of an axis of size ${data.size}`,
    explanation: 'A slice `x[a:b]` needs 0 <= a < b <= size, proved for all sizes.',
    example: 'fn f(x: [n]) -> [2] = x[0:2]',
  },
  E0312: {
    severity: 'error',
    title: 'a group is made of indices',
    message: (data: { found: string }) => `this is ${data.found}, whose range is not known`,
    explanation:
      'Each item of a group such as `(i, j)` is an index, or a `fin(n)`: the place in the flattened axis is i * n + j, with n ' +
      'the range of j.',
    example: 'fn f(x: [6]) -> [2, 3] {\n  y[i < 2, j < 3] = x[(i, j + 1)]\n  return y\n}',
  },
  E0313: {
    severity: 'error',
    title: 'the left side is not one',
    message: (data: { found: string }) =>
      `\`${data.found}\` cannot stand on the left side of index notation`,
    explanation:
      'The left side lists the axes of the result: `..`, an index (`i`), an index with its bound (`i < n`), or a group of ' +
      'those that are flattened into one axis (`(i, j)`).',
    example: 'fn f(x: [n]) -> [n] {\n  y[i + 1] = x[i]\n  return y\n}',
  },
  E0314: {
    severity: 'error',
    title: 'an element is one number',
    message: (data: { found: string }) => `this is ${data.found}`,
    help: () => 'read it at every index',
    explanation:
      'The right side of index notation, and the body of a binder such as `sum[i]`, is the value at one place: a number. ' +
      'Read every tensor at indices, or call a function that makes a number of it.',
    example: 'fn f(x: [n, m]) -> [n] {\n  y[i] = x[i, :]\n  return y\n}',
  },
  E0315: {
    severity: 'error',
    title: 'this binder keeps its index',
    message: (data: { binder: string; name: string }) =>
      `\`${data.binder}[${data.name}]\` needs \`${data.name}\` on the left side, or bound around it`,
    explanation:
      '`softmax`, `logsoftmax`, `cumsum` and `cumprod` do not remove their index: the result has a value for each, so the ' +
      'index is one of the left side, or of a binder around.',
    example: 'fn f(x: [n]) -> real = softmax[i] x[i]',
  },
});
