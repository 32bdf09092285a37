// E043x: derivatives inside programs, `grad(y, x)` and its like (compiler/check/derivatives.ts).

import { defineDiagnostics } from './diagnostic.ts';

export const derivatives = defineDiagnostics({
  E0430: {
    severity: 'error',
    title: 'not a variable to differentiate by',
    message: (data: { found: string }) => `this is ${data.found}`,
    help: () =>
      'give the value a name on a line of its own, and use that name in what is differentiated',
    explanation:
      'A derivative is taken by a variable of the function: a parameter or a name that a line above binds, of reals, or a ' +
      'tuple of such. It is the derivative of a value as a function of that variable, through every definition in between.',
    example: 'fn f(x: [n]) -> [n] = grad(sum(x^2), 2 * x)',
  },
  E0431: {
    severity: 'error',
    title: 'the gradient of more than one number',
    message: (data: { found: string }) => `this is ${data.found}`,
    help: () =>
      '`grad(sum(y), x)` if each element has its own x, `jac(y, x)` for all derivatives, `vjp(y, x, u)` for those of `sum(y * u)`',
    explanation:
      '`grad` differentiates one real number. A tensor has as many gradients as elements: `jac` gives them all.',
    example: 'fn f(x: [n]) -> [n] = grad(x^2, x)',
  },
  E0432: {
    severity: 'error',
    title: 'a derivative for each value of an index',
    message: (data: { name: string; index: string }) =>
      `\`${data.name}\` is taken of a value that varies along \`${data.index}\``,
    help: () =>
      'take the derivative on a line of its own, outside of index notation, and read that at the index',
    explanation:
      'Inside index notation a derivative would be taken anew for every value of the index. `grad(sum(y), x)` of the whole ' +
      'tensor gives the same at once where each element has its own x; `jac(y, x)` gives all derivatives.',
    example: 'fn f(x: [n]) -> y: [n] {\n  y[i] = grad(x[i]^2, x)[i]\n}',
  },
  E0433: {
    severity: 'error',
    title: 'nothing to differentiate',
    message: (data: { of: string; by: string }) =>
      `\`${data.of}\` does not depend on \`${data.by}\``,
    help: (data: { by: string }) =>
      `compute it from \`${data.by}\`: what \`${data.by}\` was made from comes before it, and is constant here`,
    explanation:
      'A derivative is of a value as a function of a variable. Where the value is not computed from that variable, it is 0 ' +
      'everywhere, which is hardly meant.',
    example: 'fn f(x: [n], w: [n]) -> [n] {\n  h = x * w\n  return grad(sum(x^2), h)\n}',
  },
});
