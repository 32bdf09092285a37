// Models, layers, states, optimizers, modules, entry points and train blocks.

import { describe, expect, test } from 'vitest';

import { showDim } from '../../compiler/dims/show.ts';
import { accepted, diagnose, only, reports } from './helpers.ts';

const scale = `model Scale(n: dim, a: real = 1) {
  param w: [n] = 1
  fn (x: [..B, n]) -> [..B, n] = a * w * x
}
`;

describe('models', () => {
  test('are instantiated with their sizes', () => {
    const program = accepted(`${scale}layer net = Scale(2 * 3, a = 0.5)\n`);
    const [layer] = program.layers;
    const { bindings } = layer.value.type;
    expect([...bindings.dims].map(([v, d]) => `${v.name} = ${showDim(d)}`)).toEqual(['n = 6']);
    expect([...layer.value.values.keys()].map((local) => local.name)).toEqual(['a']);
  });

  test('know their members from outside', () => {
    accepted(`${scale}model Two(n: dim) {
  layer a = Scale(n)
  layer b = Scale(n)
  fn first(x: [n]) -> [n] = a(x)
}
layer net = Two(3)
fn f(x: [3]) -> [3] = net.first(x) + net.b(x) + net.a.w * net.n
`);
    expect(only(`${scale}layer net = Scale(3)\nfn f() -> [3] = net.W\n`).help).toBe(
      'did you mean `w`?',
    );
  });

  test('come in arrays', () => {
    const program = accepted(
      `${scale}layer s[4] = Scale(3)\nfn f(x: [3]) -> [3] = x |> s[0] |> s[3]\n`,
    );
    expect(program.layers.map((layer) => layer.count && showDim(layer.count))).toEqual(['4']);
    expect(only(`${scale}layer s[4] = Scale(3)\nfn f(x: [3]) -> [3] = s[4](x)\n`).code).toBe(
      'E0303',
    );
    expect(only(`${scale}layer s[4] = Scale(3)\nfn f(x: [3]) -> [3] = s(x)\n`).code).toBe('E0222');
  });

  test('take functions and layers', () => {
    accepted(`${scale}model Wrap(f: ([..S]) -> [..S], d: Scale(4)) {
  fn (x: [B, 4]) -> [B, 4] = f(d(x))
}
layer inner = Scale(4)
layer net = Wrap(tanh, inner)
`);
  });

  test('fill parameters and draw them', () => {
    expect(only('model M(n: dim) {\n  param w: [n] ~ 3\n}\n').code).toBe('E0413');
    expect(only('model M(n: dim) {\n  param w: [n] ~ norml(0, 1)\n}\n').help).toBe(
      'did you mean `normal`?',
    );
    expect(only('model M(n: dim) {\n  param w: [n] = ones(n + 1)\n}\n').code).toBe('E0413');
    expect(only('model M(n: dim) {\n  param w: int[n] = 0\n}\n').code).toBe('E0121');
  });

  test('keep their names apart', () => {
    expect(only('model M(n: dim) {\n  param n: real = 0\n}\n').code).toBe('E0202');
    expect(only('model M(n: dim) {\n  param w: [n] = 0\n  fn (w: [n]) -> [n] = w\n}\n').code).toBe(
      'E0216',
    );
    expect(only(`${scale}fn f(x: [3]) -> [3] = Scale(3)(x)\n`).code).toBe('E0220');
    expect(only('fn g(x: real) -> real = x\nlayer net = g(3)\n').code).toBe('E0408');
    expect(
      only('model M() {\n  fn a(x: real) -> real = x\n}\nlayer m = M()\nconst c = m(1)\n').code,
    ).toBe('E0407');
  });

  test('update their states', () => {
    const body = (statement: string): string =>
      `model M(n: dim) {\n  state s: [n] = 0\n  param w: [n] = 0\n  fn (x: [n]) -> [n] {\n    ${statement}\n    return x + s\n  }\n}\n`;
    accepted(body('s <- s + x'));
    accepted(body('s[i] <- 2 * x[i]'));
    expect(only(body('s <- sum(x)')).code).toBe('E0406');
    expect(only(body('w <- x')).code).toBe('E0405');
    expect(only(body('x <- x')).code).toBe('E0405');
  });
});

describe('files', () => {
  const blocks = { 'blocks.dlg': `${scale}fn twice(x: [..S]) -> [..S] = 2 * x\n` };

  test('are imported under a name, or without one', () => {
    accepted(
      'import "./blocks.dlg" as blocks\nlayer net = blocks.Scale(3)\nfn f(x: [3]) -> [3] = blocks.twice(net(x))\n',
      blocks,
    );
    accepted(
      'import "./blocks.dlg"\nlayer net = Scale(3)\nfn f(x: [3]) -> [3] = twice(net(x))\n',
      blocks,
    );
    accepted('import "std/nn" as nn\nlayer net = nn.MLP(3, 4, 5, nn.relu)\n');
  });

  test('report what is missing, and what is there twice', () => {
    expect(reports('import "./nowhere.dlg"\n')).toEqual(['E0204 1:8 "./nowhere.dlg"']);
    expect(
      only('import "./blocks.dlg" as b\nfn f(x: [3]) -> [3] = b.twise(x)\n', blocks).help,
    ).toBe('did you mean `twice`?');
    const two = { ...blocks, 'more.dlg': 'fn twice(x: [..S]) -> [..S] = x + x\n' };
    expect(only('import "./blocks.dlg"\nimport "./more.dlg"\n', two).code).toBe('E0206');
    expect(
      only('import "./a.dlg"\n', { 'a.dlg': 'import "./b.dlg"\n', 'b.dlg': 'import "./a.dlg"\n' })
        .code,
    ).toBe('E0205');
  });

  test('report their own mistakes once, whoever imports them', () => {
    const files = {
      'a.dlg': 'import "./c.dlg"\n',
      'b.dlg': 'import "./c.dlg"\n',
      'c.dlg': 'fn f(x: [n]) -> [n] = y\n',
    };
    expect(
      diagnose('import "./a.dlg"\nimport "./b.dlg"\n', files).map((d) => d.span?.source.path),
    ).toEqual(['c.dlg']);
  });

  test('may define a name that an import brings: their own wins', () => {
    accepted(
      'import "std/activations"\nfn relu(x: [n]) -> [n] = 2 * x\nfn f(x: [3]) -> [3] = relu(x)\n',
    );
  });
});

