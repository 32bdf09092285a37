// Whole programs: the graphs they become, and a training step against finite differences and the optimiser's formula.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { printGraph } from '../../compiler/ir/print.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { compileText, opsOf, program, run, seeded, wavy, whole } from './compile-text.ts';

const example = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../examples/${path}`, import.meta.url)), 'utf8');

describe('graphs', () => {
  it('a dense layer is one contraction and one addition', () => {
    const { functions } = program(`
      import "std/nn"
      layer net = Dense(3, 5)
      export fn f(x: [B, 3]) -> y: [B, 5] = net(x)
    `);
    expect(printGraph(functions[0].graph)).toMatchInlineSnapshot(`
      "graph f {
        input x: f32[B, 3]                                                     # data
        input net.W: f32[5, 3]                                                 # parameter
        input net.b: f32[5]                                                    # parameter
        %0: f32[B, 5] = dot_general(x, net.W) contracting 1x1                  # net
        %1: f32[B, 5] = broadcast_in_dim(net.b) to axes 1                      # net
        %2: f32[B, 5] = add(%0, %1)                                            # net
        output y = %2                                                          # result
      }
      "
    `);
  });

  it('a convolution layer is a convolution, its zeros included', () => {
    const { functions } = program(`
      import "std/cnn"
      layer net = Conv2d(4, 6, 3, stride = 2, padding = 1, groups = 2)
      export fn f(x: [B, 4, 9, 8]) -> y: [B, 6, 5, 4] = net(x)
    `);
    const ops = opsOf(functions[0].graph);
    expect(ops.filter((op) => op === 'convolution')).toHaveLength(1);
    expect(ops).not.toContain('pad');
    expect(ops).not.toContain('unfold');
    expect(ops).not.toContain('transpose');
  });

  it('a transposed convolution dilates inside the convolution', () => {
    const { functions } = program(`
      import "std/cnn"
      layer net = ConvTranspose2d(2, 3, 3, stride = 2, padding = 1)
      export fn f(x: [B, 2, 5, 4]) -> y: [B, 3, 9, 7] = net(x)
    `);
    const ops = opsOf(functions[0].graph);
    expect(ops).toContain('convolution');
    expect(ops).not.toContain('pad');
  });

  it('a transformer block is contractions, softmax, normalisation and maps', () => {
    const { functions } = program(`
      import "std/transformer"
      layer net = TransformerBlock(8, 2, 16)
      export fn f(x: [B, 6, 8]) -> y: [B, 6, 8] = net(x)
    `);
    const ops = opsOf(functions[0].graph);
    expect(ops.filter((op) => op === 'dot_general')).toHaveLength(8);
    expect(ops.filter((op) => op === 'softmax')).toHaveLength(1);
    expect(ops.filter((op) => op === 'standardize')).toHaveLength(2);
    expect(ops.filter((op) => op === 'reduce')).toHaveLength(0);
  });

  it('a layer used twice has one set of parameters', () => {
    const { functions } = program(`
      import "std/nn"
      layer net = Dense(3, 3)
      export fn f(x: [B, 3]) -> y: [B, 3] = net(net(x))
    `);
    const names = functions[0].graph.inputs.map(({ name }) => name);
    expect(names).toEqual(['x', 'net.W', 'net.b']);
  });

  it('build grows by the same for every layer', () => {
    const nodes = (layers: number): number => {
      const names = Array.from({ length: layers }, (_, i) => `l${i}`);
      const { trains } = program(`
        import "std/nn"
        import "std/losses"
        import "std/optim"
        model Deep() {
          ${names.map((name) => `layer ${name} = Dense(4, 4)`).join('\n')}
          fn (x: [B, 4]) -> y: [B, 4] = x ${names.map((name) => `|> ${name} |> tanh`).join(' ')}
        }
        layer net = Deep()
        train t(x: [B, 4], y: [B, 4]) {
          minimize mse(net(x), y) over net using SGD(0.1)
        }
      `);
      return trains[0].step.nodes.length;
    };
    const [a, b, c] = [4, 8, 12].map(nodes);
    expect(b - a).toBe(c - b);
  });

  for (const path of ['xor/xor.dlg', 'digits-mlp/digits-mlp.dlg', 'digits-cnn/digits.dlg'])
    it(`${path} compiles`, () => {
      const { program: compiled, diagnostics } = compileText(example(path), path);
      expect(diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
      expect(compiled?.trains).toHaveLength(1);
    });
});

/** Parameters and everything else that is fed back, by path. */
const first = (init: Parameters<typeof run>[0]): Record<string, Tensor> => run(init, seeded(7));

const asDouble = (t: Tensor): Tensor =>
  t.dtype === 'f32' ? { ...t, data: Float64Array.from(t.data) } : t;

describe('training steps', () => {
  const text = `
    import "std/nn"
    import "std/losses"
    import "std/optim"
    layer net = MLP(3, 4, 3, tanh)
    train t(x: [B, 3], y: fin(3)[B]) {
      minimize mean(cross_entropy(net(x), y)) over net using SGD(0.5)
    }
  `;
  const data = { x: wavy([5, 3]), y: whole([5], [0, 2, 1, 1, 0]) };

  it('SGD steps along finite differences of the loss', () => {
    const [{ step, init, evaluate }] = program(text).trains;
    const values = first(init);
    const parameters = step.inputs.filter(({ role }) => role === 'parameter');
    expect(parameters.map(({ name }) => name).toSorted()).toEqual([
      'net.l1.W',
      'net.l1.b',
      'net.l2.W',
      'net.l2.b',
    ]);
    const after = run(step, { ...data, ...values });
    const lossAt = (changed: Record<string, Tensor>): number =>
      run(evaluate, { ...data, ...values, ...changed }).loss.data[0];
    expect(after.loss.data[0]).toBeCloseTo(lossAt({}), 12);
    for (const { name } of parameters) {
      const w = asDouble(values[name]);
      for (let i = 0; i < w.data.length; i++) {
        const moved = (by: number): number => {
          const data = Float64Array.from(w.data);
          data[i] += by;
          return lossAt({ [name]: { ...w, data } });
        };
        const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        expect(after[`${name}.next`].data[i]).toBeCloseTo(w.data[i] - 0.5 * slope, 8);
      }
    }
    expect(after['step.next'].data[0]).toBe(1);
  });

  it('Adam keeps its moments and counts its steps', () => {
    const [{ step, init }] = program(text.replace('SGD(0.5)', 'Adam(0.01)')).trains;
    let values: Record<string, Tensor> = first(init);
    const roles = new Map(step.inputs.map(({ name, role }) => [name, role]));
    expect(roles.get('net.l1.W.adam.m')).toBe('optimizer');
    expect(roles.get('step')).toBe('counter');
    const w0 = values['net.l2.b'].data[0];
    const gradients: number[] = [];
    const seen: number[] = [];
    for (let n = 0; n < 3; n++) {
      const m0 = values['net.l2.b.adam.m'].data[0];
      const after = run(step, { ...data, ...values });
      values = Object.fromEntries(
        [...roles.keys()]
          .filter((name) => !(name in data))
          .map((name) => [name, after[`${name}.next`]]),
      );
      gradients.push(values['net.l2.b.adam.m'].data[0] - 0.9 * m0);
      seen.push(values['net.l2.b'].data[0]);
    }
    let [w, m, v] = [w0, 0, 0];
    gradients.forEach((g, n) => {
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g * g;
      const [mHat, vHat] = [m / (1 - 0.9 ** (n + 1)), v / (1 - 0.999 ** (n + 1))];
      w -= (0.01 * mHat) / (Math.sqrt(vHat) + 1e-8);
      expect(seen[n]).toBeCloseTo(w, 9);
    });
  });

  it('maximize climbs, blocks with two objectives number their losses', () => {
    const [{ step, init }] = program(`
      import "std/nn"
      import "std/optim"
      layer a = Dense(2, 1)
      layer b = Dense(2, 1)
      train t(x: [B, 2]) {
        maximize mean(a(x)) over a using SGD(1)
        minimize mean(a(x)) + mean(b(x)^2) over b using SGD(0.1)
        report size = sum(b(x)^2)
      }
    `).trains;
    expect(step.outputs.filter(({ role }) => role === 'loss').map(({ name }) => name)).toEqual([
      'loss1',
      'loss2',
    ]);
    const values = first(init);
    const x = wavy([3, 2]);
    const after = run(step, { x, ...values });
    expect(after['a.b.next'].data[0]).toBeCloseTo(values['a.b'].data[0] + 1, 12);
    // The second objective sees the first model as it is after its step.
    const later = run(step, { x, ...values, 'a.b': after['a.b.next'], 'a.W': after['a.W.next'] });
    expect(later.loss1.data[0]).toBeGreaterThan(after.loss1.data[0]);
  });

  it('running statistics move with every training step and are used by the evaluation', () => {
    const [{ step, init, evaluate }] = program(`
      import "std/nn"
      import "std/optim"
      layer norm = BatchNorm(2)
      train t(x: [B, 2]) {
        minimize mean((norm(x) - 1)^2) over norm using SGD(0.1)
      }
    `).trains;
    const x = wavy([4, 2]);
    const values = first(init);
    const after = run(step, { x, ...values });
    const column = (c: number): number[] => [0, 1, 2, 3].map((n) => x.data[2 * n + c]);
    for (const c of [0, 1]) {
      const mean = column(c).reduce((s, v) => s + v, 0) / 4;
      const variance = column(c).reduce((s, v) => s + (v - mean) ** 2, 0) / 4;
      expect(after['norm.mu.next'].data[c]).toBeCloseTo(0.1 * mean, 7);
      expect(after['norm.var.next'].data[c]).toBeCloseTo(0.9 + (0.1 * variance * 4) / 3, 7);
    }
    // gamma = 1, beta = 0, mu = 0, var = 1 at first.
    const expected =
      Array.from(x.data).reduce((s, v) => s + (v / Math.sqrt(1 + 1e-5) - 1) ** 2, 0) / 8;
    expect(run(evaluate, { x, ...values }).loss.data[0]).toBeCloseTo(expected, 7);
    expect(evaluate.inputs.map(({ name }) => name).toSorted()).toEqual([
      'norm.beta',
      'norm.gamma',
      'norm.mu',
      'norm.var',
      'x',
    ]);
  });

  it('a parameter is drawn alike by every init graph', () => {
    const compiled = program(text);
    const [own, all] = [first(compiled.trains[0].init), first(compiled.init)];
    for (const name of ['net.l1.W', 'net.l2.W']) expect(own[name].data).toEqual(all[name].data);
    const spread = Math.sqrt(Array.from(all['net.l1.W'].data).reduce((s, v) => s + v * v, 0) / 12);
    expect(spread).toBeGreaterThan(0.3);
    expect(spread).toBeLessThan(1.5);
  });
});
