// The tensors of `params(net)` by path, with the sizes and the numbers of layers of one use.

import type { Environment } from '../builtins/elaboration.ts';
import { structureOf, type Structure } from '../check/structures.ts';
import type { ParamsType } from '../check/types.ts';
import { isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { resolveDim, resolveShape } from './sizes.ts';

/** A tensor of `params(net)`: its path below `net`, and its shape. */
interface LeafShape {
  readonly path: string;
  readonly shape: readonly Dim[];
}

/** What a value of the type has, its arrays of layers spelt out. */
export function leafShapes({ of }: ParamsType, environment: Environment): readonly LeafShape[] {
  if (of.kind !== 'instance') throw new Error(`the structure of params(${of.local.name}) is open`);
  return spelt(structureOf(of), environment);
}

function spelt({ parameters, layers }: Structure, environment: Environment): readonly LeafShape[] {
  const own = parameters.map(({ name, type }) => ({
    path: name,
    shape: resolveShape(type.shape, environment),
  }));
  const inner = layers.flatMap(({ name, count, structure }) => {
    const leaves = spelt(structure, environment);
    const below = (prefix: string) =>
      leaves.map(({ path, shape }) => ({ path: `${prefix}.${path}`, shape }));
    if (count === null) return below(name);
    const number = isConstant(resolveDim(count, environment)) ?? 0;
    return Array.from({ length: number }, (_, i) => below(`${name}.${i}`)).flat();
  });
  return [...own, ...inner];
}
