// E04xx: models, states, training, entry points and derivatives; and what the language has but this version does not build.

import { defineDiagnostics } from './diagnostic.ts';

export const programs = defineDiagnostics({
  E0401: {
    severity: 'error',
    title: 'the loss is not one number',
    message: (data: { found: string }) => `this is ${data.found}`,
    help: () => 'take the mean over the batch: `mean(...)`',
    explanation: '`minimize` and `maximize` take a scalar, for only a scalar has a gradient.',
    example:
      'layer net = M(3)\nmodel M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = x * w\n}\ntrain t(x: [B, 3]) {\n  minimize net(x) over net using SGD(0.1)\n}',
  },
  E0402: {
    severity: 'error',
    title: 'nothing to train',
    message: (data: { name: string; found: string }) => `\`${data.name}\` is ${data.found}`,
    explanation:
      '`over` names layers that the program owns, or parts of them, such as `net.encoder`.',
    example: 'train t(x: [B, 3]) {\n  minimize mean(x) over x using SGD(0.1)\n}',
  },
  E0403: {
    severity: 'error',
    title: 'the loss does not depend on the model',
    message: (data: { name: string }) =>
      `no path leads from the parameters of \`${data.name}\` to it`,
    explanation:
      'All gradients would be zero. Either the loss leaves the model out, or `over` names another one than it uses.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = x * w\n}\nlayer net = M(3)\ntrain t(x: [B, 3]) {\n  minimize mean(x) over net using SGD(0.1)\n}',
  },
  E0404: {
    severity: 'error',
    title: 'the value is stale',
    message: (data: { name: string; layer: string; line: number; again: boolean }) =>
      data.again
        ? `\`${data.name}\` used \`${data.layer}\`, which line ${data.line} has changed when the block runs again`
        : `\`${data.name}\` used \`${data.layer}\` before line ${data.line} changed it`,
    explanation:
      'Steps run in order. A value computed with parameters that a step has changed since is not what the model gives now. ' +
      'Compute it again after the step (inside the block, where `repeat` runs it again), or `stop(...)` it if the old value is meant.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = x * w\n}\nlayer net = M(3)\ntrain t(x: [B, 3]) {\n  y = net(x)\n  minimize mean(y) over net using SGD(0.1)\n  minimize mean(y^2) over net using SGD(0.1)\n}',
  },
  E0405: {
    severity: 'error',
    title: 'not a state',
    message: (data: { name: string }) => `\`${data.name}\` is not declared as \`state\``,
    explanation:
      '`<-` updates what was declared with `state`, or a carry of a loop. Everything else is defined once, with `=`.',
    example: 'fn f(x: [n]) -> [n] {\n  y = x\n  y <- y + 1\n  return y\n}',
  },
  E0406: {
    severity: 'error',
    title: 'a state changes its type',
    message: (data: { name: string; declared: string; found: string }) =>
      `\`${data.name}\` is ${data.declared}, and this is ${data.found}`,
    explanation: 'What `<-` stores has the type of the state.',
    example:
      'model M(n: dim) {\n  state s: [n] = 0\n  fn (x: [B, n]) -> [B, n] {\n    s <- x\n    return x\n  }\n}',
  },
  E0407: {
    severity: 'error',
    title: 'a model has no main function',
    message: (data: { name: string }) =>
      `\`${data.name}\` has no unnamed \`fn\`, so it is not called`,
    explanation:
      'The unnamed `fn` of a model is what `net(x)` runs. Others are called by name: `net.encode(x)`.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn go(x: [n]) -> [n] = x * w\n}\nlayer m = M(3)\nfn f(x: [3]) -> [3] = m(x)',
  },
  E0408: {
    severity: 'error',
    title: 'a layer is made from a model',
    message: (data: { found: string }) => `this is ${data.found}`,
    explanation:
      '`layer net = MLP(784, 10)` makes an instance of a model, with parameters of its own.',
    example: 'layer net = 3',
  },
  E0409: {
    severity: 'error',
    title: 'not an optimizer',
    message: (data: { found: string }) => `this is ${data.found}`,
    explanation: '`using` takes an optimizer with its settings: `using Adam(1e-3)`.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = x * w\n}\nlayer net = M(3)\ntrain t(x: [B, 3]) {\n  minimize mean(net(x)) over net using 0.1\n}',
  },
  E0410: {
    severity: 'error',
    title: 'no differentiable path',
    message: (data: { of: string; to: string; blocked: string }) =>
      `every path from \`${data.to}\` to \`${data.of}\` is blocked: ${data.blocked}`,
    explanation:
      'Comparisons, rounding, argmax and integers have no useful derivative, so no gradient passes them. Use a smooth ' +
      'stand-in (softmax for argmax), or take the gradient of something else.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = round(x * w)\n}\nlayer net = M(3)\ntrain t(x: [B, 3]) {\n  minimize mean(net(x)) over net using SGD(0.1)\n}',
  },
  E0411: {
    severity: 'warning',
    title: 'a path carries no gradient',
    message: (data: { to: string; blocked: string }) =>
      `part of the dependence on \`${data.to}\` is lost: ${data.blocked}`,
    explanation:
      'Some paths to the loss, or to the value of a derivative, are differentiable and others are blocked. If that is meant, say so with `stop(...)`.',
    example:
      'model M(n: dim) {\n  param w: [n] = 0\n  fn (x: [B, n]) -> [B, n] = x * w + round(x * w)\n}\nlayer net = M(3)\ntrain t(x: [B, 3]) {\n  minimize mean(net(x)) over net using SGD(0.1)\n}',
  },
  E0412: {
    severity: 'error',
    title: 'an entry point takes and gives tensors',
    message: (data: { what: string; found: string }) => `${data.what} is ${data.found}`,
    explanation:
      'An `export fn` and a `train` block are called from outside: with tensors, whose sizes are numbers or free names. ' +
      'Functions, models and packs cannot be passed in.',
    example: 'export fn f(x: [..B, 3]) -> [..B, 3] = x',
  },
  E0413: {
    severity: 'error',
    title: 'not an initial value',
    message: (data: { found: string; shape: string }) =>
      `this is ${data.found}, and ${data.shape} is filled`,
    explanation:
      '`param W: [m, n] ~ normal(0, s)` draws, `param b: [m] = 0` fills. After `=` stands a number, or a tensor of the ' +
      'same shape; after `~` a distribution or an initialiser such as `glorot`.',
    example: 'model M(n: dim) {\n  param w: [n] ~ 3\n  fn (x: [n]) -> [n] = x * w\n}',
  },
  E0414: {
    severity: 'error',
    title: 'does not belong here',
    message: (data: { what: string; where: string }) => `${data.what} ${data.where}`,
    explanation:
      '`return` is the last line of a function. A branch of an `if` assigns names instead; what both branches assign lives on.',
    example: 'fn f(x: [n]) -> y: [n] {\n  if training { y = x return y } else { y = 2 * x }\n}\n',
  },
  E0415: {
    severity: 'error',
    title: 'not an optimizer body',
    message: (data: { reason: string }) => data.reason,
    explanation:
      'An optimizer has states, each like the parameter, and one `fn (w: [..S], g: [..S], step: int) -> [..S]`, the new ' +
      'value of a parameter.',
    example: 'optimizer Bad(lr: real) {\n  fn (w: [..S]) -> [..S] = w\n}',
  },
  E0419: {
    severity: 'error',
    title: 'two main functions',
    message: () => 'the model has a function without a name already',
    explanation:
      'The `fn` without a name is what calling a layer runs; a model has one at most. Give the others names.',
    example: 'model M(n: dim) {\n  fn (x: [n]) -> [n] = x\n  fn (y: [n]) -> [n] = 2 * y\n}',
  },
  E0420: {
    severity: 'error',
    title: 'a value is defined by itself',
    message: (data: { name: string }) => `\`${data.name}\` needs its own value`,
    explanation: 'Definitions may stand in any order, but not in a circle.',
    example: 'const a = b + 1\nconst b = a + 1\n',
  },
  E0421: {
    severity: 'error',
    title: 'the name of a report is taken',
    message: (data: { name: string; what: string }) => `\`${data.name}\` ${data.what}`,
    explanation:
      'The name of a report names its column and its curve, and the output of the step in ONNX: no other report, loss, state or input ' +
      'of the block may have it.',
    example: 'train t(x: [B, 3]) {\n  report m = mean(x)\n  report m = sum(x)\n}',
  },
  E0422: {
    severity: 'error',
    title: 'a report is one number',
    message: (data: { found: string }) => `this is ${data.found}`,
    help: () => 'take its mean, or its norm',
    explanation: 'A report is shown as a number for each step, so its value is a scalar.',
    example: 'train t(x: [B, 3]) {\n  report m = x\n}',
  },
  E0423: {
    severity: 'error',
    title: 'not a draw',
    message: (data: { reason: string }) => data.reason,
    help: () => 'write the name with its type, as in `e: [B, z] ~ normal(0, 1)`',
    explanation:
      'A draw is one name with its type, `~` and a distribution. The type gives the shape: every element is drawn ' +
      'independently. The parameters of the distribution may be tensors: `x: [B, z] ~ normal(mu, s)`.',
    example: 'fn f(x: [n]) -> [n] {\n  e ~ normal(0, 1)\n  return x + e\n}',
  },
  E0424: {
    severity: 'error',
    title: 'not a distribution',
    message: (data: { found: string }) => `${data.found} is no distribution`,
    explanation:
      'After `~` stands one of the distributions of the language: `normal(mu, s)`, `uniform(a, b)`, `bernoulli(p)`, ' +
      '`categorical(p)`, `exponential(rate)`, `gumbel(mu, b)`.',
    example: 'fn f(x: [n]) -> [n] {\n  e: [n] ~ tanh(x)\n  return x + e\n}',
  },
  E0425: {
    severity: 'error',
    title: 'the distribution does not fit',
    message: (data: { reason: string }) => data.reason,
    explanation:
      '`normal`, `uniform`, `exponential` and `gumbel` draw reals; `bernoulli` draws `bool`, or 0 and 1; `categorical` and ' +
      '`uniform` draw a `fin(n)`. A parameter is a number, or a tensor whose shape the shape of the draw ends with; that ' +
      'of `categorical` has one more axis, of n probabilities.',
    example: 'fn f(x: [n]) -> [n] {\n  k: fin(n) ~ normal(0, 1)\n  return x * x[k]\n}',
  },
  E0900: {
    severity: 'error',
    title: 'not there yet',
    message: (data: { feature: string }) =>
      `${data.feature} is part of the language, but this version does not build it`,
    explanation:
      'The grammar is complete, so the program parses; the compiler does not build this form yet.',
    example:
      'model M(n: dim) {\n  state s: [n] = 0\n  fn (x: [n]) -> J: [n, n] {\n    s <- x\n    J = jac(x^2, x)\n  }\n}',
  },
});
