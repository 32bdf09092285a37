// Autoencoders: the linear one against the principal components of its data, the other where no linear one can follow.

import { describe, expect, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { randomTensor } from './arithmetic.ts';
import { compiledWithLibrary, trainOf } from './compile.ts';
import { interpreter } from './executors.ts';

type Tensors = Readonly<Record<string, Tensor>>;
type Matrix = readonly (readonly number[])[];

const seed = tensor('u32', [], [3]);
const reals = (rows: Matrix): Tensor =>
  tensor('f32', [rows.length, rows[0].length], rows.flat(), 'f64');
const rowsOf = ({ shape: [n, m], data }: Tensor): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from(data.slice(i * m, (i + 1) * m)));

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, v, i) => sum + v * b[i], 0);
const transposed = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));

/** The same span by orthonormal vectors (Gram and Schmidt). */
function orthonormal(vectors: Matrix): Matrix {
  const out: number[][] = [];
  for (const vector of vectors) {
    let v = [...vector];
    for (const u of out) {
      const along = dot(u, v);
      v = v.map((x, i) => x - along * u[i]);
    }
    out.push(v.map((x) => x / Math.hypot(...v)));
  }
  return out;
}

/** The first principal components and all variances, by subspace iteration on the covariance. */
function principal(rows: Matrix, count: number) {
  const columns = transposed(rows).map((c) => {
    const mean = c.reduce((s, v) => s + v, 0) / c.length;
    return c.map((v) => v - mean);
  });
  const covariance = columns.map((a) => columns.map((b) => dot(a, b) / rows.length));
  let basis = orthonormal(transposed(rowsOf(randomTensor(9, [rows[0].length, count]))));
  for (let i = 0; i < 500; i++)
    basis = orthonormal(basis.map((v) => covariance.map((row) => dot(row, v))));
  const kept = basis.map((v) => covariance.reduce((s, row, i) => s + v[i] * dot(row, v), 0));
  const total = covariance.reduce((sum, row, i) => sum + row[i], 0);
  return { basis, lost: total - kept.reduce((s, v) => s + v, 0) };
}

/** The sine of the largest angle between two planes: how far a unit vector of one can be from the other. */
function sineBetween(a: Matrix, b: Matrix): number {
  const cosines = a.map((u) => b.map((v) => dot(u, v)));
  const gram = cosines.map((r) => cosines.map((s) => dot(r, s)));
  const [[p, q], [, r]] = gram;
  const least = (p + r) / 2 - Math.sqrt(((p - r) / 2) ** 2 + q * q);
  return Math.sqrt(Math.max(0, 1 - least));
}

async function trained(net: string, optimizer: string, x: Tensor, steps: number) {
  const program = compiledWithLibrary(`
layer net = ${net}
train t(x: [B, ${x.shape[1]}]) {
  minimize mean[b] norm2(net(x) - x)[b] over net using ${optimizer}
}
fn norm2(d: [B, n]) -> s: [B] { s[b] = sum[i] d[b, i]^2 }`);
  const { init, step } = trainOf(program);
  let state: Tensors = await interpreter.run(init, { seed });
  const session = await onnxProgram(emitOnnx(step), { threads: 1 });
  let loss = Infinity;
  for (let i = 0; i < steps; i++) {
    const outputs = await session.run({ ...state, x });
    loss = outputs.loss.data[0];
    state = Object.fromEntries(Object.keys(state).map((name) => [name, outputs[`${name}.next`]]));
  }
  await session.dispose();
  return { loss, state };
}

describe('LinearAutoencoder', () => {
  // Six correlated columns that do not have mean 0.
  const mix = orthonormal(rowsOf(randomTensor(21, [6, 6])));
  const x = rowsOf(randomTensor(20, [60, 6])).map((row) => {
    const scaled = row.map((v, i) => v * [3, 2, 0.5, 0.3, 0.2, 0.1][i] + 0.5);
    return mix.map((m) => dot(m, scaled));
  });
  const { basis, lost } = principal(x, 2);

  test('reaches the plane of the principal components, and loses no more than they do', async () => {
    const learnt = (steps: number) =>
      trained('LinearAutoencoder(6, 2)', 'SGD(0.01, momentum = 0.9)', reals(x), steps);
    const [short, { loss, state }] = [await learnt(20), await learnt(400)];
    const spanOf = (s: Tensors): Matrix => orthonormal(transposed(rowsOf(s['net.dec.W'])));
    expect(sineBetween(spanOf(short.state), basis)).toBeGreaterThan(0.1);
    expect(sineBetween(spanOf(state), basis)).toBeLessThan(0.01);

    expect(loss).toBeGreaterThan(lost * (1 - 1e-4));
    expect(loss).toBeLessThan(lost * 1.02);
  });
});

describe('Autoencoder', () => {
  test('follows a bent line by one number, where a linear one loses the bend', async () => {
    const x = Array.from({ length: 60 }, (_, i) => {
      const s = (3 * i) / 59 - 1.5;
      return [s, s * s, Math.sin(2 * s)];
    });
    const { loss } = await trained(
      'Autoencoder(3, 16, 1, tanh)',
      'Adam(0.03, decay = 0.003)',
      reals(x),
      500,
    );
    const { lost } = principal(x, 1);

    expect(lost).toBeGreaterThan(0.4);
    expect(loss).toBeLessThan(lost / 20);
  });
});
