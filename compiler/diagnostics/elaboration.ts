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
  E0703: {
    severity: 'error',
    title: 'too large',
    message: ({ what, size }: { what: string; size: string }) =>
      `${what} of ${size} is more than any target holds: the most is 2^31 - 1`,
    explanation:
      'Positions along an axis are 32-bit integers, and so are positions in a tensor of parameters or data. A size that is larger by far than any real model is most often a slip of the hand.',
    example: 'export fn f(x: [B, 99999999999]) -> y: [B] {\n  y[b] = sum[i] x[b, i]\n}\n',
  },
  E0704: {
    severity: 'error',
    title: 'too many layers',
    message: ({ name, count, most }: { name: string; count: string; most: number }) =>
      `\`${name}\` would be ${count} layers; the most is ${most}`,
    explanation:
      'Each layer of an array has parameters and operations of its own in the graph. An array that is longer by far than any real model is most often a slip of the hand.',
    example:
      'model Unit(n: dim) {\n  param w: [n] = 1\n  fn (x: [B, n]) -> [B, n] = x * w\n}\nlayer stack[1000000] = Unit(2)\nexport fn f(x: [B, 2]) -> y: [B, 2] = stack[0](x)\n',
  },
  E0705: {
    severity: 'error',
    title: 'a draw inside index notation',
    message: ({ name }: { name: string }) =>
      `\`${name}\` would be drawn once for every value of an index`,
    help: () => 'call the function on whole tensors: `z = f(x)` first, then `y[b] = z[b]`',
    explanation:
      'A draw gives its tensor once. A function that draws can be called inside index notation only where a whole tensor is read, ' +
      'as in `mean[b] net(x)[b]`, with arguments that no index enters; elsewhere it would be unclear whether each index has a draw ' +
      'of its own. The shape of the draw says how many there are: `e: [B, n] ~ normal(0, 1)`.',
    example:
      'fn noisy(x: real) -> y: real {\n  e: real ~ normal(0, 1)\n  y = x + e\n}\nexport fn f(x: [B]) -> y: [B] {\n  y[b] = noisy(x[b])\n}\n',
  },
  E0706: {
    severity: 'error',
    title: 'a constant is not drawn',
    message: ({ name }: { name: string }) =>
      `\`${name}\` is drawn to compute a constant or hyper-parameter`,
    help: () => 'draw in the function that uses it, or make it a `param` or `state`',
    explanation:
      'Constants and hyper-parameters are the same in every run; draws depend on the seed. A `param` or `state` may be computed from draws: ' +
      'it keeps its first value.',
    example:
      'fn noise() -> e: [3] {\n  e ~ normal(0, 1)\n}\nconst c = noise()\nexport fn f(x: [B, 3]) -> y: [B, 3] = x + c\n',
  },
  E0707: {
    severity: 'error',
    title: 'the name of an input is taken',
    message: ({ name, port }: { name: string; port: 'seed' | 'step' }) =>
      `\`${name}\` ${port === 'seed' ? 'draws' : 'counts its steps'}, so it has an input \`${port}\` besides what is called \`${port}\` here`,
    help: () => 'give the parameter or state another name',
    explanation:
      'An export fn or `train` block that draws gets an input `seed`, from which all its draws come; a `train` block counts its ' +
      'steps in an input `step`.',
    example: 'export fn f(seed: [B]) -> y: [B] {\n  e: [B] ~ normal(0, 1)\n  y = seed + e\n}\n',
  },
  E0708: {
    severity: 'error',
    title: 'one gradient for many values',
    message: ({ params }: { params: string }) =>
      `the function is called for each value of an index, and \`${params}\` is one for all of them`,
    help: ({ params }: { params: string }) =>
      `give each call its own: \`w = ${params}\`, call the layer \`with w\`, and differentiate by \`w\``,
    explanation:
      'A function that index notation calls has one value for each index, and so has its derivative by a variable of its own. The ' +
      'parameters of a layer are shared by all calls.',
    example:
      'model M(n: dim) {\n  param w: [n] = 1\n  fn (x: [n]) -> y: real = sum(w * x)\n}\nlayer net = M(3)\nfn slope(x: [3]) -> real = norm(grad(net(x)^2, params(net)))\nexport fn f(x: [B, 3]) -> y: [B] {\n  y[b] = slope(x[b, :])\n}\n',
  },
  E0720: {
    severity: 'error',
    title: 'the system has no known size',
    message: ({ name }: { name: string }) => `the size of the matrix of \`${name}\` is free`,
    help: () => 'declare the size as a hyper-parameter of a model, or as a number',
    explanation:
      'Substitution takes a step for each unknown, so their number has to be known when the graph is built. Bijectors with triangular sums ' +
      'need it for their inverses.',
    example: 'export fn f(T: [n, n], b: [n]) -> x: [n] = solve_lower(T, b)\n',
  },
});

export const { E0701, E0703, E0704, E0705, E0706, E0707, E0708, E0720 } = elaborationDiagnostics;
