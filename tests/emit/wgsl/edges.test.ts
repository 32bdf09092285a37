// Numbers at the edges in WGSL: infinities, NaN, zeros with signs, numbers at the ends of f32, and of integers. The interpreter in f32
// says what is right; what it promises is IEEE 754 and two's complement (tests/ir/special-values.test.ts).

import { describe, expect, it } from 'vitest';

import type { Target } from '../../../compiler/emit/wgsl/adapter.ts';
import type { Builder } from '../../../compiler/ir/builder-types.ts';
import { createBuilder } from '../../../compiler/ir/builder.ts';
import type { Value } from '../../../compiler/ir/graph.ts';
import { tensor, type DType, type Tensor } from '../../../compiler/ir/tensor.ts';
import { webgpuProgram } from '../../../runtime/executors/webgpu.ts';
import { deviceForTests } from '../../gpu/device.ts';
import { feedsOf, runInterpreter, typeOf } from '../../ir/run-graph.ts';

const device = deviceForTests();

type Body = (b: Builder, xs: readonly Value[]) => Value;

interface Outcome {
  readonly actual: Tensor;
  readonly expected: Tensor;
}

async function run(
  inputs: readonly Tensor[],
  body: Body,
  adapter: Target['adapter'] = 'software',
): Promise<Outcome> {
  const builder = createBuilder();
  const xs = inputs.map((x, i) => builder.input(`x${i}`, 'data', typeOf(x)));
  builder.output('y', 'result', body(builder, xs));
  const graph = builder.graph('edges');
  const program = await webgpuProgram(graph, device(), { adapter });
  const { y } = await program.run(feedsOf(inputs));
  await program.dispose();
  return { actual: y, expected: runInterpreter(graph, inputs, 'f32').y };
}

/** A few of the smallest number that keeps all its digits, 2^-126. */
const smallest = 4 * 2 ** -126;

/**
 * Numbers below 2^-126 may become 0, in what is given and in what comes out: WGSL allows it. Elsewhere an element is right to `digits`
 * of its own size, whatever the others are.
 */
function expectSame(
  { actual, expected }: Outcome,
  inputs: readonly Tensor[],
  digits = 4e-6,
  isOpen: (...operands: number[]) => boolean = () => false,
): void {
  const wrong = Array.from(expected.data).flatMap((e, i) => {
    const a = actual.data[i];
    const isSame = Object.is(a, e) || a === e;
    const isNear = Math.abs(a - e) <= Math.max(smallest, digits * Math.abs(e));
    const operands = inputs.map(({ data }) => data[i]);
    return isSame || isNear || isOpen(...operands)
      ? []
      : [`(${operands.join(', ')}): ${a}, not ${e}`];
  });
  expect(wrong).toEqual([]);
}

const vector = (dtype: DType, values: readonly number[]): Tensor =>
  tensor(dtype, [values.length], values);

const sizes = [
  0, 1e-45, 1e-40, 1.2e-38, 1e-30, 1e-10, 1e-4, 0.3, 0.5, 1, 1.5, 2, 3, 7, 20, 88, 89, 100, 104,
  1e4,
];
const huge = [1e10, 1e30, 3.4e38, Infinity];
const signed = (values: readonly number[]): number[] => values.flatMap((x) => [x, -x]);
const reals = [...signed([...sizes, ...huge]), NaN];

/** Where angles are too large for f32: what is left of them is unspecified beyond 10,000 (helpers.ts). */
const turns = signed(sizes);

const unary: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(
    ['negate', 'abs', 'sign', 'exponential', 'log', 'expm1', 'log1p', 'sqrt', 'rsqrt', 'tanh']
      .concat(['logistic', 'erf', 'floor', 'ceil', 'round_even'])
      .map((name) => [name, reals]),
  ),
  sine: [...turns, NaN],
  cosine: [...turns, NaN],
};

/** Of numbers that may become 0, log and 1/sqrt may take the logarithm and the inverse of 0. */
const isTiny = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

describe('functions of reals', () => {
  it.each(Object.entries(unary))('%s', async (name, values) => {
    const inputs = [vector('f32', values)];
    const result = await run(inputs, (b, [x]) => b.emit(name, [x], {})[0]);
    expectSame(result, inputs, 4e-6, isTiny);
  });
});