describe('entry points', () => {
  test('take and give tensors of known rank', () => {
    accepted(
      'export fn f(x: [B, T, 3], y: fin(10)[B]) -> (a: [B, 3], b: [T]) {\n  a[b, i] = mean[t] x[b, t, i]\n  b[t] = mean[c, i] x[c, t, i]\n}\n',
    );
    expect(only('export fn f(x: [..B]) -> [..B] = x\n').code).toBe('E0412');
    expect(only('export fn f(g: ([3]) -> [3], x: [3]) -> [3] = g(x)\n').code).toBe('E0412');
  });
});

const training = (steps: string): string => `import "std/nn"
import "std/optim"
layer net = MLP(2, 4, 1)
layer other = MLP(2, 4, 1)
train t(x: [B, 2]) {
${steps}
}
`;

describe('train blocks', () => {
  test('minimize one number over layers, by an optimizer', () => {
    const good = 'minimize mean(net(x)^2) over net using Adam(1e-3)';
    expect(accepted(training(good)).trains[0].steps.map((s) => s.kind)).toEqual(['optimize']);
    accepted(
      training('minimize mean(net(x)^2) over net.l1, net.l2 using SGD(0.1, momentum = 0.9)'),
    );
    expect(only(training('minimize net(x) over net using Adam(1e-3)')).code).toBe('E0401');
    expect(only(training('minimize mean(net(x)) over x using Adam(1e-3)')).code).toBe('E0402');
    expect(only(training('minimize mean(net(x)) over net using MLP(1, 2, 3)')).code).toBe('E0409');
    expect(only(training('minimize mean(net(x)) over net using Adam()')).code).toBe('E0126');
  });

  test('have their own layers', () => {
    accepted(
      training('layer head = Dense(1, 1)\nminimize mean(head(net(x))) over head using SGD(0.1)'),
    );
  });

  test('need a loss that depends on what learns', () => {
    expect(only(training('minimize mean(net(x)) over other using SGD(0.1)')).code).toBe('E0403');
    expect(only(training('minimize mean(net(x)) over net, other using SGD(0.1)')).code).toBe(
      'E0403',
    );
    expect(only(training('minimize mean(round(net(x))) over net using SGD(0.1)')).code).toBe(
      'E0410',
    );
    expect(only(training('minimize mean(ind(net(x) > 0)) over net using SGD(0.1)')).code).toBe(
      'E0410',
    );
    expect(
      only(training('minimize mean(net(x) + floor(net(x))) over net using SGD(0.1)')).code,
    ).toBe('E0411');
    expect(only(training('minimize mean(stop(net(x))) over net using SGD(0.1)')).code).toBe(
      'E0410',
    );
    accepted(training('minimize mean(stop(net(x)) * net(x)) over net using SGD(0.1)'));
    accepted(training('y = net(x)\nminimize mean(if y > 0 then y else 0) over net using SGD(0.1)'));
  });

  test('notice stale values', () => {
    const step = 'minimize mean(y^2) over net using SGD(0.1)';
    expect(only(training(`y = net(x)\n${step}\n${step}`)).code).toBe('E0404');
    expect(
      only(training(`y = net(x)\nz = 2 * y\n${step}\nminimize mean(z) over net using SGD(0.1)`))
        .code,
    ).toBe('E0404');
    accepted(training(`y = net(x)\n${step}\nreport m = mean(y)`));
    accepted(
      training(`y = net(x)\n${step}\nminimize mean(stop(y) * net(x)) over net using SGD(0.1)`),
    );
    accepted(
      training(`y = net(x)\nz = other(x)\n${step}\nminimize mean(z) over other using SGD(0.1)`),
    );
  });

  test('report numbers, each by its name', () => {
    expect(only(training('report m = net(x)')).code).toBe('E0422');
    expect(only(training('report m = mean(x)\nreport m = sum(x)')).code).toBe('E0421');
  });
});

describe('optimizers', () => {
  test('have one form', () => {
    accepted(
      'optimizer Plain(lr: real) {\n  fn (w: [..S], g: [..S], step: int) -> [..S] = w - lr * g\n}\n',
    );
    accepted(
      'optimizer M(lr: real) {\n  state m = 0\n  fn (w: [..S], g: [..S], step: int) -> [..S] {\n    m <- 0.9 * m + g\n    return w - lr * m\n  }\n}\n',
    );
    expect(only('optimizer Bad(lr: real) {\n  fn (w: [..S]) -> [..S] = w\n}\n').code).toBe('E0415');
    expect(
      only('optimizer Bad(lr: real) {\n  fn (w: [..S], g: [..T], step: int) -> [..S] = w\n}\n')
        .code,
    ).toBe('E0415');
  });
});
