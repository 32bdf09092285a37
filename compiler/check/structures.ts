// The structure of a layer's parameters: which there are, by path, and of what type. Two `params(...)` go together where their
// structures agree, whatever the models are called.

import type { Assumptions } from '../dims/assumptions.ts';
import type { Dim } from '../dims/dim.ts';
import { proveEqual } from '../dims/prove.ts';
import { showDim } from '../dims/show.ts';
import { compareShapes } from './compare-shapes.ts';
import { showType } from './show.ts';
import { substituteSize, substituteType } from './substitute.ts';
import type { TypedModel } from './typed.ts';
import type { InstanceType, ParamsType, TensorType } from './types.ts';

/** A tensor of the structure; in an array of layers it stands for one in each. */
export interface Leaf {
  /** `l1.W`, `steps[3].W` */
  readonly path: string;
  readonly counts: readonly Dim[];
  readonly type: TensorType;
}

export interface Structure {
  readonly parameters: readonly { readonly name: string; readonly type: TensorType }[];
  readonly layers: readonly {
    readonly name: string;
    readonly count: Dim | null;
    readonly structure: Structure;
  }[];
}

/** The parameters of a layer in the order of their declarations, those of its layers after its own. */
export function structureOf(
  { model, bindings }: InstanceType,
  around: readonly TypedModel[] = [],
): Structure {
  // A model inside itself is an error of its own; here it must end.
  if (around.includes(model)) return { parameters: [], layers: [] };
  return {
    parameters: model.parameters.flatMap(({ name, type }) => {
      const own = substituteType(type, bindings);
      return own.kind === 'tensor' ? [{ name, type: own }] : [];
    }),
    layers: model.layers.flatMap(({ name, count, value }) => {
      const type = substituteType(value.type, bindings);
      if (type.kind !== 'instance') return [];
      const structure = structureOf(type, [...around, model]);
      const size = count === null ? null : substituteSize(count, bindings);
      return [{ name, count: size, structure }];
    }),
  };
}

export function leavesOf({ parameters, layers }: Structure): readonly Leaf[] {
  return [
    ...parameters.map(({ name, type }) => ({ path: name, counts: [], type })),
    ...layers.flatMap(({ name, count, structure }) =>
      leavesOf(structure).map(({ path, counts, type }) => ({
        path: `${name}${count === null ? '' : '[]'}.${path}`,
        counts: count === null ? counts : [count, ...counts],
        type,
      })),
    ),
  ];
}

/** How two leaves of one path differ, as types of `left` and `right`; null where they agree. */
function leafDifference(
  [a, left]: readonly [Leaf, ParamsType],
  [b, right]: readonly [Leaf, ParamsType],
  assumptions: Assumptions,
): string | null {
  const differ = (x: string, y: string): string =>
    `\`${a.path}\` is ${x} in ${showType(left)} and ${y} in ${showType(right)}`;
  if (compareShapes(a.type.shape, b.type.shape, assumptions).kind !== 'equal')
    return differ(showType(a.type), showType(b.type));
  const at = a.counts.findIndex(
    (count, i) => proveEqual(count, b.counts[i], assumptions).kind !== 'proved',
  );
  const layers = (count: Dim): string => `in an array of ${showDim(count)} layers`;
  return at < 0 ? null : differ(layers(a.counts[at]), layers(b.counts[at]));
}

/** How the structures differ, by the first path that does; null where they agree for all sizes. */
export function difference(a: ParamsType, b: ParamsType, assumptions: Assumptions): string | null {
  if (a.of.kind !== 'instance' || b.of.kind !== 'instance') {
    const same = a.of.kind !== 'instance' && b.of.kind !== 'instance' && a.of.local === b.of.local;
    return same ? null : `one is ${showType(a)} and the other ${showType(b)}`;
  }
  const [left, right] = [leavesOf(structureOf(a.of)), leavesOf(structureOf(b.of))];
  for (const [i, leaf] of left.entries()) {
    const other = right.find(({ path }) => path === leaf.path);
    if (other === undefined) return `only ${showType(a)} has \`${leaf.path}\``;
    const found = leafDifference([leaf, a], [other, b], assumptions);
    if (found !== null) return found;
    if (right[i].path !== leaf.path) return `\`${leaf.path}\` stands in another place`;
  }
  const extra = right[left.length];
  return extra === undefined ? null : `only ${showType(b)} has \`${extra.path}\``;
}
