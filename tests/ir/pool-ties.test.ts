// A maximum that occurs twice in a window: its cotangent goes to the first, in row-major order, in the interpreter, in ONNX Runtime,
// whichever encoding the window has, and in WGSL.

import { describe, expect, it } from 'vitest';

import { constant } from '../../compiler/dims/arithmetic.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../runtime/executors/webgpu.ts';
import { deviceForTests } from '../gpu/device.ts';
import { feedsOf, runInterpreter } from './run-graph.ts';
import { runOnnx } from './run-onnx.ts';

const device = deviceForTests();

interface Pool {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly x: readonly number[];
  readonly g: readonly number[];
  readonly dx: readonly number[];
}

const pools: readonly Pool[] = [
  {
    name: 'tiles of equal elements',
    shape: [1, 1, 2, 4],
    axes: [2, 3],
    size: [2, 2],
    stride: [2, 2],
    x: [0, 0, 0, 0, 0, 0, 0, 0],
    g: [5, 7],
    dx: [5, 0, 7, 0, 0, 0, 0, 0],
  },
  {
    name: 'two of four are equal',
    shape: [1, 1, 4, 4],
    axes: [2, 3],
    size: [2, 2],
    stride: [2, 2],
    x: [0, 2, 3, 1, 2, 0, 3, 0, -1, -1, -4, -3, -2, -1, -3, -3],
    g: [1, 2, 3, 4],
    dx: [0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 4, 0, 0, 0, 0],
  },
  {
    name: 'the second axis of the window first',
    shape: [2, 2],
    axes: [1, 0],
    size: [2, 2],
    stride: [2, 2],
    x: [0, 1, 1, 0],
    g: [3],
    dx: [0, 0, 3, 0],
  },
  {
    name: 'overlapping windows add up',
    shape: [1, 1, 5],
    axes: [2],
    size: [3],
    stride: [1],
    x: [1, 1, 1, 0, 1],
    g: [1, 2, 4],
    dx: [1, 2, 4, 0, 0],
  },
  {
    name: 'tiles that leave a rest, channels last',
    shape: [1, 3, 5, 1],
    axes: [1, 2],
    size: [2, 2],
    stride: [2, 2],
    x: [1, 1, 0, 2, 9, 1, 1, 2, 2, 9, 9, 9, 9, 9, 9],
    g: [3, 4],
    dx: [3, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  },
];

function gradientGraph({ name, shape, axes, size, stride, g }: Pool): Graph {
  const builder = createBuilder();
  const window = {
    axes,
    sizes: size.map(constant),
    strides: stride.map(constant),
    dilations: axes.map(() => constant(1)),
  };
  const x = builder.input('x0', 'data', { dtype: 'f32', shape: shape.map(constant) });
  const [y] = builder.emit('max_pool', [x], { window });
  const flat = builder.reshape(y, [constant(g.length)]);
  const cotangent = builder.reshape(builder.input('x1', 'data', flat), y.shape);
  const [dx] = builder.emit('max_pool_gradient', [x, y, cotangent], { window });
  builder.output('dx', 'result', dx);
  return builder.graph(name);
}

describe('equal maxima', () => {
  it.each(pools)('$name', async (pool) => {
    const graph = gradientGraph(pool);
    const feeds = [tensor('f32', pool.shape, pool.x), tensor('f32', [pool.g.length], pool.g)];
    expect([...runInterpreter(graph, feeds, 'f32').dx.data]).toEqual(pool.dx);
    const { dx } = await runOnnx(graph, feeds);
    expect([...dx.data].map((value) => value + 0)).toEqual(pool.dx);
  });

  it.each(pools)('$name, in WGSL', async (pool) => {
    const feeds = [tensor('f32', pool.shape, pool.x), tensor('f32', [pool.g.length], pool.g)];
    for (const adapter of ['gpu', 'software'] as const) {
      const program = await webgpuProgram(gradientGraph(pool), device(), { adapter });
      const { dx } = await program.run(feedsOf(feeds));
      await program.dispose();
      expect([...dx.data]).toEqual(pool.dx);
    }
  });
});
