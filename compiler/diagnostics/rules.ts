// E0465 to E0467: derivative rules, `jvp f(x, dx) = e` (compiler/check/rules.ts).

import { defineDiagnostics } from './diagnostic.ts';

const square = 'fn square(x: [..S]) -> [..S] = x * x\n';

export const ruleDiagnostics = defineDiagnostics({
  E0465: {
    severity: 'error',
    title: 'the rule is not linear',
    message: (data: { term: string; why: string }) => `\`${data.term}\` ${data.why}`,
    explanation:
      'A derivative is linear in the tangents: a sum of terms each of which has one tangent as a factor. Only then is there a reverse ' +
      'rule, which is its transpose. Sums, products with what does not depend on the tangents, index notation with `sum` and `mean`, ' +
      'rearrangements, and functions made of these are linear.',
    example: `${square}jvp square(x, dx) = 2 * x * dx + dx^2`,
  },
  E0466: {
    severity: 'error',
    title: 'no function to give a rule',
    message: (data: { name: string; why: string }) => `\`${data.name}\` ${data.why}`,
    explanation:
      'A rule is for a function of the same file, at its top level, that takes tensors and gives one tensor of reals. It says all of its ' +
      'derivative, so the function may not use a layer, whose parameters the rule could not speak of.',
    example: 'jvp tanh(x, dx) = (1 - tanh(x)^2) * dx',
  },
  E0467: {
    severity: 'error',
    title: 'the names of the rule do not fit',
    message: (data: { names: string; found: number; expected: number }) =>
      `${data.names} takes ${data.expected} names, and here are ${data.found}`,
    explanation:
      'A rule names all parameters of the function in their order, and then, for each that is of reals, its tangent: ' +
      '`jvp f(x, k, y, dx, dy)` for `f(x: [n], k: int, y: [n])`.',
    example: `${square}jvp square(x) = 2 * x`,
  },
});
