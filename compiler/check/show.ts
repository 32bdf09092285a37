// Types and shapes as messages write them, in the syntax of the language.

import { showDim } from '../dims/show.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import type { TypedModel } from './typed.ts';
import type { Base, ParamsType, Type } from './types.ts';

const showAxis = (axis: Axis): string =>
  axis.kind === 'pack' ? `..${axis.pack.name}` : showDim(axis.size);

/** `[..B, 2 * n]`; a scalar's shape is `[]`. */
export const showShape = (shape: Shape): string => `[${shape.map(showAxis).join(', ')}]`;

export const showBase = (base: Base): string =>
  base.kind === 'fin' ? `fin(${showDim(base.size)})` : base.kind;

/** `[B, n]`, `real`, `fin(V)[T]`, `(mu: [B], lv: [B])`, `([n]) -> [n]`, `Dense`. */
export function showType(type: Type): string {
  switch (type.kind) {
    case 'unknown':
      return 'unknown';
    case 'tensor': {
      if (type.shape.length === 0) return showBase(type.base);
      const base = type.base.kind === 'real' ? '' : showBase(type.base);
      return `${base}${showShape(type.shape)}`;
    }
    case 'tuple':
      return type.spaces !== undefined ? 'mdp' : `(${showFields(type.fields)})`;
    case 'function':
      return `(${showFields(type.parameters)}) -> ${showType(type.result)}`;
    case 'instance':
      return type.model.name;
    case 'params':
      return `params(${showOwner(type)})`;
  }
}

/** Whose parameters: `f`, or the model with its sizes. */
function showOwner({ of }: ParamsType): string {
  if (of.kind === 'function-parameter') return of.local.name;
  const sizes = [...of.bindings.dims.values()].map(showDim);
  return sizes.length === 0 ? of.model.name : `${of.model.name}(${sizes.join(', ')})`;
}

const showFields = (
  fields: readonly { readonly name: string | null; readonly type: Type }[],
): string =>
  fields.map((f) => (f.name === null ? '' : `${f.name}: `) + showType(f.type)).join(', ');

const instanceWords: Readonly<Record<TypedModel['keyword'], string>> = {
  model: 'a layer',
  bijector: 'a bijector',
  optimizer: 'an optimizer',
  schedule: 'a schedule',
  mdp: 'a decision process',
};

/** What kind of thing a value of this type is, for a sentence. */
export function describe(type: Type): string {
  switch (type.kind) {
    case 'unknown':
      return 'a broken value';
    case 'tensor':
      return type.shape.length === 0
        ? `a number (${showType(type)})`
        : `a tensor ${showType(type)}`;
    case 'tuple':
      return type.spaces !== undefined ? 'a decision process (mdp)' : `a tuple ${showType(type)}`;
    case 'function':
      return `a function ${showType(type)}`;
    case 'instance':
      return `${instanceWords[type.model.keyword]} (${type.model.name})`;
    case 'params':
      return `the parameters ${showType(type)}`;
  }
}
