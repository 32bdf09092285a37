// Takes out of a loop what none of its results that are read needs: carries and ys with all that only they need, rows and captured
// values that the body does not read.

import type { Graph, Node, Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { mapBodies } from './bodies.ts';

type Clean = (body: Graph) => Graph;

/** The node without what is not needed; `isAlive`: which of its outputs something reads. `clean` removes a body's dead nodes. */
export function pruneLoop(node: Node, isAlive: readonly boolean[], clean: Clean): Node {
  const scan = attributesIf('scan', node);
  if (scan !== null) {
    const { carries, xs, body } = scan;
    return prune(node, { carries, xs, body, fixed: isAlive }, clean);
  }
  const loop = attributesIf('while', node);
  if (loop !== null) {
    const { carries, body } = loop;
    const fixed = [...isAlive.slice(0, carries), true];
    return prune(node, { carries, xs: 0, body, fixed }, clean);
  }
  return mapBodies({ name: '', inputs: [], nodes: [node], outputs: [] }, clean).nodes[0];
}

interface Loop {
  readonly carries: number;
  readonly xs: number;
  readonly body: Graph;
  /** The outputs of the body that are needed in any case. */
  readonly fixed: readonly boolean[];
}

function prune(node: Node, { carries, xs, body, fixed }: Loop, clean: Clean): Node {
  const needed = withCarries(body, carries, fixed);
  const inner = clean({ ...body, outputs: body.outputs.filter((_, i) => needed[i]) });
  const read = valuesRead(inner);
  const keeps = (input: number): boolean =>
    input < carries ? needed[input] : read.has(inner.inputs[input + 1].value);
  const operands = node.inputs.map((_, i) => keeps(i));
  if (inner.nodes === body.nodes && !needed.includes(false) && !operands.includes(false))
    return node;
  const count = (from: number, to: number): number =>
    operands.slice(from, to).filter(Boolean).length;
  const isScan = node.op === 'scan';
  return {
    ...node,
    inputs: node.inputs.filter((_, i) => operands[i]),
    // The count and the test of a `while` stand after its carries.
    outputs: node.outputs.filter((_, i) => (isScan || i < carries ? needed[i] : true)),
    attributes: {
      ...node.attributes,
      carries: count(0, carries),
      ...(isScan ? { xs: count(carries, carries + xs) } : {}),
      body: { ...inner, inputs: inner.inputs.filter((_, i) => i === 0 || operands[i - 1]) },
    },
  };
}

/** `fixed`, with the carries that what is needed depends on. */
function withCarries(body: Graph, carries: number, fixed: readonly boolean[]): readonly boolean[] {
  const needed = [...fixed];
  for (;;) {
    const read = neededValues(body, needed);
    const further = needed.flatMap((is, i) =>
      !is && i < carries && read.has(body.inputs[i + 1].value) ? [i] : [],
    );
    if (further.length === 0) return needed;
    for (const i of further) needed[i] = true;
  }
}

/** The values that the outputs marked depend on, and those themselves. */
function neededValues(body: Graph, marked: readonly boolean[]): ReadonlySet<Value> {
  const needed = new Set(body.outputs.flatMap(({ value }, i) => (marked[i] ? [value] : [])));
  for (const { inputs, outputs } of body.nodes.toReversed())
    if (outputs.some((value) => needed.has(value))) for (const value of inputs) needed.add(value);
  return needed;
}

const valuesRead = ({ nodes, outputs }: Graph): ReadonlySet<Value> =>
  new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ value }) => value)]);
