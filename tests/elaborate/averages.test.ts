// `track`: a moving average of a layer, step by step against its recurrence, and where it is stored.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { descend } from '../models/descend.ts';
import { interpreter } from '../models/executors.ts';
import { program, run, seeded, wavy } from './compile-text.ts';

const text = `import "std/nn"
import "std/optim"
model Net() {
  layer l = Dense(2, 3)
  layer n = BatchNorm(3)
  fn (x: [B, 2]) -> [B, 3] = n(l(x))
}
layer net = Net()
train fit(x: [B, 2]) {
  minimize mean((net(x) - 1)^2) over net using SGD(0.1)
  track slow = ema(net, 0.75)
  track head = ema(net.l, 1 - 1 / step)
  every 2 { track rare = ema(net.l, 0.5) }
}
export fn f(x: [B, 2]) -> (y: [B, 3], z: [B, 3]) {
  y = slow(x)
  z = net(x)
}
`;
const x = wavy([5, 2]);
const data = (values: Readonly<Record<string, Tensor>>, name: string): number[] =>
  Array.from(values[name].data);

describe('a moving average', () => {
  const { trains, functions, init } = program(text);
  const [{ step, init: first, evaluate }] = trains;

  it('begins with the first values of the layer, in all graphs of the program', () => {
    for (const graph of [first, init]) {
      const start = run(graph, seeded(3));
      for (const path of ['l.W', 'l.b', 'n.gamma', 'n.mu', 'n.var'])
        expect(data(start, `slow.${path}`)).toEqual(data(start, `net.${path}`));
      expect(data(start, 'head.W')).toEqual(data(start, 'net.l.W'));
      expect(data(start, 'net.l.W').every((w) => w !== 0)).toBe(true);
    }
    const start = run(init, seeded(3));
    const { y, z } = run(functions[0].graph, { ...start, x });
    expect(y.data).toEqual(z.data);
  });

  it('moves with each step, in its place among the steps', async () => {
    let state: Readonly<Record<string, Tensor>> = run(first, seeded(3));
    let slow = data(state, 'slow.l.W');
    let rare = data(state, 'rare.W');
    const seen: number[][] = [];
    for (let t = 1; t <= 4; t++) {
      ({ state } = await descend(interpreter, step, state, { x }, 1));
      const now = data(state, 'net.l.W');
      seen.push(now);
      slow = slow.map((w, i) => 0.75 * w + 0.25 * now[i]);
      if (t % 2 === 0) rare = rare.map((w, i) => (w + now[i]) / 2);
      const mean = now.map((_, i) => seen.reduce((sum, w) => sum + w[i], 0) / t);
      data(state, 'slow.l.W').forEach((w, i) => expect(w).toBeCloseTo(slow[i], 12));
      data(state, 'rare.W').forEach((w, i) => expect(w).toBeCloseTo(rare[i], 12));
      data(state, 'head.W').forEach((w, i) => expect(w).toBeCloseTo(mean[i], 12));
    }
    expect(data(state, 'slow.n.mu')).toEqual(data(state, 'net.n.mu'));
    expect(data(state, 'slow.n.var')).toEqual(data(state, 'net.n.var'));
    expect(seen[3]).not.toEqual(seen[0]);
  });

  it('is fed back under its paths, and is not measured by what only evaluates', () => {
    const paths = step.inputs.filter(({ role }) => role === 'parameter').map(({ name }) => name);
    expect(paths.filter((name) => name.startsWith('slow'))).toEqual([
      'slow.l.W',
      'slow.l.b',
      'slow.n.gamma',
      'slow.n.beta',
    ]);
    expect(step.outputs.map(({ name }) => name)).toContain('slow.n.mu.next');
    expect(
      evaluate.inputs.map(({ name }) => name).filter((name) => /slow|head/.test(name)),
    ).toEqual([]);
    const inputs = functions[0].graph.inputs.map(({ name }) => name);
    expect(inputs).toContain('slow.l.W');
    expect(inputs).toContain('slow.n.mu');
  });

  it('of a layer that another of the model is tied to: the copy inside is the average', async () => {
    const tied = `import "std/optim"
    model Table(n: dim) {
      param E: [n, n] ~ normal(0, 1)
      fn (x: [n]) -> [n] = E @ x
    }
    model Back(n: dim, f: ([n]) -> [n]) {
      param b: [n] = 0
      fn (x: [n]) -> [n] = f(x) + b
    }
    model Both(n: dim) {
      layer a = Table(n)
      layer b = Back(n, a)
      fn (x: [n]) -> [n] = b(a(x))
    }
    layer net = Both(2)
    train t(x: [2]) {
      minimize sum((net(x) - 1)^2) over net using SGD(0.05)
      track slow = ema(net, 0.5)
    }
    export fn f(x: [2]) -> y: [2] = slow(x)`;
    const compiled = program(tied);
    const [{ step: one, init: start }] = compiled.trains;
    const feeds = { x: tensor('f32', [2], [1, 2], 'f64') };
    const { state } = await descend(interpreter, one, run(start, seeded(1)), feeds, 2);
    const E = data(state, 'slow.a.E');
    const times = (v: readonly number[]): number[] => [
      E[0] * v[0] + E[1] * v[1],
      E[2] * v[0] + E[3] * v[1],
    ];
    const expected = times(times([1, 2])).map((v, i) => v + state['slow.b.b'].data[i]);
    const { y } = run(compiled.functions[0].graph, { ...state, ...feeds });
    expected.forEach((v, i) => expect(y.data[i]).toBeCloseTo(v, 12));
  });
});
