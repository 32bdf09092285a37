// What the loops carry beside their operands, for their records and for the passes that take them apart.

import type { Dim } from '../dims/dim.ts';
import type { Graph } from './graph.ts';

/** Operands: `carries` of them the first carries, `xs` of them run with the loop, the rest the body reads whole. */
export interface ScanAttributes {
  readonly [name: string]: Dim | Graph | boolean | number;
  readonly count: Dim;
  readonly reverse: boolean;
  /** Whether its derivative keeps the carries alone, and computes what else it needs of a step again. */
  readonly recompute: boolean;
  readonly carries: number;
  readonly xs: number;
  /** (t, carries, rows of xs, the rest) -> (next carries, rows of ys) */
  readonly body: Graph;
}

/** Operands: `carries` of them the first carries, the rest the body reads whole. */
export interface WhileAttributes {
  readonly [name: string]: Dim | Graph | number;
  readonly limit: Dim;
  readonly carries: number;
  /** (t, carries, the rest) -> (next carries, done) */
  readonly body: Graph;
}
