// Parameters as values: arithmetic, layers run with other parameters, gradients through both, states that hold parameters.
// Against closed forms and float64 differences.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { descend } from '../models/descend.ts';
import { executors, interpreter } from '../models/executors.ts';
import { program, run, seeded, wavy } from './compile-text.ts';
import { close, vector } from './numbers.ts';

type Tensors = Readonly<Record<string, Tensor>>;

const numbers = ({ data }: Tensor): number[] => Array.from(data);

/** The results of the only export fn in float64, parameters as the seed draws them. */
function evaluated(text: string, feeds: Tensors, seed = 1) {
  const { functions, init } = program(text);
  const all: Tensors = { ...run(init, seeded(seed)), ...feeds };
  return { results: run(functions[0].graph, all), all, graph: functions[0].graph };
}

/** Central differences of `result` by the elements of the parameters whose paths begin so, in the graph's order. */
function differences(
  { graph, all }: Pick<ReturnType<typeof evaluated>, 'graph' | 'all'>,
  prefix: string,
  result: string,
): number[] {
  const step = 1e-5;
  const paths = graph.inputs.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  const at = (path: string, i: number, by: number): number => {
    const data = all[path].data.slice();
    data[i] += by;
    return run(graph, { ...all, [path]: { ...all[path], data } })[result].data[0];
  };
  return paths.flatMap((path) =>
    numbers(all[path]).map((_, i) => (at(path, i, step) - at(path, i, -step)) / (2 * step)),
  );
}

const net = `import "std/nn"
layer net = MLP(2, 3, 1, tanh)
layer other = MLP(2, 3, 1, tanh)
`;
const x = wavy([4, 2]);
const y = wavy([4, 1], 2);

describe('arithmetic', () => {
  it('is that of one long vector', () => {
    const text = `${net}export fn f(c: real) -> (s: real, n: real, d: real, e: real) {
      w = params(net)
      v = params(other)
      s = sum(w - c * v / 2)
      n = norm(-w)
      d = sum(w * v)
      e = sum(sqrt(w * w + 1) + max(v, 0))
    }`;
    const { results, all } = evaluated(text, { c: tensor('f32', [], [3]) });
    const flat = (layer: string): number[] =>
      ['l1.W', 'l1.b', 'l2.W', 'l2.b'].flatMap((path) => numbers(all[`${layer}.${path}`]));
    const [w, v] = [flat('net'), flat('other')];
    const sum = (f: (a: number, b: number) => number): number[] => [
      w.reduce((total, a, i) => total + f(a, v[i]), 0),
    ];
    close(
      results.s,
      sum((a, b) => a - (3 * b) / 2),
    );
    close(results.n, [Math.hypot(...w)]);
    close(
      results.d,
      sum((a, b) => a * b),
    );
    close(
      results.e,
      sum((a, b) => Math.sqrt(a * a + 1) + Math.max(b, 0)),
    );
  });

  it('applies a function of any shape to each tensor, numbers shared', () => {
    const text = `${net}fn step(w: [..S], g: [..S], lr: real) -> [..S] = w - lr * g / (norm(g) + 1)
    export fn f(c: real) -> (a: real, b: real) {
      w = step(params(net), params(other), c)
      a = sum(w)
      k = if c > 1 then w else 2 * w
      b = norm(k)
    }`;
    const { results, all } = evaluated(text, { c: tensor('f32', [], [0.5]) });
    const moved = ['l1.W', 'l1.b', 'l2.W', 'l2.b'].flatMap((path) => {
      const g = numbers(all[`other.${path}`]);
      const length = Math.hypot(...g);
      return numbers(all[`net.${path}`]).map((a, i) => a - (0.5 * g[i]) / (length + 1));
    });
    close(results.a, [moved.reduce((total, a) => total + a, 0)]);
    close(results.b, [2 * Math.hypot(...moved)]);
  });

  it('draws for each tensor by itself', () => {
    const text = `model Pair(n: dim) {
      param a: [n] = 0
      param b: [n] = 0
      fn (x: [n]) -> [n] = a - b + x
    }
    layer pair = Pair(4)
    fn shaken(w: [..S]) -> v: [..S] {
      e: [..S] ~ normal(0, 1)
      v = w + e
    }
    export fn f(x: [4]) -> y: [4] = pair(x with shaken(params(pair)))`;
    const { results } = evaluated(text, { x: vector(0, 0, 0, 0), ...seeded(1) });
    expect(numbers(results.y).every((v) => v !== 0)).toBe(true);
  });
});