const pairs = (values: readonly number[]): [number[], number[]] => [
  values.flatMap((a) => values.map(() => a)),
  values.flatMap(() => values),
];

const few = [...signed([0, 1e-30, 0.5, 1, 2, 3, 7.5, 100, 1e30, Infinity]), NaN];

describe('functions of two reals', () => {
  const names = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum', 'power', 'atan2'];
  it.each([...names, 'remainder'])('%s', async (name) => {
    const inputs = pairs(few).map((values) => vector('f32', values));
    const result = await run(inputs, (b, [x, y]) => b.emit(name, [x, y], {})[0]);
    expectSame(result, inputs, 1e-5, name === 'power' ? isOneToInfinity : undefined);
  });

  /** 1 in IEEE 754, NaN in JavaScript, whose `**` is the interpreter's. */
  const isOneToInfinity = (a: number, b: number): boolean =>
    Math.abs(a) === 1 && !Number.isFinite(b) && !Number.isNaN(b);

  it('1 and -1 to the power of infinity are 1', async () => {
    const inputs = [
      vector('f32', [1, -1, 1, -1]),
      vector(
        'f32',
        [1, 1, -1, -1].map((s) => s / 0),
      ),
    ];
    const { actual } = await run(inputs, (b, [x, y]) => b.binary('power', x, y));
    expect([...actual.data]).toEqual([1, 1, 1, 1]);
  });
});

describe('comparisons', () => {
  it.each(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)('%s', async (direction) => {
    const inputs = pairs(few).map((values) => vector('f32', values));
    const result = await run(inputs, (b, [x, y]) => b.compare(direction, x, y));
    expectSame(result, inputs);
  });
});

describe('what NaN passes through', () => {
  const inputs = [vector('f32', few)];
  const bodies: Readonly<Record<string, Body>> = {
    relu: (b, [x]) => {
      const zero = b.broadcastInDim(b.scalar(0), x.shape, []);
      return b.select(b.compare('gt', x, zero), x, zero);
    },
    'clamp by maximum and minimum': (b, [x]) => {
      const full = (value: number): Value => b.broadcastInDim(b.scalar(value), x.shape, []);
      return b.binary('minimum', b.binary('maximum', x, full(-2)), full(2));
    },
  };
  it.each(Object.entries(bodies))('%s', async (_, body) =>
    expectSame(await run(inputs, body), inputs),
  );
});

const stacked = (rows: readonly (readonly number[])[], times: number): Tensor =>
  tensor(
    'f32',
    [rows.length, rows[0].length * times],
    rows.flatMap((row) => Array.from({ length: times }, () => row).flat()),
  );

describe.each(['software', 'gpu'] as const)('folds, for adapter %s', (adapter) => {
  const [infinite, nothing] = [Infinity, NaN];
  const rows = [
    [1, 5, nothing, 2],
    [nothing, 1, 2, 3],
    [nothing, nothing, nothing, nothing],
    [-infinite, -infinite, -infinite, -infinite],
    [infinite, -infinite, 0, 1],
    [0, -0, 0, -0],
  ];
  // Sums of these leave the range of f32 on the way, or lose what is small: the interpreter folds in float64.
  const large = [3.4e38, 3.4e38, -3.4e38, 0];
  /** Each row so often that, in the second, many invocations share one. */
  const inputs = [1, 257].map((times) => stacked(rows, times));

  it.each(['add', 'multiply', 'max', 'min'] as const)('%s', async (kind) => {
    const isExtreme = kind === 'max' || kind === 'min';
    const given = isExtreme ? [...inputs, stacked([...rows, large], 300)] : [inputs[0]];
    for (const x of given)
      expectSame(await run([x], (b, [y]) => b.reduce(kind, y, [1]), adapter), []);
  });

  it.each(['softmax', 'log_softmax'])('%s', async (op) => {
    for (const x of inputs)
      expectSame(await run([x], (b, [y]) => b.emit(op, [y], { axis: 1 })[0], adapter), [], 1e-5);
  });

  it.each(['arg_max', 'arg_min'])('%s is a position, whatever there is', async (op) => {
    for (const x of inputs) {
      const { actual, expected } = await run(
        [x],
        (b, [y]) => b.emit(op, [y], { axis: 1 })[0],
        adapter,
      );
      const [, , , ...withoutNaN] = expected.data;
      expect([...actual.data].slice(3)).toEqual(withoutNaN);
      for (const i of actual.data) expect(i).toBeLessThan(x.shape[1]);
    }
  });

  it('a sum of 100,000 terms, and a product of that many', async () => {
    const n = 100_000;
    const x = tensor(
      'f32',
      [1, n],
      Array.from({ length: n }, (_, i) => Math.sin(i) + 0.1),
    );
    const values = Array.from(x.data);
    const sum = values.reduce((a, b) => a + b, 0);
    const squares = values.reduce((a, b) => a + b * b, 0);
    const summed = await run([x], (b, [y]) => b.reduce('add', y, [1]), adapter);
    expect(Math.abs(summed.actual.data[0] / sum - 1)).toBeLessThan(3e-5);
    const twice: Body = (b, [y]) =>
      b.dotGeneral(y, y, { lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [1] });
    const { actual } = await run([x], twice, adapter);
    expect(Math.abs(actual.data[0] / squares - 1)).toBeLessThan(1e-5);
  });
});

