// One step of a scan and its pullback, as its derivative sees them: which values are of the forward pass, and which change from
// step to step.

import type { Graph, Node, Value } from '../graph.ts';
import type { ScanAttributes } from '../loop-attributes.ts';
import type { Differentiation, Pullback } from '../op.ts';

export type ScanContext = Differentiation<ScanAttributes>;

export interface Step extends Pullback {
  readonly t: Value;
  readonly slices: readonly Value[];
  readonly captured: readonly Value[];
  /** The cotangents it starts from: of the carries in `through`, then of the ys that have one. */
  readonly given: readonly Value[];
  /** The carries that cotangents pass through. */
  readonly through: readonly number[];
  readonly makerOf: (value: Value) => Node | undefined;
  /** Whether it is a cotangent, so that only the loop the other way has it. */
  readonly isBackward: (value: Value) => boolean;
  readonly varies: (value: Value) => boolean;
}

/**
 * The pullback of one step; null if no cotangent reaches what is wanted. Cotangents of carries that no result needs, or that
 * depend on nothing wanted, are left out.
 */
export function pullBackStep(context: ScanContext): Step | null {
  const { attributes, cotangents, wanted, pullBack } = context;
  const { body, carries } = attributes;
  const dependent = carriesThatDepend(attributes, wanted);
  const isWanted = body.inputs.map((_, i) =>
    i > 0 && i <= carries ? dependent.has(i - 1) : i > carries && wanted[i - 1],
  );
  const given = cotangents.map((g, i) => g !== null && (i >= carries || dependent.has(i)));
  while (given.includes(true)) {
    const pulled = pullBack(body, given, isWanted);
    const further = [...dependent].filter((i) => !given[i] && pulled.cotangents[i + 1] !== null);
    if (further.length === 0)
      return describe(
        attributes,
        pulled,
        given.slice(0, carries).flatMap((is, i) => (is ? [i] : [])),
      );
    for (const i of further) given[i] = true;
  }
  return null;
}

function describe(
  { body, carries, xs }: ScanAttributes,
  pulled: Pullback,
  through: readonly number[],
): Step {
  const inputs = pulled.graph.inputs.map(({ value }) => value);
  const captures = 1 + carries + xs;
  const given = inputs.slice(body.inputs.length);
  const makers = new Map<Value, Node>();
  for (const node of pulled.graph.nodes) for (const value of node.outputs) makers.set(value, node);
  const backward = reachedFrom(pulled.graph, given);
  const varying = reachedFrom(pulled.graph, [...inputs.slice(0, captures), ...given]);
  return {
    ...pulled,
    t: inputs[0],
    slices: inputs.slice(1 + carries, captures),
    captured: inputs.slice(captures, body.inputs.length),
    given,
    through,
    makerOf: (value) => makers.get(value),
    isBackward: (value) => backward.has(value),
    varies: (value) => varying.has(value),
  };
}

/** The real carries that some wanted operand reaches, in this step or a later one. */
function carriesThatDepend(
  { body, carries }: ScanAttributes,
  wanted: readonly boolean[],
): ReadonlySet<number> {
  const found = new Set<number>();
  const isReal = (i: number): boolean => body.outputs[i].value.dtype === 'f32';
  for (let i = 0; i < carries; i++) if (wanted[i] && isReal(i)) found.add(i);
  for (let before = -1; before < found.size;) {
    before = found.size;
    const start = body.inputs.flatMap(({ value }, i) =>
      i > 0 && (found.has(i - 1) || (i > carries && wanted[i - 1])) ? [value] : [],
    );
    const reached = reachedFrom(body, start);
    for (let i = 0; i < carries; i++)
      if (isReal(i) && reached.has(body.outputs[i].value)) found.add(i);
  }
  return found;
}

/** The values that depend on some of `start`, and those themselves. */
function reachedFrom({ nodes }: Graph, start: readonly Value[]): ReadonlySet<Value> {
  const reached = new Set(start);
  for (const { inputs, outputs } of nodes)
    if (inputs.some((value) => reached.has(value))) for (const value of outputs) reached.add(value);
  return reached;
}
