// E07xx: what only shows once sizes and hyper-parameters have their values (compiler/elaborate/).

import { defineDiagnostics } from './diagnostic.ts';

export const elaborationDiagnostics = defineDiagnostics({
  E0701: {
    severity: 'error',
    title: 'a size is too small',
    message: ({ name, value, minimum }: { name: string; value: number; minimum: number }) =>
      `\`${name}\` is ${value} here, and has to be at least ${minimum}`,
    explanation:
      'The sizes of a layer are computed when the program is built. One came out below its least value: sizes of axes are at least 1.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [n]) -> [n] = x * w\n}\nmodel P(n: dim) {\n  layer m = M(n - 3)\n  fn (x: [n - 3]) -> [n - 3] = m(x)\n}\nlayer net = P(2)\n',
  },
  E0702: {
    severity: 'error',
    title: 'the condition is not known when the program is built',
    message: () =>
      'this `if` chooses between statements by a value that only the running program has',
    help: () => 'choose between values: `y = if c then a else b`',
    explanation:
      'An `if` statement is decided when the program is built: by `training`, sizes and hyper-parameters. For a choice by computed values, use the expression `if c then a else b`, which computes both and selects.',
    example: 'export fn f(x: [B]) -> y: [B] {\n  if x[0] > 0 { y = x } else { y = -x }\n}\n',
  },
  E0703: {
    severity: 'error',
    title: 'an update inside index notation',
    message: ({ name }: { name: string }) =>
      `\`${name}\` would be updated once for every value of an index`,
    help: () => 'call the layer on the whole tensor, outside of index notation',
    explanation:
      'A state has one value a step. A layer that updates one cannot be called inside index notation, where the call stands for many.',
    example: '',
  },
  E0704: {
    severity: 'error',
    title: 'no input has this size',
    message: ({ name }: { name: string }) =>
      `the size \`${name}\` is free, and no input of the function has an axis that shows it`,
    explanation:
      'The inputs of an export fn determine its free sizes. A size that no input has would have to be an input itself, which is not there yet.',
    example: 'export fn f(B: dim) -> y: [B] = zeros(B)\n',
  },
});

export const { E0701, E0702, E0703, E0704 } = elaborationDiagnostics;
