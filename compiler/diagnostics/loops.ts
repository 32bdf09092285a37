// E045x: loops and equations, `for`, `fix`, `root` (compiler/check/loops.ts, equations.ts).

import { defineDiagnostics } from './diagnostic.ts';

export const loops = defineDiagnostics({
  E0450: {
    severity: 'error',
    title: 'a carry changes its type',
    message: (data: { name: string; first: string; next: string }) =>
      `\`${data.name}\` starts as ${data.first}, and this is ${data.next}`,
    explanation:
      'What a loop carries has one type, that of its first value: the loop is one body that runs on, and not as many bodies ' +
      'as rounds. A first value that is a whole number becomes real where the body makes it so; a size does not change.',
    example:
      'fn f(x: [T, n]) -> [n] {\n  for t < T with s = 0 {\n    s <- s + x[t]\n  }\n  return s\n}',
  },
  E0451: {
    severity: 'error',
    title: 'not something to loop over',
    message: (data: { found: string }) => `this is ${data.found}`,
    help: () =>
      '`for t < T` counts 0 to T - 1; `for f in steps` takes the layers of `layer steps[L]`',
    explanation:
      'A loop runs over the numbers below a size, or over the layers of an array, one after the other.',
    example:
      'fn f(x: [T, n]) -> s: [n] {\n  for t in x with s = zeros(n) {\n    s <- s + t\n  }\n}',
  },
  E0452: {
    severity: 'error',
    title: 'known only after the loop',
    message: (data: { name: string }) => `\`${data.name}\` is complete when the loop has ended`,
    help: (data: { name: string }) =>
      `name the value of this round, or carry it: \`with ${data.name}0 = ...\``,
    explanation:
      'An output that a loop stacks, `y[t] = e`, exists as a whole after the loop. What one round hands to the next is a ' +
      'carry: it stands in `with`, and `<-` gives it its next value.',
    example: 'fn f(x: [T]) -> y: [T] {\n  for t < T {\n    y[t] = 2 * x[t]\n    z = y + 1\n  }\n}',
  },
  E0453: {
    severity: 'error',
    title: 'the place of the output is not clear',
    message: (data: { reason: string }) => data.reason,
    explanation:
      'In a loop, `y[:, t] = e` stacks the values of e along the axis of t. The loop index stands alone in one slot; the others ' +
      'are `:` or `..` (the axes of e, in order) or indices of their own, as in `y[b, t] = ...`.',
    example: 'fn f(x: [T]) -> y: [T] {\n  for t < T {\n    y[t, t] = x[t]\n  }\n}',
  },
  E0454: {
    severity: 'error',
    title: 'the equation does not fit its variable',
    message: (data: { name: string; variable: string; found: string }) =>
      `\`${data.name}\` is ${data.variable}, and this is ${data.found}`,
    help: () =>
      'each element of the variable has an equation of its own; `fix` solves for all together',
    explanation:
      'A `root` is sought for every element on its own: the value of the block has the shape of the variable, and the variable that ' +
      'of the ends of the interval.',
    example:
      'fn f(a: [n]) -> d: [n] {\n  root d in (zeros(n), 1) tol 1e-5 within 40 { sum(d * a) - 1 }\n}',
  },
  E0455: {
    severity: 'error',
    title: 'not a variable of an equation',
    message: (data: { name: string; found: string }) => `\`${data.name}\` is ${data.found}`,
    help: () => 'the variables of `fix` are real tensors; write `zeros(S)`, or `0.0`',
    explanation:
      'A `fix` repeats its body until its variables change by no more than `tol`, and its derivative is that of the equation ' +
      'they solve (the implicit function theorem). Both need real numbers.',
    example:
      'fn f(n: dim) -> y: real {\n  fix b = true tol 1e-6 within 10 { b <- not b }\n  y = ind(b)\n}',
  },
  E0456: {
    severity: 'error',
    title: 'does not belong into an equation',
    message: (data: { what: string; form: string }) =>
      `${data.what} in the body of \`${data.form}\``,
    explanation:
      'The body of `fix` or `root` is one function that is evaluated as often as needed: it cannot stack outputs or change a ' +
      'state, since how often is not known.',
    example:
      'model Counted(n: dim) {\n  state calls: [] = 0\n  fn (x: [n]) -> y: [n] {\n    fix y = x tol 1e-6 within 10 {\n      calls <- calls + 1\n      y <- cos(y)\n    }\n  }\n}',
  },
  E0457: {
    severity: 'error',
    title: 'the variable is bound outside of the loop',
    message: (data: { name: string; form: string }) =>
      `a derivative inside \`${data.form}\` is taken by \`${data.name}\`, which is bound before it`,
    help: (data: { name: string }) =>
      `bind it anew in the body, \`${data.name}1 = ${data.name}\`, compute what depends on it from that, and differentiate by that`,
    explanation:
      'Inside the body of a loop, what was computed before the loop is constant. A derivative by a variable from outside would ' +
      'have to follow it through those lines too; bound anew inside, it is clear what depends on it.',
    example:
      'fn f(x: [n], T: dim) -> y: [n] {\n  for t < T with y = zeros(n) {\n    y <- y + grad(sum(x^2), x)\n  }\n}',
  },
});
