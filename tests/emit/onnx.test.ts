// The ONNX a graph becomes: what operators are written, under which names, and that a stranger can run the file.

import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';

import type { Source } from '../../grammar/source.ts';
import {
  add,
  constant,
  dimOf,
  floorDivide,
  multiply,
  one,
  variable,
} from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { farthest } from '../transform/compare.ts';
import {
  dense,
  generator,
  perceptronStep,
  randomTensor,
  real,
  relu,
  sizes,
} from '../transform/models.ts';

const decode = (model: Uint8Array) => onnxProto.onnx.ModelProto.decode(model);

function nodesOf(model: Uint8Array) {
  return decode(model).graph?.node ?? [];
}
const opsOf = (model: Uint8Array): string[] => nodesOf(model).map(({ opType }) => opType ?? '');

function graphOf(build: (b: GraphBuilder, batch: Dim) => Value): Graph {
  const b = createBuilder();
  const result = build(b, dimOf(variable('B')));
  b.output('result', 'result', result);
  return optimise(b.graph('test'));
}

/** Emits `graph`, runs it in ONNX Runtime and compares with the interpreter. */
async function expectRuns(
  graph: Graph,
  ...manyFeeds: Readonly<Record<string, Tensor>>[]
): Promise<Uint8Array> {
  const model = emitOnnx(graph);
  const program = await onnxProgram(model, { threads: 1 });
  for (const feeds of manyFeeds) {
    const expected = interpret(graph, feeds, { precision: 'f64' });
    expect(farthest(expected, await program.run(feeds)).distance).toBeLessThan(1e-5);
  }
  await program.dispose();
  return model;
}

const next = generator(5);

describe('a training step of a perceptron', () => {
  const { graph, parameters } = perceptronStep([5, 7, 4]);
  const step = optimise(graph);
  const feedsAt = (batch: number) => ({
    x: randomTensor([batch, 5], next),
    t: randomTensor([batch, 4], next),
    ...Object.fromEntries(parameters.map(({ name, shape }) => [name, randomTensor(shape, next)])),
  });

  it('runs at every batch size in one session', async () => {
    await expectRuns(step, feedsAt(1), feedsAt(3), feedsAt(8));
  });

  it('is 29 operators: biases and the steps of weights inside Gemm, no Expand, no Transpose', () => {
    expect(opsOf(emitOnnx(step)).join(' ')).toMatchInlineSnapshot(
      `"Gemm Greater Relu Gemm LogSoftmax Mul ReduceSum Shape Squeeze Cast Div Neg Div Mul Exp ReduceSum Unsqueeze Mul Sub ReduceSum MatMul Where ReduceSum Gemm Mul Sub Gemm Mul Sub"`,
    );
  });

  it('has ports with free sizes, and says what they are for', () => {
    const { graph: proto, metadataProps, opsetImport, irVersion } = decode(emitOnnx(step));
    const dims = proto?.input?.[0].type?.tensorType?.shape?.dim;
    expect(dims?.map(({ dimParam, dimValue }) => dimParam || Number(dimValue))).toEqual(['B', 5]);
    expect(opsetImport?.map(({ domain, version }) => [domain, Number(version)])).toContainEqual([
      '',
      21,
    ]);
    expect(Number(irVersion)).toBe(10);
    const ports = JSON.parse(metadataProps.find(({ key }) => key === 'dlg.ports')?.value ?? '');
    expect(ports.inputs[2]).toEqual({
      name: 'net.l1.W',
      role: 'parameter',
      dtype: 'f32',
      dims: [7, 5],
    });
    expect(ports.feedback['net.l1.W.next']).toBe('net.l1.W');
    expect(Object.keys(ports.feedback)).toHaveLength(parameters.length);
  });

  it('learns when its outputs are fed back, as the metadata says', async () => {
    const program = await onnxProgram(emitOnnx(step), { threads: 1 });
    let feeds: Record<string, Tensor> = feedsAt(6);
    feeds['t'] = tensor(
      'f32',
      [6, 4],
      Array.from({ length: 24 }, (_, i) => Number(i % 5 === 0)),
    );
    const losses: number[] = [];
    for (let i = 0; i < 200; i++) {
      const results = await program.run(feeds);
      losses.push(results['loss'].data[0]);
      feeds = {
        ...feeds,
        ...Object.fromEntries(parameters.map(({ name }) => [name, results[`${name}.next`]])),
      };
    }
    expect(losses[199]).toBeLessThan(losses[0] / 4);
    await program.dispose();
  });

  it('names every node once, after its place in the source', () => {
    const names = nodesOf(emitOnnx(step)).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('net.l1/Gemm');
  });
});

