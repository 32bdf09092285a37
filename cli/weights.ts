// Parameters and states of a program: which a graph needs.

import { isConstant } from '../compiler/dims/arithmetic.ts';
import { showDim } from '../compiler/dims/show.ts';
import type { Graph, Port } from '../compiler/ir/graph.ts';
import type { PortInfo } from '../runtime/program.ts';

const portInfo = ({ name, role, value }: Port): PortInfo => ({
  name,
  role,
  dtype: value.dtype,
  dims: value.shape.map((size) => isConstant(size) ?? showDim(size)),
});

/** The parameters and states that `graph` takes as inputs. */
export const weightPorts = (graph: Graph): readonly PortInfo[] =>
  graph.inputs.filter(({ role }) => role === 'parameter' || role === 'state').map(portInfo);
