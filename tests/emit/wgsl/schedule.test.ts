// Which kernels programs become: what must be one kernel is one, and a training step moves little more than it must. The listings of two
// steps, transformer-step.txt and cnn-step.txt, are to be read when they change: `npx vitest run -u` accepts them.

import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { kernelTables } from '../../../cli/kernel-table.ts';
import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import { explain, type Explanation } from '../../../compiler/emit/wgsl/explain.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { compiled, compiledWithLibrary, functionOf, trainOf } from '../../models/compile.ts';

const explained = (graph: Graph, B = 16): Explanation =>
  explain(emitWgsl(graph), new Map([['B', B]]));

const modelStep = (name: string, B: number): Explanation => {
  const path = `bench/models/${name}.dlg`;
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  return explained(trainOf(compiled(text, path)).step, B);
};

/** How products are computed is not the scheduler's business. */
const listing = (cost: Explanation): string =>
  `${kernelTables([{ ...cost, kernels: cost.kernels.map((kernel) => ({ ...kernel, variant: null })) }])}\n`;

const kernelsOf = (text: string): string[] =>
  explained(functionOf(compiled(text), 'f').graph).kernels.map(
    ({ name, kind }) => `${kind} ${name}`,
  );

describe('one kernel', () => {
  const rows: Readonly<Record<string, string>> = {
    softmax: `y[i, j] = softmax[j] x[i, j]`,
    'log-softmax': `y[i, j] = logsoftmax[j] x[i, j]`,
    'layer norm': `mu[i] = mean[j] x[i, j]
  var[i] = mean[j] (x[i, j] - mu[i])^2
  y[i, j] = (x[i, j] - mu[i]) / sqrt(var[i] + 1e-5)`,
    'a masked softmax, as of causal attention': `y[i, j] = softmax[j] (if j <= i then x[i, j] / 8 else -1e9)`,
  };
  const signature = '(x: [128, 96]) -> y: [128, 96]';

  it.each(Object.entries(rows))('%s', (_, body) => {
    const names = kernelsOf(`export fn f${signature} {\n  ${body}\n}`);
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^rows/);
  });

  it.each(Object.entries(rows))('the gradient of %s', (_, body) => {
    const names = kernelsOf(`fn of${signature} {\n  ${body}\n}
export fn f(x: [128, 96], u: [128, 96]) -> g: [128, 96] = grad(sum(of(x) * u), x)`);
    expect(names).toHaveLength(1);
    expect(names[0]).toMatch(/^rows/);
  });

  it('softmax in attention, and its gradient: nothing else between the products', () => {
    const heads = '[4, 64, 32]';
    const names = kernelsOf(`fn attend(q: ${heads}, k: ${heads}, v: ${heads}) -> y: ${heads} {
  a[h, t, s] = softmax[s] (sum[c] q[h, t, c] * k[h, s, c] / sqrt(32))
  y[h, t, c] = sum[s] a[h, t, s] * v[h, s, c]
}
export fn f(q: ${heads}, k: ${heads}, v: ${heads}, u: ${heads}) -> (dq: ${heads}, dk: ${heads}, dv: ${heads}) {
  e = sum(attend(q, k, v) * u)
  dq = grad(e, q)
  dk = grad(e, k)
  dv = grad(e, v)
}`);
    expect(names.filter((name) => name.startsWith('map'))).toEqual([]);
    expect(names.filter((name) => name.startsWith('rows')).length).toBeLessThanOrEqual(2);
  });
});

describe('an optimiser', () => {
  const step = (optimizer: string): Explanation =>
    explained(
      trainOf(
        compiledWithLibrary(`layer net = MLP(30, 40, 20)
train step(x: [B, 30], y: [B, 20]) { minimize mse(net(x), y) over net using ${optimizer} }`),
      ).step,
    );

  it.each(['SGD(0.1, momentum = 0.9)', 'Adam(1e-3)', 'AdamW(1e-3)', 'RMSProp(1e-3)'])(
    '%s: no kernel of its own',
    (of) => {
      // The sums of a bias lie beside the product of its weights; with Adam there is no room for its update too.
      const parameters = step(of).kernels.filter(
        ({ kind, domain }) => kind === 'map' && domain.length > 1,
      );
      expect(parameters.map(({ name }) => name)).toEqual([]);
    },
  );
});

describe('a training step', () => {
  it('of a transformer block', async () => {
    const cost = modelStep('transformer', 16);
    expect(cost.ratio).toBeLessThan(1.28);
    expect(cost.kernels.length).toBeLessThanOrEqual(33);
    await expect(listing(cost)).toMatchFileSnapshot('transformer-step.txt');
  });

  it('of a convolutional network', async () => {
    const cost = modelStep('cnn', 64);
    expect(cost.ratio).toBeLessThan(1);
    expect(cost.kernels.length).toBeLessThanOrEqual(20);
    await expect(listing(cost)).toMatchFileSnapshot('cnn-step.txt');
  });
});