it('an Adam step of one tensor is 13 operators over its elements', () => {
  const b = createBuilder();
  const shape = sizes(30, 20);
  const port = (name: string, of: readonly Dim[] = shape) => b.input(name, 'parameter', real(of));
  const [w, g, m, v] = ['w', 'g', 'm', 'v'].map((name) => port(name));
  const t = port('t', []);
  const full = (x: number): Value => b.full(x, shape);
  const nextM = b.add(b.multiply(full(0.9), m), b.multiply(full(1 - 0.9), g));
  const nextV = b.add(b.multiply(full(0.999), v), b.multiply(full(1 - 0.999), b.multiply(g, g)));
  const correction = (beta: number): Value =>
    b.fill(b.subtract(b.scalar(1), b.binary('power', b.scalar(beta), t)), shape);
  const [mHat, vHat] = [b.divide(nextM, correction(0.9)), b.divide(nextV, correction(0.999))];
  const change = b.multiply(full(1e-3), b.divide(mHat, b.add(b.sqrt(vHat), full(1e-8))));
  b.output('w.next', 'parameter', b.subtract(w, change));
  b.output('m.next', 'optimizer', nextM);
  b.output('v.next', 'optimizer', nextV);
  const proto = decode(emitOnnx(optimise(b.graph('adam')))).graph;
  const wide = new Set(
    [...(proto?.valueInfo ?? []), ...(proto?.output ?? [])]
      .filter(({ type }) => type?.tensorType?.shape?.dim?.length === 2)
      .map(({ name }) => name),
  );
  const elementwise = proto?.node
    ?.filter(({ output }) => wide.has(output?.[0] ?? ''))
    .map(({ opType }) => opType);
  expect(elementwise).toHaveLength(13);
  expect(proto?.node?.map(({ opType }) => opType)).not.toContain('Expand');
});

describe('broadcasts', () => {
  it('are left to elementwise operators', async () => {
    const graph = graphOf((b, batch) => {
      const x = b.input('x', 'data', real([batch, constant(3), constant(4)]));
      const row = b.input('row', 'data', real(sizes(4)));
      const column = b.input('column', 'data', real([batch]));
      const sum = b.add(x, b.broadcastInDim(row, x.shape, [2]));
      return b.multiply(b.broadcastInDim(column, x.shape, [0]), sum);
    });
    const feeds = {
      x: randomTensor([2, 3, 4], next),
      row: randomTensor([4], next),
      column: randomTensor([2], next),
    };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(['Add', 'Unsqueeze', 'Mul']);
  });

  it('of all operands are carried out once', async () => {
    const graph = graphOf((b) => {
      const row = b.input('row', 'data', real(sizes(4)));
      const column = b.input('column', 'data', real(sizes(3)));
      return b.add(
        b.broadcastInDim(row, sizes(3, 4), [1]),
        b.broadcastInDim(column, sizes(3, 4), [0]),
      );
    });
    const feeds = { row: randomTensor([4], next), column: randomTensor([3], next) };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(['Unsqueeze', 'Add']);
  });

  it('that an output shows are expanded', async () => {
    const graph = graphOf((b, batch) => {
      const x = b.input('x', 'data', real([batch]));
      return b.broadcastInDim(x, [constant(2), batch], [1]);
    });
    expect(opsOf(await expectRuns(graph, { x: randomTensor([3], next) }))).toContain('Expand');
  });
});

