// The attributes of the operations that passes and emitters look into, by name: the one place that trusts a record's rule
// to have checked them.

import type { Dim } from '../dims/dim.ts';
import type { Comparison, DotDimensions, Reduction } from './builder-types.ts';
import type { Attributes } from './graph.ts';
import type { ScanAttributes, WhileAttributes } from './loop-attributes.ts';
import type { DType, Tensor } from './tensor.ts';
import type { WindowAttribute } from './window-geometry.ts';

type Pool = { readonly window: WindowAttribute };

interface AttributesByOp {
  readonly arg_max_pool: Pool;
  readonly broadcast_in_dim: { readonly shape: readonly Dim[]; readonly axes: readonly number[] };
  readonly compare: { readonly direction: Comparison };
  readonly concatenate: { readonly axis: number };
  readonly constant: { readonly value: Tensor };
  readonly convert: { readonly dtype: DType };
  readonly dim_value: { readonly dim: Dim; readonly dtype: DType };
  readonly dot_general: DotDimensions;
  readonly max_pool: Pool;
  readonly reduce: { readonly kind: Reduction; readonly axes: readonly number[] };
  readonly scan: ScanAttributes;
  readonly reverse: { readonly axes: readonly number[] };
  readonly slice: {
    readonly starts: readonly Dim[];
    readonly limits: readonly Dim[];
    readonly strides: readonly Dim[];
  };
  readonly softmax: { readonly axis: number };
  readonly sum_pool: Pool;
  readonly take: { readonly axis: number };
  readonly transpose: { readonly permutation: readonly number[] };
  readonly while: WhileAttributes;
}

/** The attributes of `node` if it is an `op`, else null. */
export function attributesIf<Name extends keyof AttributesByOp>(
  op: Name,
  node: { readonly op: string; readonly attributes: Attributes } | undefined,
): AttributesByOp[Name] | null {
  return node?.op === op ? (node.attributes as unknown as AttributesByOp[Name]) : null;
}
