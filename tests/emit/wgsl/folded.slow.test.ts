// More workgroups than a dimension may have, of kernels for GPUs: with a limit of three workgroups instead of 65,535, since SwiftShader
// would not come to an end with as many that wait at barriers (tests/gpu/folded.ts). The last row of workgroups is partly empty: those
// that are too many would write behind the end of a buffer.

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../../compiler/emit/wgsl/emit.ts';
import type { KernelKind } from '../../../compiler/emit/wgsl/kernel.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { folded } from '../../gpu/folded.ts';
import { compiled, functionOf } from '../../models/compile.ts';
import { checkSizes, type Shapes } from './check-sizes.ts';

const device = deviceForTests();

/** Fails unless a kernel of that kind is folded, and every kernel that is not one workgroup has some too many. */
async function check(
  kind: KernelKind,
  text: string,
  shapes: Shapes,
  target: Target,
): Promise<void> {
  const { device: narrow, dispatched } = folded(device(), 3);
  await checkSizes(narrow, text, [shapes], target);
  const several = dispatched().filter(({ groups }) => groups > 1);
  for (const { kernel, surplus } of several) expect(surplus, kernel).toBeGreaterThan(0);
  const { kernels } = emitWgsl(functionOf(compiled(text), 'f').graph, target);
  const names = several.map(({ kernel }) => kernel);
  const kinds = kernels.filter(({ name }) => names.includes(name)).map(({ kernel }) => kernel.kind);
  expect(kinds).toContain(kind);
}

describe('products', () => {
  const text = `export fn f(a: [N, 20, 19], b: [N, 19, 21]) -> y: [N, 20, 21] {
  y[n, i, j] = sum[k] a[n, i, k] * b[n, k, j]
}`;
  const variants = ['single', 'blocks', 'small', 'medium', 'large', 'slices'] as const;
  it.each(variants)('%s', { timeout: 60_000 }, (product) =>
    check('product', text, { a: [7, 20, 19], b: [7, 19, 21] }, { adapter: 'gpu', product }),
  );
});

interface Case {
  readonly kind: KernelKind;
  readonly text: string;
  readonly shapes: Shapes;
}

const attention = `  a[b, t, s] = softmax[s] (sum[j] q[b, t, j] * k[b, s, j])
  y[b, t, i] = sum[s] a[b, t, s] * v[b, s, i]`;

const cases: Readonly<Record<string, Case>> = {
  'a map': {
    kind: 'map',
    text: `(x: [A, B]) -> y: [B, A] { y[j, i] = tanh(x[i, j]) }`,
    shapes: { x: [31, 33] },
  },
  'rows that are added where they belong': {
    kind: 'map',
    text: `(E: [50, 20], at: fin(50)[N], u: [N, 20]) -> d: [50, 20] {
  y[n, j] = E[at[n], j]
  d = vjp(y, E, u)
}`,
    shapes: { E: [50, 20], at: [37], u: [37, 20] },
  },
  'long rows, a workgroup each': {
    kind: 'rows',
    text: `(x: [N, M]) -> (y: [N, M], z: [N]) {
  y[i, j] = softmax[j] x[i, j]
  z[i] = max[j] x[i, j]
}`,
    shapes: { x: [7, 340] },
  },
  'columns, some a workgroup': {
    kind: 'rows',
    text: `(x: [M, N]) -> (y: [M, N], z: [N]) {
  y[j, i] = softmax[j] x[j, i]
  z[i] = max[j] x[j, i]
}`,
    shapes: { x: [50, 130] },
  },
  'short rows, one an invocation': {
    kind: 'rows',
    text: `(x: [N, 5]) -> (y: [N, 5], z: [N]) {
  y[i, j] = softmax[j] x[i, j]
  z[i] = max[j] x[i, j]
}`,
    shapes: { x: [260, 5] },
  },
  'long sums in parts': {
    kind: 'rows',
    text: `(x: [N, 70, 5]) -> (y: [5], z: real) {
  y[i] = sum[n, j] x[n, j, i]
  z = sum(x)
}`,
    shapes: { x: [110, 70, 5] },
  },
  attention: {
    kind: 'stream',
    text: `(q: [B, T, 8], k: [B, S, 8], v: [B, S, 6]) -> y: [B, T, 6] {
${attention}
}`,
    shapes: { q: [7, 19, 8], k: [7, 13, 8], v: [7, 13, 6] },
  },
  'gradients of attention': {
    kind: 'stream',
    text: `(q: [B, T, 8], k: [B, S, 8], v: [B, S, 6], u: [B, T, 6]) -> (dq: [B, T, 8], dk: [B, S, 8], dv: [B, S, 6]) {
${attention}
  dq = vjp(y, q, u)
  dk = vjp(y, k, u)
  dv = vjp(y, v, u)
}`,
    shapes: { q: [7, 19, 8], k: [7, 13, 8], v: [7, 13, 6], u: [7, 19, 6] },
  },
  'a loop over kernels': {
    kind: 'map',
    text: `(x: [N]) -> (y: [N], all: [5, N]) {
  for t < 5 with s = x {
    a[i] = tanh(s[i]) / (1 + max[j] s[j]^2)
    all[t] = a
    s <- a
  }
  y = s
}`,
    shapes: { x: [1025] },
  },
};

describe('kernels', () => {
  const target: Target = { adapter: 'gpu', streams: 'everywhere' };
  it.each(Object.entries(cases))('%s', { timeout: 60_000 }, (_, { kind, text, shapes }) =>
    check(kind, `export fn f${text}`, shapes, target),
  );
});
