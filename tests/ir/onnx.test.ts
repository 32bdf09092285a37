// Conformance, part 3: every case of every operation in ONNX Runtime, with its first derivative, with known sizes and with free
// ones. Integers and booleans must be exact; reals agree with the fixture, derivatives with the interpreter in float64.

import { describe, expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import { conformanceCases } from './conformance-cases.ts';
import {
  comparison,
  freeCases,
  freeProgram,
  knownProgram,
  type ConformanceProgram,
} from './conformance-programs.ts';
import { randomNumbers } from './projections.ts';
import { runInterpreter, typeOf } from './run-graph.ts';
import { runOnnx } from './run-onnx.ts';

async function check(program: ConformanceProgram): Promise<void> {
  const compare = comparison(program);
  compare(await runOnnx(program.graph, program.inputs), 'ONNX Runtime');
}

describe('in ONNX Runtime', () => {
  it.each(conformanceCases)('$name', (of) => check(knownProgram(of)));
});

describe('in ONNX Runtime with free sizes', () => {
  it.each(freeCases)('$name', (of) => check(freeProgram(of)));
});

/** One node of one operand in ONNX Runtime, on a vector. */
async function unaryInOnnx(op: string, values: readonly number[]): Promise<number[]> {
  const x = tensor('f32', [values.length], values);
  const builder = createBuilder();
  const [y] = builder.emit(op, [builder.input('x0', 'data', typeOf(x))]);
  builder.output('y', 'result', y);
  const outputs = await runOnnx(builder.graph(op), [x]);
  return Array.from(outputs.y.data);
}

describe('accuracy in ONNX Runtime', () => {
  const small = [1e-30, 1e-7, -1e-7, 1e-4, -1e-4, 0.01, 0.2499, -0.2499, 0.2501, -0.2501, 0.4];

  it.each([
    { op: 'expm1', exact: Math.expm1 },
    { op: 'log1p', exact: Math.log1p },
  ])('$op keeps its digits near 0', async ({ op, exact }) => {
    const results = await unaryInOnnx(op, small);
    const errors = results.map((y, i) => Math.abs(y / exact(Math.fround(small[i])) - 1));
    expect(Math.max(...errors)).toBeLessThan(5e-7);
  });

  it.each([
    { rows: 'known', size: constant(1024) },
    { rows: 'free', size: dimOf(variable('N')) },
  ])('adds a million numbers in two stages, $rows rows', async ({ size }) => {
    const next = randomNumbers();
    const x = tensor(
      'f32',
      [1024, 1024],
      Array.from({ length: 2 ** 20 }, () => next() + 0.5),
    );
    const builder = createBuilder();
    const shape = [size, constant(1024)];
    const value = builder.input('x0', 'data', { dtype: 'f32', shape });
    builder.output('y', 'result', builder.reduce('add', value, [0, 1]));
    const graph = builder.graph('sum');
    const actual = (await runOnnx(graph, [x])).y.data[0];
    const exact = runInterpreter(graph, [x], 'f64').y.data[0];
    expect(Math.abs(actual / exact - 1)).toBeLessThan(2e-7);
  });
});