describe('integers', () => {
  const least = -(2 ** 31);
  const ints = [0, 1, -1, 2, -3, 65537, 2 ** 31 - 1, least];
  const bits = [0, 1, 2, 31, 65537, 2 ** 31, 2 ** 32 - 1];
  const both = (dtype: 'i32' | 'u32'): [number[], number[]] => pairs(dtype === 'i32' ? ints : bits);

  it.each(['i32', 'u32'] as const)('%s wrap', async (dtype) => {
    const inputs = both(dtype).map((values) => vector(dtype, values));
    for (const op of ['add', 'subtract', 'multiply', 'maximum', 'minimum', 'and', 'or', 'xor'])
      expectSame(await run(inputs, (b, [x, y]) => b.emit(op, [x, y], {})[0]), inputs, 0);
  });

  it.each(['i32', 'u32'] as const)('%s: quotient and rest, but by 0', async (dtype) => {
    const [a, b] = both(dtype);
    const kept = a.map((_, i) => i).filter((i) => b[i] !== 0 && !(a[i] === least && b[i] === -1));
    const inputs = [a, b].map((values) =>
      vector(
        dtype,
        kept.map((i) => values[i]),
      ),
    );
    for (const op of ['divide', 'remainder'])
      expectSame(await run(inputs, (of, [x, y]) => of.emit(op, [x, y], {})[0]), inputs, 0);
  });

  it('by 0, and the least by -1: some integer, and the GPU goes on', async () => {
    const inputs = [vector('i32', [7, least, -7, 7]), vector('i32', [0, -1, 0, 2])];
    for (const [op, last] of [
      ['divide', 3],
      ['remainder', 1],
    ] as const) {
      const { actual } = await run(inputs, (b, [x, y]) => b.emit(op, [x, y], {})[0]);
      expect(actual.data[3]).toBe(last);
    }
  });

  it('shifts by less than 32', async () => {
    const [a, b] = pairs([0, 1, 5, 17, 31]);
    const inputs = [
      vector(
        'u32',
        a.map((x) => (x * 0x9e3779b9) >>> 0),
      ),
      vector('u32', b),
    ];
    for (const op of ['shift_left', 'shift_right_logical'])
      expectSame(await run(inputs, (of, [x, y]) => of.emit(op, [x, y], {})[0]), inputs, 0);
  });

  it.each([
    ['f32', 'i32', [0, -0, 0.9, -0.9, 2.5, -2.5, 16777217, 2147483520, least]],
    ['f32', 'u32', [0, 0.9, 2.5, 2 ** 31, 4294967040]],
    ['f32', 'bool', [0, -0, 1, -1, 1e-30, Infinity, NaN]],
    ['i32', 'f32', [0, 16777217, -16777219, 2 ** 31 - 1, least]],
    ['u32', 'f32', [0, 16777217, 2 ** 32 - 1]],
    ['i32', 'u32', [0, -1, least]],
    ['u32', 'i32', [0, 2 ** 31, 2 ** 32 - 1]],
  ] as const)('%s to %s', async (from, dtype, values) => {
    const inputs = [vector(from, values)];
    expectSame(await run(inputs, (b, [x]) => b.emit('convert', [x], { dtype })[0]), inputs, 0);
  });
});
