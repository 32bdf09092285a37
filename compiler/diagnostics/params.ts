// E046x: the parameters of a layer as a value, `params(net)` and `net(x with w)` (compiler/check/params.ts).

import { defineDiagnostics } from './diagnostic.ts';

const layer =
  'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = x * w\n}\nlayer net = M(3)\n';

export const paramsDiagnostics = defineDiagnostics({
  E0460: {
    severity: 'error',
    title: 'no parameters',
    message: (data: { what: string }) => `${data.what} has no parameters`,
    help: () => '`params(net)` takes a layer, or a function that is given one',
    explanation:
      '`params(net)` is all parameters of a layer as one value. A layer whose model declares none, a tensor, or a function that ' +
      'belongs to no layer has nothing to give.',
    example: 'fn f(x: [n]) -> [n] = x\nfn g(x: [n]) -> real = norm(params(f)) + sum(x)',
  },
  E0461: {
    severity: 'error',
    title: 'the structures differ',
    message: (data: { difference: string }) => data.difference,
    explanation:
      'Parameters are added, compared and put into a layer path by path, so both must have the same paths with the same sizes. ' +
      'The message names the first that differs.',
    example: `${layer}layer other = M(4)\nfn f(x: [B, 3]) -> [B, 3] = net(x with params(other))`,
  },
  E0462: {
    severity: 'error',
    title: 'nothing takes these parameters',
    message: (data: { name: string }) => `\`${data.name}\` belongs to no layer`,
    help: () => '`net(x with w)` and `net.method(x with w)` run a layer with other parameters',
    explanation:
      '`with` gives other parameters to the layer that is called. A function of its own has none; give it a name for the layer, as ' +
      'in `fn f(net: ([B, n]) -> [B, n], w: params(net), x: [B, n])`, and write `net(x with w)` inside.',
    example: `${layer}fn f(x: [B, 3]) -> [B, 3] = x\nfn g(x: [B, 3]) -> [B, 3] = f(x with params(net))`,
  },
  E0463: {
    severity: 'error',
    title: 'not an operation on parameters',
    message: (data: { reason: string }) => data.reason,
    explanation:
      'Parameters of a layer are a vector of tensors of any shapes. They go with numbers and with parameters of the same structure ' +
      'through whatever works element by element: `w - lr * g`, `sqrt(v)`, a function of `[..S]` that gives `[..S]`. ' +
      '`sum(w)` and `norm(w)` are of all elements.',
    example: `${layer}fn f(x: [3]) -> real = norm(params(net) + x)`,
  },
  E0464: {
    severity: 'error',
    title: 'not a moving average',
    message: (data: { reason: string }) => data.reason,
    help: () => 'write `track average = ema(net, 0.999)`',
    explanation:
      '`track` declares a layer whose parameters are the moving average of those of a layer that the program owns: ' +
      '`average <- d * average + (1 - d) * net` at each step, with the share d between 0 and 1.',
    example: `${layer}train t(x: [B, 3]) {\n  minimize mean(net(x)) over net using SGD(0.1)\n  track average = mean(x)\n}`,
  },
});
