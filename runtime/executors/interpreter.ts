// The reference executor: the interpreter behind the interface of every executor. Slow, exact, needs nothing installed.

import { isConstant } from '../../compiler/dims/arithmetic.ts';
import { showDim } from '../../compiler/dims/show.ts';
import type { Graph, Port } from '../../compiler/ir/graph.ts';
import type { InterpretOptions } from '../../compiler/ir/interpret.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import type { PortInfo, Program } from '../program.ts';

/** A program that interprets `graph`, in f32 unless `precision` says otherwise. */
export const interpreterProgram = (graph: Graph, options: InterpretOptions = {}): Program => ({
  inputs: graph.inputs.map(portInfo),
  outputs: graph.outputs.map(portInfo),
  run: async (feeds) => interpret(graph, feeds, options),
  dispose: async () => {},
});

export const portInfo = ({ name, role, value }: Port): PortInfo => ({
  name,
  role,
  dtype: value.dtype,
  dims: value.shape.map((size) => isConstant(size) ?? showDim(size)),
});