describe('products', () => {
  const convolution = (b: GraphBuilder, batch: Dim): Value => {
    const x = b.input('x', 'data', real([batch, ...sizes(2, 5, 5)]));
    const w = b.input('w', 'data', real(sizes(3, 2, 3, 3)));
    const bias = b.input('b', 'data', real(sizes(3)));
    const none = { low: constant(0), high: constant(0) };
    const window = {
      strides: [one, one],
      padding: [none, none],
      lhsDilation: [one, one],
      rhsDilation: [one, one],
    };
    const y = b.convolution(x, w, window, one);
    return relu(b, b.add(y, b.broadcastInDim(bias, y.shape, [1])));
  };
  it('a bias a channel goes into the convolution', async () => {
    const graph = graphOf(convolution);
    const feeds = {
      x: randomTensor([2, 2, 5, 5], next),
      w: randomTensor([3, 2, 3, 3], next),
      b: randomTensor([3], next),
    };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(['Conv', 'Relu']);
  });

  const affine = (combine: (b: GraphBuilder, product: Value, c: Value) => Value): Graph =>
    graphOf((b) => {
      const [x, w, c] = [
        ['x', 3, 4],
        ['w', 5, 4],
        ['c', 3, 5],
      ].map(([name, m, n]) => b.input(String(name), 'data', real(sizes(Number(m), Number(n)))));
      const product = b.dotGeneral(x, w, {
        lhsBatch: [],
        rhsBatch: [],
        lhsContracting: [1],
        rhsContracting: [1],
      });
      return combine(b, product, c);
    });
  it.each([
    ['c + x w', (b, p, c) => b.add(c, p)],
    ['c - x w', (b, p, c) => b.subtract(c, p)],
    ['x w - c', (b, p, c) => b.subtract(p, c)],
    ['c - 0.3 x w', (b, p, c) => b.subtract(c, b.multiply(b.full(0.3, p.shape), p))],
    ['x w - 2', (b, p) => b.subtract(p, b.full(2, p.shape))],
  ] as [string, Parameters<typeof affine>[0]][])('%s is one Gemm', async (_name, combine) => {
    const feeds = {
      x: randomTensor([3, 4], next),
      w: randomTensor([5, 4], next),
      c: randomTensor([3, 5], next),
    };
    expect(opsOf(await expectRuns(affine(combine), feeds))).toEqual(['Gemm']);
  });
  it('a layer normalisation takes its scale and bias', async () => {
    const graph = graphOf((b, batch) => {
      const x = b.input('x', 'data', real([batch, constant(4)]));
      const [scale, bias] = ['scale', 'bias'].map((name) =>
        b.broadcastInDim(b.input(name, 'parameter', real(sizes(4))), x.shape, [1]),
      );
      const [y] = b.emit('standardize', [x], { axis: 1, epsilon: 1e-3 });
      return b.add(b.multiply(scale, y), bias);
    });
    const feeds = {
      x: randomTensor([3, 4], next),
      scale: randomTensor([4], next),
      bias: randomTensor([4], next),
    };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(['LayerNormalization']);
  });
  it('a product that something else reads stays', async () => {
    const graph = affine((b, p, c) => b.multiply(b.add(p, c), p));
    const feeds = {
      x: randomTensor([3, 4], next),
      w: randomTensor([5, 4], next),
      c: randomTensor([3, 5], next),
    };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(['Gemm', 'Add', 'Mul']);
  });
  it.each([
    ['a bias of the last axis goes into the Gemm of the rows', 2, ['Reshape', 'Gemm', 'Reshape']],
    ['one of the last two axes does not', 1, ['Reshape', 'Gemm', 'Reshape', 'Add']],
  ])('%s', async (_name, axis, ops) => {
    const graph = graphOf((b, batch) => {
      const x = b.input('x', 'data', real([batch, constant(3), constant(4)]));
      const w = b.input('w', 'parameter', real(sizes(5, 4)));
      const bias = b.input('bias', 'parameter', real(axis === 2 ? sizes(5) : sizes(3, 5)));
      const product = b.dotGeneral(x, w, {
        lhsBatch: [],
        rhsBatch: [],
        lhsContracting: [2],
        rhsContracting: [1],
      });
      return b.add(product, b.broadcastInDim(bias, product.shape, axis === 2 ? [2] : [1, 2]));
    });
    const feeds = {
      x: randomTensor([2, 3, 4], next),
      w: randomTensor([5, 4], next),
      bias: randomTensor(axis === 2 ? [5] : [3, 5], next),
    };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(ops);
  });
  it('nothing of a higher rank goes into a Gemm', async () => {
    const graph = graphOf((b) => {
      const x = b.input('x', 'data', real(sizes(3, 4)));
      const w = b.input('w', 'data', real(sizes(5, 4)));
      const c = b.input('c', 'data', real(sizes(2, 3, 5)));
      const product = dense(b, x, w, b.full(0, sizes(5)));
      return b.add(b.broadcastInDim(product, c.shape, [1, 2]), c);
    });
    const feeds = {
      x: randomTensor([3, 4], next),
      w: randomTensor([5, 4], next),
      c: randomTensor([2, 3, 5], next),
    };
    expect(opsOf(await expectRuns(graph, feeds))).toEqual(['Gemm', 'Add']);
  });
});

