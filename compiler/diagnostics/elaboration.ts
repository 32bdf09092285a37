// E07xx: what only shows once sizes and hyper-parameters have their values (compiler/elaborate/).

import { defineDiagnostics } from './diagnostic.ts';

export const elaborationDiagnostics = defineDiagnostics({
  E0701: {
    severity: 'error',
    title: 'an update inside index notation',
    message: ({ name }: { name: string }) =>
      `\`${name}\` would be updated once for every value of an index`,
    help: () => 'call the layer on the whole tensor, outside of index notation',
    explanation:
      'A state has one value a step. A layer that updates one cannot be called inside index notation, where the call stands for many.',
    example:
      'model Counter() {\n  state n: real = 0\n  fn (x: [B]) -> y: [B] {\n    n <- n + sum(x)\n    y = x + n\n  }\n}\nlayer count = Counter()\nexport fn f(x: [T, B]) -> y: [T, B] {\n  y[t, b] = count(x[t, :])[b]\n}\n',
  },
  E0702: {
    severity: 'error',
    title: 'no input has this size',
    message: ({ name }: { name: string }) =>
      `the size \`${name}\` is free, and no input of the function has an axis that shows it`,
    explanation:
      'The inputs of an export fn determine its free sizes. A size that no input has would have to be an input itself, which is not there yet.',
    example: 'export fn f(B: dim) -> y: [B] = zeros(B)\n',
  },
});

export const { E0701, E0702 } = elaborationDiagnostics;
