// Reads of a whole tensor at the index of a loop, `x[.., t + 1, ..]`: the tensor runs with the loop instead, so that no step
// gathers, and its derivative is stacked instead of scattered.

import { add, constant, isConstant, one, subtract, zero } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Node, Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import { range } from '../ir/shape-arithmetic.ts';
import { sameShape } from '../ir/types.ts';

/** The body of a loop, taken apart. */
export interface Split {
  /** Values of the body that are the same in every step, and their images in the graph around. */
  readonly whole: Map<Value, Value>;
  /** Gives a brief value of the body that is the same in every step an image, too. */
  readonly bring: (value: Value) => void;
  /** The nodes that stay. */
  readonly nodes: readonly Node[];
}

/** A tensor of the graph around whose row t is the value of the body. */
export interface RunningRow {
  readonly x: Value;
  readonly row: Value;
}

export interface IndexedRows {
  readonly rows: readonly RunningRow[];
  /** The nodes that stay in the body. */
  readonly nodes: readonly Node[];
}

export function indexedRows(
  builder: Builder,
  { nodes, whole }: Split,
  t: Value,
  count: Dim,
): IndexedRows {
  const makers = new Map<Value, Node>();
  const rows: RunningRow[] = [];
  const rest = nodes.filter((node) => {
    for (const value of node.outputs) makers.set(value, node);
    const axis = attributesIf('take', node)?.axis;
    const x = whole.get(node.inputs[0]);
    if (axis === undefined || x === undefined) return true;
    const place = affine(node.inputs[1], t, makers);
    if (place === null || place.steps === 0) return true;
    rows.push({ x: rowsOf(builder, x, axis, place, count), row: node.outputs[0] });
    return false;
  });
  return { rows, nodes: rest };
}

/** `steps * t + offset` */
interface Place {
  readonly steps: -1 | 0 | 1;
  readonly offset: Dim;
}

function affine(value: Value, t: Value, makers: ReadonlyMap<Value, Node>): Place | null {
  if (value === t) return { steps: 1, offset: zero };
  const node = makers.get(value);
  const dim = attributesIf('dim_value', node)?.dim;
  if (dim !== undefined) return { steps: 0, offset: dim };
  const literal = attributesIf('constant', node)?.value;
  if (literal?.shape.length === 0) return { steps: 0, offset: constant(literal.data[0]) };
  if (node?.op !== 'add' && node?.op !== 'subtract') return null;
  const [a, b] = node.inputs.map((input) => affine(input, t, makers));
  if (a === null || b === null) return null;
  const steps = node.op === 'add' ? a.steps + b.steps : a.steps - b.steps;
  if (steps !== 0 && steps !== 1 && steps !== -1) return null;
  return { steps, offset: (node.op === 'add' ? add : subtract)(a.offset, b.offset) };
}

/** `x` along `axis` at the places t = 0, ..., count - 1, that axis first. */
function rowsOf(b: Builder, x: Value, axis: number, { steps, offset }: Place, count: Dim): Value {
  const first = steps === 1 ? offset : subtract(add(offset, one), count);
  const starts = x.shape.map((_, i) => (i === axis ? first : zero));
  const limits = x.shape.map((size, i) => (i === axis ? add(first, count) : size));
  const isAll = isConstant(first) === 0 && sameShape(limits, x.shape);
  const part = isAll ? x : b.slice(x, starts, limits);
  const turned = steps === 1 ? part : b.reverse(part, [axis]);
  const others = range(x.shape.length).filter((i) => i !== axis);
  return b.transpose(turned, [axis, ...others]);
}
