// Loops on the GPU: the kernels of the body run over and over, without the host. Between steps everything lies in buffers:
//
// - each carry in one buffer, which the loop's result is in the end. The next value is computed first and then copied over it, or
//   written over it at once where no other kernel still reads it; the counter t is a carry like any other.
// - of what runs with the loop, the body reads row t; of what it stacks, it writes row t.
// - where a test ends the loop, a carry `stopped` says so: from then on every kernel returns at once.
//
// Here scan and while become the node `loop`, whose body says this by the names of its ports: t, c0, c1, ... and their `.next`, x0, x1,
// ..., y0, y1, ..., outer0, ..., stopped.

import * as dims from '../../dims/arithmetic.ts';
import { createBuilder, type GraphBuilder } from '../../ir/builder.ts';
import type { Graph, TensorType, Value } from '../../ir/graph.ts';
import { rewrite } from '../../transform/rewrite.ts';
import { loopOp, type LoopAttributes } from './loop-ports.ts';
import type { Steps } from './lowering.ts';
import { loweringOf } from './network.ts';

/** Every scan and while as a `loop`; `expandBody` prepares the graph of a body. */
export const prepareLoops = (graph: Graph, expandBody: (body: Graph) => Graph): Graph =>
  rewrite(graph, (node, inputs, builder) => {
    const lowering = loweringOf(node);
    if (lowering.kind !== 'loop') return null;
    const steps = lowering.steps(node.attributes);
    const start = (x: Value): Value => copy(builder, x);
    const { carries, count, reverse, endedByTest } = steps;
    const last = dims.subtract(count, dims.one);
    const flags = endedByTest ? [start(builder.scalar(0, 'bool'))] : [];
    const operands = [
      start(reverse ? builder.dim(last) : builder.scalar(0, 'i32')),
      ...inputs.slice(0, carries).map(start),
      ...flags,
      ...inputs.slice(carries),
    ];
    const carried = Array.from({ length: carries }, (_, i) => i + 1);
    const becomes = endedByTest
      ? [...carried, 0, carries + 1]
      : node.outputs.map((_, i) => carried[i] ?? -1);
    const body = bodyGraph(
      steps,
      expandBody(steps.body),
      inputs.slice(carries, carries + steps.xs),
    );
    const attributes: LoopAttributes = { body, count, becomes };
    builder.append({ ...node, op: loopOp, inputs: operands, attributes });
    return node.outputs;
  });

/** An element-by-element copy that no pass sees through. */
const copy = (builder: GraphBuilder, x: Value): Value =>
  builder.emit('convert', [x], { dtype: x.dtype })[0];

/** A copy of a result of the body; of what it was given, a copy of a copy: carries may change places, which takes a buffer between. */
const copied = (builder: GraphBuilder, x: Value): Value =>
  copy(builder, builder.producerOf(x) === undefined ? copy(builder, x) : x);

function bodyGraph(
  { carries, xs, reverse, endedByTest }: Steps,
  body: Graph,
  running: readonly TensorType[],
): Graph {
  const builder = createBuilder({ firstId: firstFreeId(body) });
  const images = new Map<Value, Value>();
  const [t, ...others] = body.inputs.map(({ value }) => value);
  const input = (name: string, value: Value): void =>
    builder.appendInput({ name, role: 'data', value });
  input('t', t);
  others.slice(0, carries).forEach((value, i) => input(`c${i}`, value));
  const stopped = endedByTest ? builder.input('stopped', 'data', flag) : null;
  others.slice(carries, carries + xs).forEach((row, i) => {
    const { dtype, shape } = running[i];
    images.set(row, builder.take(builder.input(`x${i}`, 'data', { dtype, shape }), t, 0));
  });
  others.slice(carries + xs).forEach((value, i) => input(`outer${i}`, value));
  const imageOf = (value: Value): Value => images.get(value) ?? value;
  for (const node of body.nodes) builder.append({ ...node, inputs: node.inputs.map(imageOf) });
  const made = body.outputs.map(({ value }) => copied(builder, imageOf(value)));
  const output = (name: string, value: Value): void => builder.output(name, 'result', value);
  output('t.next', builder.add(t, builder.scalar(reverse ? -1 : 1, 'i32')));
  made.slice(0, carries).forEach((value, i) => output(`c${i}.next`, value));
  const rest = made.slice(carries);
  if (stopped === null) rest.forEach((value, i) => output(`y${i}`, value));
  else {
    // The flag is set last of all, and by a kernel of its own: the others still run in the step that ends the loop.
    output('done', rest[0]);
    output('stopped.next', builder.binary('or', stopped, rest[0]));
  }
  return builder.graph(body.name);
}

const flag: TensorType = { dtype: 'bool', shape: [] };

function firstFreeId({ inputs, nodes }: Graph): number {
  const values = [...inputs.map(({ value }) => value), ...nodes.flatMap(({ outputs }) => outputs)];
  return values.reduce((last, { id }) => Math.max(last, id), -1) + 1;
}
