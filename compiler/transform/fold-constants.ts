// Computes what depends on constants alone, in float64, so that a constant is rounded once.

import { isConstant } from '../dims/arithmetic.ts';
import { dimsIn, hasBody } from '../ir/attributes.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { opNamed } from '../ir/registry.ts';
import type { Tensor } from '../ir/tensor.ts';
import { allocate, sizeOf } from '../ir/tensor.ts';
import { rewrite } from './rewrite.ts';

/** Larger results stay computations: a file should not grow by what it takes a moment to compute. */
const mostElements = 1024;

/** These say what they repeat more briefly than a constant would; they are evaluated only for the nodes that read them. */
const brief = new Set(['constant', 'broadcast_in_dim', 'iota', 'gradient']);

export function foldConstants(graph: Graph): Graph {
  const known = new Map<Value, Tensor>();
  return rewrite(graph, (node, inputs, builder) => {
    const results = evaluateConstant(node, inputs, known);
    if (results === null) return null;
    const values = brief.has(node.op) ? null : results.map((result) => builder.constant(result));
    (values ?? node.outputs).forEach((value, i) => known.set(value, results[i]));
    return values;
  });
}

/** The results, if every operand is known and none is large or of a free size. A loop stays one, however short. */
function evaluateConstant(
  { op, attributes, outputs }: Node,
  inputs: readonly Value[],
  known: ReadonlyMap<Value, Tensor>,
): readonly Tensor[] | null {
  const operands = inputs.map((value) => known.get(value));
  if (op === 'gradient' || hasBody(attributes)) return null;
  if (dimsIn(attributes).some((dim) => isConstant(dim) === null)) return null;
  if (!operands.every((operand) => operand !== undefined)) return null;
  const types = outputs.flatMap(({ dtype, shape }) => {
    const sizes = shape.map(isConstant);
    return sizes.every((size) => size !== null) ? [{ dtype, shape: sizes }] : [];
  });
  if (types.length < outputs.length || types.some(({ shape }) => sizeOf(shape) > mostElements))
    return null;
  return opNamed(op).evaluate({
    inputs: operands,
    attributes,
    outputs: types,
    precision: 'f64',
    allocate: (dtype, size) => allocate(dtype, size, 'f64'),
    dim: (dim) => isConstant(dim) ?? Number.NaN,
    run: () => {
      throw new Error('a node with a body is not folded');
    },
  });
}
