// What the loop the other way needs of the steps of the forward loop: which values are kept, one stack each, and which it
// computes again from those. The forward loop then hands them out.

import type { Node, Value } from '../graph.ts';
import type { ScanContext, Step } from './scan-step.ts';

/** Cheaper to compute again than to write and read. */
const cheap: ReadonlySet<string> = new Set([
  'abs',
  'add',
  'and',
  'broadcast_in_dim',
  'compare',
  'constant',
  'convert',
  'dim_value',
  'divide',
  'iota',
  'maximum',
  'minimum',
  'multiply',
  'negate',
  'not',
  'or',
  'pad',
  'reshape',
  'reverse',
  'select',
  'sign',
  'slice',
  'subtract',
  'transpose',
]);

/** No larger than what they are made from: these are never kept. */
const views: ReadonlySet<string> = new Set(['broadcast_in_dim', 'reshape', 'transpose', 'reverse']);

export interface Chosen {
  /** The nodes of the step that the loop the other way runs, in order. */
  readonly nodes: readonly Node[];
  /** The values of the forward step that it reads. */
  readonly rows: readonly Value[];
}

/** What is needed to compute `roots`; `kept`: values of the forward step that are kept in any case. */
export function chooseResiduals(
  step: Step,
  roots: readonly Value[],
  kept: ReadonlySet<Value>,
  recompute: boolean,
): Chosen {
  const { graph, t, slices, captured, given, makerOf, isBackward, varies } = step;
  const isThere = new Set([t, ...captured, ...given]);
  const rows = new Set<Value>();
  const again = new Set<Node>();
  const frontier = new Set<Value>();

  const visit = (value: Value): void => {
    const node = makerOf(value);
    if (isBackward(value) && node !== undefined) {
      if (again.has(node)) return;
      again.add(node);
      node.inputs.forEach(visit);
    } else if (!isThere.has(value)) frontier.add(value);
  };
  roots.forEach(visit);

  /** Whether computing `value` again keeps nothing more. */
  const isFree = (value: Value): boolean => {
    const node = makerOf(value);
    if (rows.has(value) || isThere.has(value) || slices.includes(value)) return true;
    if (node === undefined) return false;
    return !varies(value) || (cheap.has(node.op) && node.inputs.every(isFree));
  };
  const obtain = (value: Value): void => {
    if (rows.has(value) || isThere.has(value)) return;
    const node = makerOf(value);
    const isAgain =
      node !== undefined && !kept.has(value) && (recompute || views.has(node.op) || isFree(value));
    if (!isAgain || node === undefined) rows.add(value);
    else if (!again.has(node)) {
      again.add(node);
      node.inputs.forEach(obtain);
    }
  };
  const isCheap = (value: Value): boolean => cheap.has(makerOf(value)?.op ?? '');
  for (const value of frontier) if (!isCheap(value)) obtain(value);
  for (const value of frontier) if (isCheap(value)) obtain(value);
  return { nodes: graph.nodes.filter((node) => again.has(node)), rows: [...rows] };
}

/** Lets the forward loop hand out `values` of its step; the result finds the stack of each, a value that runs with the loop too. */
export function keep(
  { builder, inputs, outputs, attributes, extend }: ScanContext,
  { graph, t, slices, isBackward }: Step,
  values: readonly Value[],
): (value: Value) => Value {
  const { count, carries, body } = attributes;
  const results = graph.outputs.slice(0, body.outputs.length);
  const stacks = new Map<Value, Value>();
  results.slice(carries).forEach(({ value }, i) => stacks.set(value, outputs[carries + i]));
  slices.forEach((value, i) => stacks.set(value, inputs[carries + i]));
  const missing = [...new Set(values)].filter((value) => value !== t && !stacks.has(value));
  if (missing.length > 0) {
    const first = results.length - carries;
    const further = missing.map((value, i) => ({
      name: `y${first + i}`,
      role: 'result' as const,
      value,
    }));
    const forward = {
      name: body.name,
      inputs: graph.inputs.slice(0, body.inputs.length),
      nodes: graph.nodes.filter((node) => !node.outputs.some(isBackward)),
      outputs: [...results, ...further],
    };
    extend({ ...attributes, body: forward }).forEach((value, i) => stacks.set(missing[i], value));
  }
  return (value) => {
    const stack = value === t ? builder.iota([count], 0) : stacks.get(value);
    if (stack === undefined) throw new Error(`value ${value.id} of a loop was not kept`);
    return stack;
  };
}
