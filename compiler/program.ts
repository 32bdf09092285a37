// What compiling a file yields, before any target: graphs for its export fns and train blocks, and what a caller must
// know to feed them. The emitters and the training loop start from here.

import type { Dim } from './dims/dim.ts';
import { showDim } from './dims/show.ts';
import type { Graph } from './ir/graph.ts';

/** How a data input or a result is declared in the source; loaders check files against it. */
export interface DataPort {
  readonly name: string;
  readonly base: 'real' | 'int' | 'bool' | 'fin';
  /** For `fin(n)`: n. */
  readonly size: Dim | null;
  /** Constants, or free sizes such as the batch B. */
  readonly shape: readonly Dim[];
}

/** As the source writes it: `fin(10)[B]`, `[B, 784]`. */
export function showPort({ base, size, shape }: DataPort): string {
  const axes = `[${shape.map(showDim).join(', ')}]`;
  if (base === 'real') return shape.length === 0 ? 'real' : axes;
  const name = base === 'fin' && size !== null ? `fin(${showDim(size)})` : base;
  return shape.length === 0 ? name : `${name}${axes}`;
}

export interface CompiledFunction {
  readonly name: string;
  /** Inputs: `data` as declared, then the `parameter`s and `state`s it uses, and `seed` where it draws. Outputs: role `result`. */
  readonly graph: Graph;
  readonly data: readonly DataPort[];
  readonly results: readonly DataPort[];
}

export interface Loss {
  readonly name: string;
  readonly sense: 'minimize' | 'maximize';
}

export interface CompiledTrain {
  readonly name: string;
  readonly data: readonly DataPort[];
  /** The outputs of role `loss`, in order, and which way each is to go. */
  readonly losses: readonly Loss[];
  /**
   * One step. Inputs: data; parameter, optimizer, state, counter; `seed` where it draws. Outputs: loss and report scalars, and
   * `X.next` for every fed-back input X (role as the input's).
   */
  readonly step: Graph;
  /** Input: `seed` (u32 scalar). Outputs: the first value of every fed-back input of `step`, under the input's name. */
  readonly init: Graph;
  /**
   * The losses and reports on data that is not learnt from: inputs data, parameter, state, and `seed` where it draws; outputs loss and report. Forward
   * only, `training` false.
   */
  readonly evaluate: Graph;
}

export interface CompiledProgram {
  /** The file's name without its folder and suffix. */
  readonly name: string;
  readonly functions: readonly CompiledFunction[];
  readonly trains: readonly CompiledTrain[];
  /** Input: `seed`. Outputs: every parameter and state of the program's layers, under its path. */
  readonly init: Graph;
}
