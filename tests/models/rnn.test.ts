// Recurrent networks (stdlib/rnn.dlg): the recurrences as the notes write them, BPTT against the notes' sum of products and against
// differences.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { opsOf, program, run, seeded, wavy } from '../elaborate/compile-text.ts';
import { everywhere } from './executors.ts';

const [B, T, N, H] = [2, 5, 3, 4];

const text = (model: string): string => `import "std/rnn"
layer net = ${model}(${N}, ${H})
export fn f(x: [B, T, ${N}]) -> (y: [B, T, ${H}], L: real, g: [B, T, ${N}]) {
  y = net(x)
  L = sum(y * y * y)
  g = grad(L, x)
}
train t(x: [B, T, ${N}]) {
  y = net(x)
  minimize sum(y * y * y) over net using SGDOne()
}
optimizer SGDOne() {
  fn (w: [..S], g: [..S], step: int) -> [..S] = w - g
}`;

const parameters: Record<string, Record<string, Tensor>> = {
  Elman: {
    'net.W': wavy([H, N], 0.2),
    'net.U': wavy([H, H], 0.9),
    'net.d': wavy([H], 0.4),
  },
  LSTM: {
    'net.W': wavy([4, H, N], 0.2),
    'net.U': wavy([4, H, H], 0.9),
    'net.d': wavy([4, H], 0.4),
  },
};

const at = (t: Tensor, ...index: number[]): number => {
  let offset = 0;
  t.shape.forEach((size, axis) => (offset = offset * size + index[axis]));
  return t.data[offset];
};

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** The states of row b, step by step, with what an affine map of gate k gives. */
function recurrence(model: string, x: Tensor, p: Record<string, Tensor>, b: number): number[][] {
  const gate = (k: number[], t: number, s: number[], j: number): number =>
    at(p['net.d'], ...k, j) +
    range(N).reduce((sum, i) => sum + at(p['net.W'], ...k, j, i) * at(x, b, t, i), 0) +
    range(H).reduce((sum, l) => sum + at(p['net.U'], ...k, j, l) * s[l], 0);
  let [s, c] = [range(H).map(() => 0), range(H).map(() => 0)];
  return range(T).map((t) => {
    if (model === 'Elman') s = range(H).map((j) => Math.tanh(gate([], t, s, j)));
    else {
      const [f, i, o, g] = range(4).map((k) => range(H).map((j) => gate([k], t, s, j)));
      c = c.map((old, j) => sigmoid(f[j]) * old + sigmoid(i[j]) * Math.tanh(g[j]));
      s = c.map((value, j) => sigmoid(o[j]) * Math.tanh(value));
    }
    return s;
  });
}

describe.each(['Elman', 'LSTM'])('%s', (model) => {
  const compiled = program(text(model));
  const feeds = { x: wavy([B, T, N]), ...parameters[model] };

  it.each(everywhere)('follows its equations on $name', async (executor) => {
    const { y } = await executor.run(compiled.functions[0].graph, feeds);
    for (const b of range(B))
      recurrence(model, feeds.x, parameters[model], b).forEach((s, t) =>
        s.forEach((value, j) =>
          expect(at(y, b, t, j)).toBeCloseTo(value, executor.tolerance < 1e-8 ? 10 : 5),
        ),
      );
  });

  it('has the gradients that differences have, by what it reads and by its parameters', () => {
    const { graph } = compiled.functions[0];
    const loss = (name: string, i: number, by: number): number => {
      const given = feeds[name as keyof typeof feeds];
      const data = given.data.slice();
      data[i] += by;
      return run(graph, { ...feeds, [name]: { ...given, data } })['L'].data[0];
    };
    const gradients: Record<string, Tensor> = { x: run(graph, feeds)['g'] };
    const step = run(compiled.trains[0].step, { ...feeds, step: tensor('i32', [], [0]) });
    for (const [name, before] of Object.entries(parameters[model]))
      gradients[name] = {
        ...before,
        data: before.data.map((v, i) => v - step[`${name}.next`].data[i]),
      };
    for (const [name, gradient] of Object.entries(gradients))
      Array.from(gradient.data).forEach((value, i) => {
        const slope = (loss(name, i, 1e-5) - loss(name, i, -1e-5)) / 2e-5;
        expect(value, `${name}[${i}]`).toBeCloseTo(slope, 6);
      });
  });

  it('is a graph that does not grow with the sequence', () => {
    const fixed = (steps: number): number =>
      opsOf(
        program(
          text(model)
            .replaceAll(`T, ${N}]`, `${steps}, ${N}]`)
            .replaceAll(`T, ${H}]`, `${steps}, ${H}]`),
        ).trains[0].step,
      ).length;
    expect(fixed(1000)).toBe(fixed(7));
  });
});

