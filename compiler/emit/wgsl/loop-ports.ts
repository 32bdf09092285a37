// The node `loop` and the ports of its body, as loops.ts makes them.

import type { Dim } from '../../dims/dim.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';

/** What scan and while become before they are scheduled. */
export const loopOp = 'loop';

/**
 * The node `loop`: operands t, the carries, `stopped` where a test ends it, what runs with it, what the body reads whole; results as
 * those of scan or while.
 */
export interface LoopAttributes {
  readonly [name: string]: Graph | Dim | number | readonly number[];
  readonly body: Graph;
  readonly count: Dim;
  /** For each result, the operand that becomes it, or -1 for stacked rows. */
  readonly becomes: readonly number[];
}

export const loopAttributes = ({ attributes }: Node): LoopAttributes =>
  attributes as LoopAttributes;

/** What the ports of a body say; all null or empty for a graph that is none. */
export interface BodyPorts {
  readonly step: Value | null;
  readonly stopped: Value | null;
  /** The rows that are stacked, y0, y1, ... */
  readonly rows: readonly Value[];
  /** The values that must end in the buffers of the carries. */
  readonly nexts: readonly Value[];
}

export function bodyPorts({ inputs, outputs }: Graph, isBody: boolean): BodyPorts {
  if (!isBody) return { step: null, stopped: null, rows: [], nexts: [] };
  const named = (name: string): Value | null =>
    inputs.find((port) => port.name === name)?.value ?? null;
  const valuesOf = (pattern: RegExp): Value[] =>
    outputs.filter(({ name }) => pattern.test(name)).map(({ value }) => value);
  return {
    step: named('t'),
    stopped: named('stopped'),
    rows: valuesOf(/^y\d+$/),
    nexts: valuesOf(/\.next$/),
  };
}
