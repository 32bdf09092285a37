// E047x: bijectors, whose inverse and log-determinant the compiler derives (compiler/check/bijectors/).

import { defineDiagnostics } from './diagnostic.ts';

const head = (body: string): string =>
  `bijector F(d: dim) {\n  param w: [d] = 1\n  fn (x: [..B, d]) -> y: [..B, d] {\n${body}\n  }\n}`;

export const bijectors = defineDiagnostics({
  E0470: {
    severity: 'error',
    title: 'not a bijector',
    message: (data: { why: string }) => data.why,
    help: () => 'write `fn (x: [..B, d]) -> y: [..B, d] { ... }` in it',
    explanation:
      'A bijector is one function without a name, from a tensor of reals (or a tuple of them) to another: its first parameter is ' +
      'what the inverse gives back, and other parameters are known on both ways.',
    example: 'bijector F(d: dim) {\n  fn push(x: [..B, d]) -> [..B, d] = 2 * x\n}',
  },
  E0471: {
    severity: 'error',
    title: 'this is derived',
    message: (data: { name: string }) =>
      `\`${data.name}\` of a bijector is derived by the compiler`,
    help: () => 'leave it out, or give it another name',
    explanation:
      'The inverse of a bijector and the logarithm of the determinant of its Jacobian follow from its equations. `f.inverse(y)` and ' +
      '`f.logdet(x)` call what the compiler derives from them.',
    example: head('    y = 2 * x').replace(
      /\n}$/,
      '\n  fn inverse(y: [..B, d]) -> [..B, d] = y / 2\n}',
    ),
  },
  E0472: {
    severity: 'error',
    title: 'the Jacobian is not triangular',
    message: (data: { why: string }) => data.why,
    help: () => 'compute it from another part of the input only',
    explanation:
      'A part of the input may be scaled and shifted by whatever the other parts give, which is then the same on the way back. What a ' +
      'part does to itself must be one of the maps that have a known inverse.',
    example: head('    y = x * exp(x)'),
  },
  E0473: {
    severity: 'error',
    title: 'the scale may be zero',
    message: (data: { scale: string }) => `nothing shows that \`${data.scale}\` is never zero`,
    help: (data: { scale: string }) => `use \`exp(${data.scale})\``,
    explanation:
      'What is multiplied by 0 cannot be got back. A scale has to be proved not to be 0: `exp(s)`, `sigmoid(s)`, ' +
      '`softplus(s) + 0.1`, numbers, and products and quotients of such.',
    example: head('    y[.., i] = w[i] * x[.., i]'),
  },
  E0474: {
    severity: 'error',
    title: 'not invertible',
    message: (data: { what: string; why: string }) =>
      `\`${data.what}\` cannot be undone: ${data.why}`,
    help: () =>
      'apply it to a part of the input that goes on unchanged, and scale or shift the other part by what it gives',
    explanation:
      'On the way from x to y stand only what the compiler can undo: scaling and shifting by other parts, increasing functions (`exp`, `log`, ' +
      '`tanh`, `sigmoid`, `expm1`, `log1p`), rearrangements (`concat`, `halves`, slices, `reverse`, index notation that moves elements), ' +
      'triangular sums, and bijectors. Everything may be used to compute scales and shifts.',
    example: head('    y = abs(x)'),
  },
  E0475: {
    severity: 'error',
    title: 'part of the input is lost',
    message: (data: { what: string }) => `${data.what} does not reach the result`,
    help: () => 'put every part into the result, as `concat(a, b)`',
    explanation:
      'The inverse has to give back the whole input, so every element must enter the result.',
    example:
      'bijector F(d: dim) where d % 2 == 0 {\n  fn (x: [..B, d]) -> y: [..B, d / 2] {\n    a, b = halves(x)\n    y = a\n  }\n}',
  },
  E0476: {
    severity: 'error',
    title: 'used twice',
    message: (data: { what: string }) => `${data.what} enters the result more than once`,
    help: () =>
      'let it enter once; scales and shifts of other parts may use it as often as they like',
    explanation:
      'Each element of the result has to come from an element of the input of its own; otherwise most values of the result belong to no input.',
    example:
      'bijector F(d: dim) where d % 2 == 0 {\n  fn (x: [..B, d]) -> y: [..B, d] {\n    a, b = halves(x)\n    y = concat(a, 2 * a)\n  }\n}',
  },
  E0477: {
    severity: 'error',
    title: 'the batch does not stay in front',
    message: (data: { what: string; batch: string }) =>
      `the axes ${data.batch} of the batch are not the first of \`${data.what}\``,
    help: () => 'keep the axes of the batch where they are, and rearrange those behind them',
    explanation:
      '`logdet` is one number an example. The axes of the batch are those of the pack `..B` in front, or, without a pack, the first axis ' +
      'where the signature binds its size; all values on the way from x to y begin with them.',
    example: 'bijector F() {\n  fn (x: [B, n]) -> y: [n, B] {\n    y[i, b] = x[b, i]\n  }\n}',
  },
  E0478: {
    severity: 'error',
    title: 'a bijector is a function',
    message: (data: { what: string; verb: string }) => `\`${data.what}\` ${data.verb}`,
    help: () => 'do it outside of the bijector, and pass the value in',
    explanation:
      'A bijector gives the same on every call, or its inverse would not belong to it: it neither draws nor updates a state, and nor do ' +
      'the functions and layers it calls.',
    example: head('    e: [d] ~ normal(0, 1)\n    y[.., i] = x[.., i] + e[i]'),
  },
  E0479: {
    severity: 'error',
    title: 'the matrix may be singular',
    message: (data: { matrix: string }) => `nothing shows that \`${data.matrix}\` has an inverse`,
    help: () =>
      'write it as a triangular matrix and another, which learn as well: `z[.., o] = exp(s[o]) * x[.., o] + sum[i > o] U[o, i] * x[.., i]`, then `y[.., o] = z[.., o] + sum[i < o] L[o, i] * z[.., i]`',
    explanation:
      'A sum over the input is undone where it is triangular: each element is scaled, and shifted by those before it (or by those ' +
      'behind it). The determinant is the product of the scales. Every invertible matrix is, up to a permutation, a product of two such.',
    example:
      'bijector F(d: dim) {\n  param W: [d, d] ~ normal(0, 1)\n  fn (x: [..B, d]) -> y: [..B, d] {\n    y[.., o] = sum[i] W[o, i] * x[.., i]\n  }\n}',
  },
  E0480: {
    severity: 'error',
    title: 'the rearrangement is not known',
    message: (data: { at: string }) =>
      `the position \`${data.at}\` is not a rearrangement that is known`,
    help: () =>
      'read at indices and their mixed-radix sums, `i * p + u`, or backwards, `n - 1 - i`',
    explanation:
      'Index notation is undone where it moves every element to a place of its own, whatever the sizes: at an index, at `i * p + u` with ' +
      'u < p, at a shift `i + k`, or backwards. A position that depends on data may meet an element twice.',
    example:
      'bijector F(d: dim) {\n  fn (x: [..B, d], p: fin(d)[d]) -> y: [..B, d] {\n    y[.., i] = x[.., p[i]]\n  }\n}',
  },
  E0481: {
    severity: 'error',
    title: 'part of the result is constant',
    message: (data: { what: string; name: string }) =>
      `\`${data.what}\` does not depend on \`${data.name}\``,
    help: () =>
      'leave it out of the result: the inverse would have nothing to give for other values of it',
    explanation: 'Every value of the result has to belong to some input.',
    example:
      'bijector F(d: dim) {\n  param w: [d] = 1\n  fn (x: [d]) -> y: [2 * d] = concat(x, w)\n}',
  },
});