describe('with other parameters', () => {
  it.each(executors)(
    'a layer is the layer that has them: $name',
    async ({ run: execute, tolerance }) => {
      const text = `${net}export fn f(x: [B, 2]) -> (a: [B, 1], b: [B, 1], c: [B, 3]) {
      a = net(x with params(other))
      b = other(x)
      c = net.l1(x with params(other.l1)) - other.l1(x)
    }`;
      const { functions, init } = program(text);
      const { a, b, c } = await execute(functions[0].graph, { ...run(init, seeded(1)), x });
      const digits = -Math.log10(tolerance);
      close(a, b.data, digits);
      close(c, new Array(12).fill(0), digits);
      expect(Math.hypot(...numbers(a))).toBeGreaterThan(0.1);
    },
  );

  it('its methods, arrays of layers, and layers that are tied inside', () => {
    const text = `import "std/nn"
    model Tied(n: dim, f: ([..S, n]) -> [..S, n]) {
      param s: [n] = 1
      fn (x: [..B, n]) -> y: [..B, n] = s * f(x)
    }
    model Deep(n: dim, L: dim) where L >= 2 {
      layer steps[L] = Dense(n, n)
      layer twin = Tied(n, steps[0])
      fn run(x: [B, n]) -> [B, n] = steps[1](tanh(twin(x)))
    }
    layer a = Deep(2, 3)
    layer b = Deep(2, 3)
    export fn f(x: [B, 2]) -> (p: [B, 2], q: [B, 2], r: [B, 2]) {
      p = a.run(x with params(b) + params(b))
      q = b.run(x with 2 * params(b))
      r = b.run(x)
    }`;
    const { results } = evaluated(text, { x });
    close(results.p, results.q.data);
    expect(numbers(results.p)).not.toEqual(numbers(results.r));
  });

  it('reads the layer’s running statistics and leaves them alone', async () => {
    const text = `import "std/nn"
    import "std/optim"
    layer norm1 = BatchNorm(2)
    train t(x: [B, 2]) {
      y = norm1(x with 3 * params(norm1))
      minimize mean((norm1(x) - 1)^2) over norm1 using SGD(0)
      report size = mean(y^2)
    }`;
    const { trains } = program(text);
    const [{ step, init, evaluate }] = trains;
    const start = run(init, seeded(0));
    const { state } = await descend(interpreter, step, start, { x }, 1);
    const plain = program(
      text.replace('      y = norm1(x with 3 * params(norm1))\n', '').replace('y^2', 'x^2'),
    );
    const once = await descend(
      interpreter,
      plain.trains[0].step,
      run(plain.trains[0].init, seeded(0)),
      { x },
      1,
    );
    close(state['norm1.mu'], once.state['norm1.mu'].data);
    const mu = vector(1, -1);
    const variance = vector(4, 9);
    const { size } = run(evaluate, { ...start, 'norm1.mu': mu, 'norm1.var': variance, x });
    const expected = numbers(x).map(
      (v, i) => (3 * (v - mu.data[i % 2])) / Math.sqrt(variance.data[i % 2] + 1e-5),
    );
    close(size, [expected.reduce((sum, v) => sum + v * v, 0) / 8]);
  });
});

