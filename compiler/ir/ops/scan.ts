// The loop with a known number of steps, which has a derivative.

import { one, zero } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { OnnxAttribute, OnnxBuilder } from '../../emit/onnx/builder-types.ts';
import { int, ints } from '../../emit/onnx/shapes.ts';
import type { Graph, TensorType, Value } from '../graph.ts';
import type { ScanAttributes } from '../loop-attributes.ts';
import { defineOp } from '../op.ts';
import type { Evaluation, OnnxLowering } from '../op.ts';
import { mismatch, range } from '../shape-arithmetic.ts';
import type { Tensor } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import {
  bodyGivesOther,
  bodyTakesOther,
  counterType,
  rowAt,
  rowType,
  scalarTensor,
  stackType,
} from './bodies.ts';
import { scanGradient } from './scan-gradient.ts';
import { cast } from './type-rules.ts';

function typeOfScan(
  inputs: readonly TensorType[],
  { count, carries, xs, body }: ScanAttributes,
): readonly TensorType[] | string {
  const init = inputs.slice(0, carries);
  const running = inputs.slice(carries, carries + xs);
  if (inputs.length < carries + xs) return 'has too few operands';
  for (const { shape } of running) {
    if (shape.length === 0) return 'a scalar cannot run with the loop';
    const wrong = mismatch(shape[0], count, 'the first axis of what runs with the loop');
    if (wrong !== null) return wrong;
  }
  const taken = [counterType, ...init, ...running.map(rowType), ...inputs.slice(carries + xs)];
  const wrong = bodyTakesOther(body, taken) ?? bodyGivesOther(body, init);
  if (wrong !== null) return wrong;
  const ys = body.outputs.slice(carries).map(({ value }) => stackType(value, count));
  return [...init, ...ys];
}

function evaluateScan({
  inputs,
  outputs,
  attributes: { count, reverse, carries, xs, body },
  allocate,
  dim,
  run,
}: Evaluation<ScanAttributes>): readonly Tensor[] {
  const steps = dim(count);
  const running = inputs.slice(carries, carries + xs);
  const rest = inputs.slice(carries + xs);
  const ys = outputs
    .slice(carries)
    .map((type) => ({ ...type, data: allocate(type.dtype, sizeOf(type.shape)) }));
  let current = inputs.slice(0, carries);
  for (let step = 0; step < steps; step++) {
    const t = reverse ? steps - 1 - step : step;
    const rows = running.map((x) => rowAt(x, t));
    const made = run(body, [scalarTensor(allocate, 'i32', t), ...current, ...rows, ...rest]);
    current = made.slice(0, carries);
    ys.forEach(({ data }, i) => {
      const row = made[carries + i].data;
      data.set(row, t * row.length);
    });
  }
  return [...current, ...ys];
}

/** ONNX's Scan: the index is one more of what runs with the loop; what the body reads whole it finds in the graph around. */
function lowerScan({
  onnx,
  names,
  inputs,
  attributes: { count, reverse, carries, xs, body },
  subgraph,
}: OnnxLowering<ScanAttributes>): readonly string[] {
  const init = inputs.slice(0, carries);
  const rows = inputs.slice(carries, carries + xs).map(rowType);
  const counts = xs === 0 || reads(body, body.inputs[0].value);
  const graph = subgraph((inner) => {
    const current = init.map((type) => inner.input('carry', type));
    const t = counts ? inner.input('t', counterType) : '';
    const slices = rows.map((type) => inner.input('slice', type));
    const whole = names.slice(carries + xs);
    return inner.body(body, [t, ...current, ...slices, ...whole]);
  });
  const running = [...(counts ? [steps(onnx, count)] : []), ...names.slice(carries, carries + xs)];
  const ys = body.outputs.length - carries;
  const direction = (many: number): OnnxAttribute => ints(range(many).map(() => (reverse ? 1 : 0)));
  return onnx.nodes('Scan', [...names.slice(0, carries), ...running], carries + ys, {
    body: graph,
    num_scan_inputs: int(running.length),
    scan_input_directions: direction(running.length),
    scan_output_directions: direction(ys),
  });
}

/** 0, ..., count - 1. */
const steps = (onnx: OnnxBuilder, count: Dim): string =>
  cast(onnx, onnx.node('Range', [onnx.dim(zero), onnx.dim(count), onnx.dim(one)]), 'i32');

const reads = (body: Graph, value: Value): boolean =>
  body.nodes.some(({ inputs }) => inputs.includes(value)) ||
  body.outputs.some((port) => port.value === value);

const scan = defineOp<ScanAttributes>({
  name: 'scan',
  doc: 'Runs `body` for t = 0, ..., count - 1, or the other way where `reverse`: it gets t, the carries, row t of each of xs and what it captured, and gives the next carries and row t of each of the ys. Results: the last carries, then the ys, stacked along a first axis. Its derivative is a scan the other way.',
  operands: ['init...', 'xs...', 'captured...'],
  type: typeOfScan,
  gradient: { kind: 'rule', rule: scanGradient },
  evaluate: evaluateScan,
  onnx: lowerScan,
  wgsl: {
    kind: 'loop',
    steps: ({ body, count, reverse, carries, xs }) => ({
      body,
      carries,
      xs,
      count,
      reverse,
      endedByTest: false,
    }),
  },
  cases: [],
});

export const scanOps = [scan];