it('BPTT is the sum over k of products of diag(1 - h_i^2) W_h', () => {
  // The notes: d l_t / d W_h = sum over k <= t of d l_t/d h_t (prod over k < i <= t of diag(1 - h_i^2) W_h) d+ h_k/d W_h.
  const p = parameters['Elman'];
  const x = wavy([1, T, N]);
  const { graph } = program(`import "std/rnn"
layer net = Elman(${N}, ${H})
train t(x: [1, T, ${N}]) {
  y = net(x)
  minimize sum(last(y)) over net using SGDOne()
}
optimizer SGDOne() {
  fn (w: [..S], g: [..S], step: int) -> [..S] = w - g
}`).trains.map(({ step }) => ({ graph: step }))[0];
  const after = run(graph, { x, ...p, step: tensor('i32', [], [0]) })['net.U.next'];
  const h = recurrence('Elman', x, p, 0);
  const expected = range(H).map(() => range(H).map(() => 0));
  for (const k of range(T)) {
    // Row vector d l / d h_t times the product, from the last step back to k.
    let row = range(H).map(() => 1);
    for (let i = T - 1; i > k; i--)
      row = range(H).map((j) =>
        range(H).reduce((sum, m) => sum + row[m] * (1 - h[i][m] ** 2) * at(p['net.U'], m, j), 0),
      );
    const before = k === 0 ? range(H).map(() => 0) : h[k - 1];
    for (const a of range(H))
      for (const b of range(H)) expected[a][b] += row[a] * (1 - h[k][a] ** 2) * before[b];
  }
  for (const a of range(H))
    for (const b of range(H))
      expect(at(p['net.U'], a, b) - at(after, a, b)).toBeCloseTo(expected[a][b], 10);
});

it('a leaky unit keeps a share of its state', () => {
  const { y } = run(
    program(`import "std/rnn"
layer net = Leaky(${N}, ${H}, 0.7)
layer plain = Elman(${N}, ${H})
export fn f(x: [B, T, ${N}]) -> y: [B, T, ${H}] = net(x)`).functions[0].graph,
    {
      x: wavy([1, 1, N]),
      'net.unit.W': parameters['Elman']['net.W'],
      'net.unit.U': parameters['Elman']['net.U'],
      'net.unit.d': parameters['Elman']['net.d'],
    },
  );
  recurrence('Elman', { ...wavy([1, 1, N]), shape: [1, T, N] }, parameters['Elman'], 0)[0].forEach(
    (value, j) => expect(at(y, 0, 0, j)).toBeCloseTo(0.3 * value, 10),
  );
});

it('begins with orthogonal state matrices and open forget gates', () => {
  const init = run(program(text('LSTM')).init, seeded(5));
  const U = init['net.U'];
  for (const k of range(4))
    for (const i of range(H))
      for (const j of range(H)) {
        const dot = range(H).reduce((sum, l) => sum + at(U, k, i, l) * at(U, k, j, l), 0);
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 5);
      }
  expect(at(U, 0, 0, 0)).not.toBeCloseTo(at(U, 1, 0, 0), 3);
  expect([...init['net.d'].data]).toEqual(range(4 * H).map((i) => (i < H ? 1 : 0)));
});
