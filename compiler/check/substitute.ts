// Types with their sizes replaced: what a definition's types are at a use.

import { substitute as substituteDim } from '../dims/arithmetic.ts';
import type { Dim, PackVar } from '../dims/dim.ts';
import { sizeOf, substituteShape, type Shape } from '../dims/shape.ts';
import type { TypedExpression } from './typed.ts';
import type { Base, Bindings, Type } from './types.ts';

export const noBindings: Bindings = { dims: new Map(), packs: new Map() };

const packSizes = (bindings: Bindings): ReadonlyMap<PackVar, Dim> =>
  new Map([...bindings.packs].map(([pack, shape]) => [pack, sizeOf(shape)]));

export const substituteSize = (dim: Dim, bindings: Bindings): Dim =>
  substituteDim(dim, bindings.dims, packSizes(bindings));

const substituteBase = (base: Base, bindings: Bindings): Base =>
  base.kind === 'fin' ? { kind: 'fin', size: substituteSize(base.size, bindings) } : base;

export const substituteShapes = (shape: Shape, bindings: Bindings): Shape =>
  substituteShape(shape, bindings.packs, (d) => substituteSize(d, bindings));

/** Bindings whose sizes are themselves substituted: of an instance inside a model, seen from outside. */
export function composeBindings(inner: Bindings, outer: Bindings): Bindings {
  if (outer.dims.size === 0 && outer.packs.size === 0) return inner;
  return {
    dims: new Map([...inner.dims].map(([v, d]) => [v, substituteSize(d, outer)])),
    packs: new Map([...inner.packs].map(([p, s]) => [p, substituteShapes(s, outer)])),
  };
}

export function substituteType(type: Type, bindings: Bindings): Type {
  if (bindings.dims.size === 0 && bindings.packs.size === 0) return type;
  const again = (of: Type): Type => substituteType(of, bindings);
  switch (type.kind) {
    case 'unknown':
      return type;
    case 'tensor':
      return {
        kind: 'tensor',
        base: substituteBase(type.base, bindings),
        shape: substituteShapes(type.shape, bindings),
      };
    case 'tuple': {
      const { spaces } = type;
      const fields = type.fields.map((f) => ({ ...f, type: again(f.type) }));
      if (spaces === undefined) return { ...type, fields };
      const sizes = [...spaces].map(
        ([name, dim]) => [name, substituteSize(dim, bindings)] as const,
      );
      return { ...type, fields, spaces: new Map(sizes) };
    }
    case 'function':
      return {
        ...type,
        parameters: type.parameters.map((p) => ({ ...p, type: again(p.type) })),
        result: again(type.result),
      };
    case 'instance':
      return { ...type, bindings: composeBindings(type.bindings, bindings) };
    case 'params':
      return type.of.kind === 'instance'
        ? { ...type, of: { ...type.of, bindings: composeBindings(type.of.bindings, bindings) } }
        : type;
  }
}

/**
 * A default value with the sizes of the definition it stands in replaced by those of a use. Defaults are small:
 * numbers, sizes, arithmetic of those, names of functions.
 */
export function substituteDefault(
  expression: TypedExpression,
  bindings: Bindings,
): TypedExpression {
  const type = substituteType(expression.type, bindings);
  const again = (of: TypedExpression): TypedExpression => substituteDefault(of, bindings);
  switch (expression.kind) {
    case 'dim':
      return { ...expression, type, dim: substituteSize(expression.dim, bindings) };
    case 'convert':
      return { ...expression, type, value: again(expression.value) };
    case 'builtin':
      return {
        ...expression,
        type,
        bindings: composeBindings(expression.bindings, bindings),
        arguments: expression.arguments.map(again),
      };
    case 'call':
      return {
        ...expression,
        type,
        bindings: composeBindings(expression.bindings, bindings),
        arguments: expression.arguments.map(again),
      };
    case 'array':
      return { ...expression, type, items: expression.items.map(again) };
    default:
      return expression;
  }
}