describe('free sizes', () => {
  it('may be solved for: from an axis of size 2 n + 1', async () => {
    const n = dimOf(variable('n'));
    const graph = graphOf((b) => {
      const x = b.input('x', 'data', real([add(multiply(constant(2), n), one)]));
      return b.divide(x, b.fill(b.dim(n, 'f32'), x.shape));
    });
    await expectRuns(graph, { x: randomTensor([3], next) }, { x: randomTensor([9], next) });
  });
  it('may be rounded quotients', async () => {
    const graph = graphOf((b, batch) => {
      const x = b.input('x', 'data', real([batch]));
      const half = b.dim(floorDivide(add(batch, constant(-3)), constant(2)), 'f32');
      return b.multiply(b.fill(half, x.shape), x);
    });
    await expectRuns(graph, { x: randomTensor([5], next) }, { x: randomTensor([1], next) });
  });
  it('of one name but different origin stay apart', () => {
    const b = createBuilder();
    const x = b.input('x', 'data', real([dimOf(variable('n'))]));
    const y = b.input('y', 'data', real([dimOf(variable('n'))]));
    b.output('u', 'result', b.negate(x));
    b.output('v', 'result', b.negate(y));
    const params = decode(emitOnnx(b.graph('two'))).graph?.input?.map(
      ({ type }) => type?.tensorType?.shape?.dim?.[0].dimParam,
    );
    expect(params).toEqual(['n', 'n_2']);
  });
});

describe('ports', () => {
  const b = createBuilder();
  const x = b.input('x', 'data', real(sizes(2)));
  const y = b.at({ path: 'net', span: null }, () => b.negate(x));
  for (const [name, value] of [
    ['same', x],
    ['first', y],
    ['second', y],
  ] as const)
    b.output(name, 'result', value);
  const graph = b.graph('ports');

  it('may repeat an input or each other', async () => {
    await expectRuns(graph, { x: randomTensor([2], next) });
  });

  it('may be written into the file', async () => {
    const value = randomTensor([2], next);
    const model = emitOnnx(graph, {
      initialisers: new Map([['x', value]]),
      metadata: { licence: 'MIT' },
    });
    const program = await onnxProgram(model, { threads: 1 });
    expect(program.inputs).toEqual([]);
    const results = await program.run({});
    expect([...results['first'].data]).toEqual([...value.data].map((v) => Math.fround(-v)));
    expect(decode(model).metadataProps.map(({ key }) => key)).toContain('licence');
    await program.dispose();
  });

  it('may have the names that operators would get', async () => {
    const c = createBuilder();
    const z = c.input('Neg', 'data', real(sizes(2)));
    c.output('constant', 'result', c.multiply(c.negate(z), c.full(3, z.shape)));
    await expectRuns(c.graph('names'), { Neg: randomTensor([2], next) });
  });
});

it('nodes say which line they come from', () => {
  const source: Source = { path: 'net.dlg', text: 'a = 1\nb =\n  -x\n' };
  const b = createBuilder();
  const x = b.input('x', 'data', real([]));
  b.output(
    'y',
    'result',
    b.at({ path: 'net', span: { source, start: 6, end: 14 } }, () => b.negate(x)),
  );
  expect(nodesOf(emitOnnx(b.graph('doc')))[0].docString).toBe('net.dlg:2: b = -x');
});

it('constants of every type keep their values', async () => {
  const b = createBuilder();
  const values: readonly Tensor[] = [
    tensor('f32', [2], [1.5, -1e30]),
    tensor('i32', [2], [-2147483648, 7]),
    tensor('u32', [2], [4294967295, 1]),
    tensor('bool', [2], [1, 0]),
  ];
  for (const value of values) b.output(value.dtype, 'result', b.constant(value));
  const program = await onnxProgram(emitOnnx(b.graph('constants')), { threads: 1 });
  const results = await program.run({});
  for (const value of values) expect([...results[value.dtype].data]).toEqual([...value.data]);
  await program.dispose();
});
