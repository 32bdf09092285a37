// The conformance cases with their sizes left free: every distinct size of an operand, or of an attribute that is a shape or
// a size, becomes one variable. What a record computes must not change.

import { constant, dimOf, isConstant, variable } from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import { isDim } from '../../compiler/ir/attributes.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Attribute, Attributes } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import type { ConformanceCase, NodeGraph } from './conformance-cases.ts';

/** Attributes that hold sizes of tensors; those of windows and slices stay numbers. */
const sizes = ['shape', 'dim'];

/**
 * Operations of which ONNX fixes some sizes: the operands that are free nevertheless, in all axes but the channels (axis 1), and
 * whether the attribute `shape` is one of these tensors.
 */
const partlyFree: Readonly<
  Record<string, { readonly operands: readonly number[]; readonly shape: boolean }>
> = {
  convolution: { operands: [0], shape: false },
  convolution_input_gradient: { operands: [0], shape: true },
  convolution_kernel_gradient: { operands: [0, 1], shape: false },
};

const channels = 1;

export interface FreeGraph extends NodeGraph {
  /** One value more an input than the case: the last input's shape has every variable, so it binds them. */
  readonly witness: Tensor;
}

/** Null where the operation needs the sizes to be known (its type rule says so), or the case has no size but 1. */
export function freeNodeGraph({ op, of }: ConformanceCase): FreeGraph | null {
  const variables = new Map<number, Dim>();
  const free = (size: number): Dim => {
    if (size <= 1) return constant(size);
    const known = variables.get(size) ?? dimOf(variable(`n${size}`));
    variables.set(size, known);
    return known;
  };
  const part = partlyFree[op.name] as (typeof partlyFree)[string] | undefined;
  const freeAxis = (size: number, axis: number): Dim =>
    part !== undefined && axis === channels ? constant(size) : free(size);
  const freed = (attribute: Attribute, axis = 0): Attribute => {
    if (typeof attribute !== 'object') return attribute;
    if (isDim(attribute)) return freeAxis(isConstant(attribute) ?? NaN, axis);
    return Array.isArray(attribute) ? attribute.map(freed) : attribute;
  };
  const builder = createBuilder();
  const inputs = of.inputs.map(({ dtype, shape }, i) =>
    builder.input(`x${i}`, 'data', {
      dtype,
      shape: shape.map(part?.operands.includes(i) === false ? (size) => constant(size) : freeAxis),
    }),
  );
  const attributes: Attributes = Object.fromEntries(
    Object.entries(of.attributes).map(([name, attribute]) => [
      name,
      (part === undefined || part.shape) && sizes.includes(name) ? freed(attribute) : attribute,
    ]),
  );
  if (variables.size === 0 || typeof op.type(inputs, attributes) === 'string') return null;
  const outputs = builder.emit(op.name, inputs, attributes);
  const shape = [...variables.keys()];
  builder.input(`x${inputs.length}`, 'data', { dtype: 'bool', shape: [...variables.values()] });
  const count = shape.reduce((a, b) => a * b, 1);
  const witness = tensor('bool', shape, new Uint8Array(count));
  return { builder, inputs, outputs, witness };
}
