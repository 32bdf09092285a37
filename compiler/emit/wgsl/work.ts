// What a kernel does, in numbers, once the free sizes have values: operations on reals, and bytes that pass through memory.
//
// An operation counts once for each element of its result that the kernel needs, a transcendental function as one, a term of a product
// as two; what invocations compute anew is not counted again. Of a buffer, the elements that the kernel needs count once, whatever other
// workgroups read again: caches decide about that.

import { dimOf, evaluate } from '../../dims/arithmetic.ts';
import type { Dim, DimVar, PackVar } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import type { EmittedKernel } from './emit-kernel.ts';
import { indexVariable, isIndexVariable, sizeOf } from './indices.ts';
import type { Code } from './lowering.ts';
import { loweringOf, nowhere } from './network.ts';

/** The value of a size. */
export type Measure = (size: Dim) => number;

/** From the values of the free sizes. Where a size depends on an index, it is that of the last index. */
export function createMeasure(valueOf: (size: DimVar | PackVar) => number): Measure {
  const measure: Measure = (size) =>
    evaluate(size, (v) =>
      v.kind === 'variable' && isIndexVariable(v) ? measure(v.bound) - 1 : valueOf(v),
    );
  return measure;
}

export interface Work {
  /** Operations on reals. */
  readonly operations: number;
  /** Bytes. */
  readonly read: number;
  readonly written: number;
}

export function workOf(
  { kernel, nodes, buffers, written, halves }: EmittedKernel,
  measure: Measure,
): Work {
  const needs = needsOf(nodes, kernel.values, measure);
  const isMade = new Set(nodes.flatMap(({ outputs }) => outputs));
  const read = buffers.flatMap(({ value, access }) => {
    // No operation of a loop's body names its counter and its flag.
    const isScalar = access === 'read' && value.shape.length === 0;
    return isMade.has(value)
      ? []
      : [bytesOf(halves, value, needs.get(value) ?? (isScalar ? 1 : 0))];
  });
  return {
    operations: total(nodes.map((node) => operationsOf(node, needs, measure))),
    read: total(read),
    written: total(written.map((value) => bytesOf(halves, value, measure(sizeOf(value.shape))))),
  };
}

/** What so many elements of a value take: four bytes each, or two in half precision. */
export const bytesOf = (halves: ReadonlySet<Value>, value: Value, elements: number): number =>
  (halves.has(value) ? 2 : 4) * elements;

export const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** How many elements of each value are needed to make `wanted` by `nodes`, which are in topological order. */
export function needsOf(
  nodes: readonly Node[],
  wanted: readonly Value[],
  measure: Measure,
): ReadonlyMap<Value, number> {
  const needs = new Map<Value, number>();
  const need = (value: Value, elements: number): void => {
    const all = measure(sizeOf(value.shape));
    needs.set(value, Math.min(all, (needs.get(value) ?? 0) + elements));
  };
  for (const value of wanted) need(value, Infinity);
  for (const node of nodes.toReversed()) {
    const elements = neededOf(node, needs);
    if (elements === 0) continue;
    const reads = readsOfElement(node, measure);
    node.inputs.forEach((x, i) => need(x, elements * (reads === null ? Infinity : reads[i])));
  }
  return needs;
}

const neededOf = ({ outputs }: Node, needs: ReadonlyMap<Value, number>): number =>
  Math.max(...outputs.map((value) => needs.get(value) ?? 0));

/** How many elements of each operand one element of a map reads; null for what is no map. */
function readsOfElement(node: Node, measure: Measure): readonly number[] | null {
  const lowering = loweringOf(node);
  if (lowering.kind !== 'map') return null;
  const reads = node.inputs.map(() => 0);
  let times = 1;
  const loop: Code['loop'] = (hint, count, body) => {
    const before = times;
    times *= Math.max(0, measure(count));
    body(dimOf(indexVariable(hint, count)));
    times = before;
  };
  lowering.element({
    inputs: node.inputs,
    outputs: node.outputs,
    attributes: node.attributes,
    index: node.outputs[0].shape.map((size, axis) => dimOf(indexVariable(`i${axis}`, size))),
    read: (operand) => {
      reads[operand] += times;
      return 'x';
    },
    code: { ...nowhere, loop },
  });
  return reads;
}

/** Operations on reals that the needed elements take; a window or a search takes one for each element that it looks at. */
function operationsOf(node: Node, needs: ReadonlyMap<Value, number>, measure: Measure): number {
  const lowering = loweringOf(node);
  const elements = neededOf(node, needs);
  if (!node.outputs.some(({ dtype }) => dtype === 'f32')) return 0;
  if (lowering.kind === 'reduce') return measure(sizeOf(node.inputs[0].shape));
  if (lowering.kind === 'contract') {
    const { batch, rows, columns, sum } = lowering.product(node);
    return 2 * measure(sizeOf([...batch, ...rows, ...columns, ...sum]));
  }
  if (lowering.kind !== 'map' || lowering.cost === 'free') return 0;
  return elements * Math.max(1, ...(readsOfElement(node, measure) ?? []));
}
