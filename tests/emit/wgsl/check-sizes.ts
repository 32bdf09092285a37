// A program for several sizes in turn, on buffers with canaries behind them.

import { expect } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import { interpret } from '../../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type DType, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { guarded } from '../../gpu/canaries.ts';
import { expectClose } from '../../ir/expect-close.ts';
import { compiled, functionOf } from '../../models/compile.ts';

/** Reals, or indices below 5. */
const drawn = (dtype: DType, shape: readonly number[], from: number): Tensor =>
  tensor(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => {
      const number = ((i + from) * 7919) % 997;
      return dtype === 'f32' ? number / 997 - 0.3 : number % 5;
    }),
  );

export type Shapes = Readonly<Record<string, readonly number[]>>;

/**
 * Runs `f` of the text for each of the shapes of its inputs in turn, in one program. Fails unless it gives what the interpreter gives, and
 * writes nothing behind the end of a buffer.
 */
export async function checkSizes(
  device: GPUDevice,
  text: string,
  shapes: readonly Shapes[],
  target: Target,
): Promise<void> {
  const { graph } = functionOf(compiled(text), 'f');
  const dtypes = new Map(graph.inputs.map(({ name, value }) => [name, value.dtype]));
  const { device: watched, overwritten } = guarded(device);
  const program = await webgpuProgram(graph, watched, target);
  for (const of of shapes) {
    const feeds = Object.fromEntries(
      Object.entries(of).map(([name, shape], i) => [
        name,
        drawn(dtypes.get(name) ?? 'f32', shape, i),
      ]),
    );
    const results = await program.run(feeds);
    for (const [name, expected] of Object.entries(interpret(graph, feeds, { precision: 'f64' })))
      expectClose(results[name], expected, 1e-5, `${name} of ${JSON.stringify(of)}`);
    expect(await overwritten(), JSON.stringify(of)).toEqual([]);
  }
  await program.dispose();
}