describe('gradients', () => {
  const loss = `${net}fn loss(f: ([..S, 2]) -> [..S, 1], w: params(f), x: [B, 2], y: [B, 1]) -> real =
    mean((f(x with w) - y)^2)
  `;

  it('by the parameters of a layer, and by parameters as a variable', () => {
    const text = `${loss}export fn f(x: [B, 2], y: [B, 1]) -> (L: real, a: real, b: real, c: real) {
      L = mean((net(x) - y)^2)
      a = sum(cos(params(other)) * grad(L, params(net)))
      w = params(net)
      M = loss(net, w, x, y)
      b = sum(cos(params(other)) * grad(M, w))
      c = jvp(M, w, cos(params(other)))
    }`;
    const found = evaluated(text, { x, y });
    const gradient = differences(found, 'net.', 'L');
    const weights = ['l1.W', 'l1.b', 'l2.W', 'l2.b'].flatMap((path) =>
      numbers(found.all[`other.${path}`]),
    );
    const expected = [gradient.reduce((sum, g, i) => sum + g * Math.cos(weights[i]), 0)];
    close(found.results.a, expected, 7);
    close(found.results.b, expected, 7);
    close(found.results.c, expected, 7);
  });

  it('through steps of gradient descent on the parameters', () => {
    const inner = `${loss}fn descend(f: ([..S, 2]) -> [..S, 1], w: params(f), x: [B, 2], y: [B, 1]) -> params(f) {
      L = loss(f, w, x, y)
      return w - 0.3 * grad(L, w)
    }
    `;
    const measured = `${inner}export fn f(x: [B, 2], y: [B, 1]) -> L: real {
      v = descend(net, descend(net, params(net), x, y), x, y)
      L = loss(net, v, 2 * x, y)
    }`;
    // The gradient as `minimize` takes it.
    const trained = `import "std/optim"
    ${inner}train meta(x: [B, 2], y: [B, 1]) {
      v = descend(net, descend(net, params(net), x, y), x, y)
      minimize loss(net, v, 2 * x, y) over net using SGD(1)
    }`;
    const found = evaluated(measured, { x, y });
    const gradient = differences(found, 'net.', 'L');
    const { step } = program(trained).trains[0];
    const after = run(step, { ...found.all, step: tensor('i32', [], [0]) });
    const paths = found.graph.inputs
      .map(({ name }) => name)
      .filter((name) => name.startsWith('net.'));
    const moved = paths.flatMap((path) =>
      numbers(found.all[path]).map((before, i) => before - after[`${path}.next`].data[i]),
    );
    expect(gradient.some((g) => Math.abs(g) > 0.1)).toBe(true);
    moved.forEach((g, i) => expect(g, `[${i}]`).toBeCloseTo(gradient[i], 6));
  });

  it('of each element of an index by parameters of its own', () => {
    const text = `${loss}
    fn adapted(x: [2, 2], y: [2, 1]) -> real {
      w = params(net)
      L = loss(net, w, x, y)
      return loss(net, w - 0.2 * grad(L, w), x, y)
    }
    export fn f(x: [T, 2, 2], y: [T, 2, 1]) -> (a: [T], b: real) {
      a[t] = adapted(x[t, :, :], y[t, :, :])
      b = adapted(x[0, :, :], y[0, :, :])
    }`;
    const { results } = evaluated(text, {
      x: tensor('f32', [2, 2, 2], x.data, 'f64'),
      y: tensor('f32', [2, 2, 1], y.data, 'f64'),
    });
    expect(results.a.data[0]).toBeCloseTo(results.b.data[0], 10);
    expect(results.a.data[1]).not.toBeCloseTo(results.a.data[0], 3);
  });
});

describe('a state of parameters', () => {
  it('begins as the layer, follows it as written, and has its paths', async () => {
    const text = `${net}import "std/optim"
    train t(x: [B, 2], y: [B, 1]) {
      state target = params(net)
      d = net(x) - y - 0.1 * net(x with target)
      minimize mean(d^2) over net using SGD(0.1)
      target <- 0.75 * target + 0.25 * params(net)
    }`;
    const { step, init } = program(text).trains[0];
    const start = run(init, seeded(5));
    expect(Object.keys(start).filter((name) => name.startsWith('target.'))).toEqual([
      'target.l1.W',
      'target.l1.b',
      'target.l2.W',
      'target.l2.b',
    ]);
    close(start['target.l1.W'], start['net.l1.W'].data);
    const { state } = await descend(interpreter, step, start, { x, y }, 1);
    close(
      state['target.l1.W'],
      numbers(start['net.l1.W']).map((w, i) => 0.75 * w + 0.25 * state['net.l1.W'].data[i]),
    );
    expect(numbers(state['net.l1.W'])).not.toEqual(numbers(start['net.l1.W']));
  });
});
