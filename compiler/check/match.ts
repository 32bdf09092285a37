// Types of arguments against types of parameters: equations between sizes, each with its origin, and what packs stand for.

import type { Span } from '../../grammar/source.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import type { DimVar, PackVar } from '../dims/dim.ts';
import { matchShapes, substituteShape, type Match, type Shape } from '../dims/shape.ts';
import type { Equation } from '../dims/solve.ts';
import { difference } from './structures.ts';
import { tableOf } from './records.ts';
import type { TypedExpression } from './typed.ts';
import type { Base, ParamsType, TensorType, Type } from './types.ts';

/** Where an equation comes from. */
export interface SizeOrigin {
  /** Where to point: the argument, or the callee of a pipe. */
  readonly span: Span;
  readonly parameter: string | null;
  readonly declared: Span | null;
  /** The parameter's shape as written, the argument's, and the axes that have to agree; null for `fin`'s size. */
  readonly pattern: Shape;
  readonly actual: Shape;
  readonly expectedAxis: number | null;
  readonly actualAxis: number | null;
}

export interface Matching {
  readonly dims: ReadonlySet<DimVar>;
  readonly packs: ReadonlySet<PackVar>;
  readonly bound: Map<PackVar, Shape>;
  readonly equations: Equation<SizeOrigin>[];
  /** Ranges of indices are still to be found. */
  readonly trial: boolean;
}

export const newMatching = (
  quantified: readonly (DimVar | PackVar)[],
  trial: boolean,
): Matching => ({
  trial,
  dims: new Set(quantified.filter((v) => v.kind === 'variable')),
  packs: new Set(quantified.filter((v) => v.kind === 'pack')),
  bound: new Map(),
  equations: [],
});

export type Mismatch =
  | { readonly kind: 'type'; readonly found: Type; readonly wanted: Type }
  | {
      readonly kind: 'shape';
      readonly match: Exclude<Match, { kind: 'matched' }>;
      readonly found: TensorType;
      readonly wanted: TensorType;
    };

type Place = Pick<SizeOrigin, 'span' | 'parameter' | 'declared'>;

/** Lines `actual` up with `wanted`, which may have sizes and packs that are not known yet. */
export function matchTypes(
  matching: Matching,
  wanted: Type,
  actual: Type,
  place: Place,
  value: TypedExpression | null,
): Mismatch | null {
  if (wanted.kind === 'unknown' || actual.kind === 'unknown') return null;
  if (wanted.kind === 'tensor' && actual.kind === 'tensor')
    return matchTensors(matching, wanted, actual, place, value);
  if (wanted.kind === 'tuple' && actual.kind === 'tuple') {
    if (wanted.fields.length !== actual.fields.length)
      return { kind: 'type', found: actual, wanted };
    for (const [i, field] of wanted.fields.entries()) {
      const mismatch = matchTypes(matching, field.type, actual.fields[i].type, place, null);
      if (mismatch !== null) return mismatch;
    }
    return null;
  }
  if (wanted.kind === 'tuple' && actual.kind === 'instance') {
    for (const field of wanted.fields) {
      const table = tableOf(actual, field.name);
      if (table === null) return { kind: 'type', found: actual, wanted };
      const mismatch = matchTypes(matching, field.type, table.type, place, null);
      if (mismatch !== null) return mismatch;
    }
    return null;
  }
  if (wanted.kind === 'instance' && actual.kind === 'instance' && wanted.model === actual.model) {
    for (const [v, left] of wanted.bindings.dims) {
      const right = actual.bindings.dims.get(v);
      if (right !== undefined)
        matching.equations.push({ left, right, origin: originOf(place, [], []) });
    }
    return null;
  }
  if (
    wanted.kind === 'params' &&
    actual.kind === 'params' &&
    matchParams(matching, wanted, actual, place)
  )
    return null;
  return { kind: 'type', found: actual, wanted };
}

/** Parameters fit where their structures agree, or by some choice of the sizes that are not known yet. */
function matchParams(
  matching: Matching,
  wanted: ParamsType,
  actual: ParamsType,
  place: Place,
): boolean {
  const { of } = wanted;
  if (of.kind !== 'instance' || actual.of.kind !== 'instance' || of.model !== actual.of.model)
    return difference(wanted, actual, noAssumptions) === null;
  return matchTypes(matching, of, actual.of, place, null) === null;
}

const originOf = (
  place: Place,
  pattern: Shape,
  actual: Shape,
  expectedAxis: number | null = null,
  actualAxis: number | null = null,
): SizeOrigin => ({ ...place, pattern, actual, expectedAxis, actualAxis });

function matchTensors(
  matching: Matching,
  wanted: TensorType,
  actual: TensorType,
  place: Place,
  value: TypedExpression | null,
): Mismatch | null {
  if (!basesFit(matching, wanted.base, actual, place, value))
    return { kind: 'type', found: actual, wanted };
  const pattern = substituteShape(wanted.shape, matching.bound, (d) => d);
  const unknown = new Set([...matching.packs].filter((p) => !matching.bound.has(p)));
  const match = matchShapes(pattern, actual.shape, unknown);
  if (match.kind !== 'matched') return { kind: 'shape', match, found: actual, wanted };
  for (const [pack, shape] of match.packs) matching.bound.set(pack, shape);
  for (const { left, right, expectedAxis, actualAxis } of match.equations)
    matching.equations.push({
      left,
      right,
      origin: originOf(place, pattern, actual.shape, expectedAxis, actualAxis),
    });
  return null;
}

const order: Readonly<Record<Base['kind'], number>> = { fin: 0, int: 1, real: 2, bool: 9 };

/** Whether the base converts; two `fin` must have one size, and a number fits a `fin` by proof, later. */
function basesFit(
  matching: Matching,
  wanted: Base,
  actual: TensorType,
  place: Place,
  value: TypedExpression | null,
): boolean {
  const { base } = actual;
  if (wanted.kind === 'fin') {
    if (base.kind === 'fin') {
      const isIndex = value?.kind === 'index';
      if (
        !isIndex ||
        matching.trial ||
        [...matching.dims].some((v) => wanted.size.key.includes(`#${v.id}`))
      )
        matching.equations.push({
          left: wanted.size,
          right: base.size,
          origin: originOf(place, actual.shape, actual.shape),
        });
      return true;
    }
    return base.kind === 'int' && (value === null || actual.shape.length === 0);
  }
  if (wanted.kind === 'bool' || base.kind === 'bool') return wanted.kind === base.kind;
  return order[base.kind] <= order[wanted.kind];
}
