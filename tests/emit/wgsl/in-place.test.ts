// Results that are written over what they are made from: each element once, however many of a tile lie beyond a single row or column.

import { describe, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { compiled, compiledWithLibrary, functionOf, trainOf } from '../../models/compile.ts';

const device = deviceForTests();

const targets: readonly Target[] = [
  { adapter: 'gpu', product: 'blocks' },
  { adapter: 'gpu', product: 'small' },
  { adapter: 'gpu', product: 'slices' },
  { adapter: 'software' },
];

const drawn = (shape: readonly number[], from: number): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i + from) * 7919) % 997) / 997 - 0.5),
  );

async function check(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  target: Target,
): Promise<void> {
  const program = await webgpuProgram(graph, device(), target);
  const results = await program.run(feeds);
  await program.dispose();
  for (const [name, expected] of Object.entries(interpret(graph, feeds, { precision: 'f64' })))
    expectClose(results[name], expected, 1e-6, name);
}

describe.each(targets)('adapter $adapter, product $product', (target) => {
  it('a carry to which a product is added', { timeout: 60_000 }, async () => {
    const { graph } = functionOf(
      compiled(`export fn f(W: [5, 7], c: [7]) -> (y: [5], z: [1, 5]) {
  for s < 3 with d = zeros(5), a = c {
    h[i] = d[i] + sum[k] W[i, k] * a[k]
    d <- h
    a <- tanh(a)
  }
  y = d
  for s < 3 with e = zeros(1, 5), b = c {
    g[r, i] = e[r, i] + sum[k] b[k] * W[i, k]
    e <- g
    b <- tanh(b)
  }
  z = e
}`),
      'f',
    );
    await check(graph, { W: drawn([5, 7], 0), c: drawn([7], 3) }, target);
  });

  it('the weights of a single neuron', { timeout: 60_000 }, async () => {
    const { step, init } = trainOf(
      compiledWithLibrary(`layer net = Dense(6, 1)
train step(x: [B, 6], y: [B, 1]) { minimize mse(net(x), y) over net using SGD(0.1) }`),
    );
    const first = interpret(init, { seed: tensor('u32', [], [1]) });
    await check(step, { ...first, x: drawn([9, 6], 0), y: drawn([9, 1], 5) }, target);
  });
});
