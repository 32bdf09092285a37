// Binding of index variables: each gets fresh labels, one a pack's axis, so that nested uses of one definition never mix.

import type { Environment, Label } from '../builtins/elaboration.ts';
import type { Index } from '../check/typed.ts';
import { isConstant } from '../dims/arithmetic.ts';
import type { Context } from './context.ts';
import { resolveDim } from './sizes.ts';

export function bindIndex(
  context: Context,
  index: Index,
  environment: Environment,
): { readonly labels: readonly Label[]; readonly environment: Environment } {
  const labels = labelsFor(context, index, environment);
  const indices = new Map(environment.indices).set(index, labels);
  return { labels, environment: { ...environment, indices } };
}

function labelsFor(context: Context, index: Index, environment: Environment): readonly Label[] {
  if (index.pack === null)
    return [context.newLabel(index.name, resolveDim(index.range, environment))];
  const sizes = environment.packs.get(index.pack);
  if (sizes === undefined) throw new Error(`the pack ..${index.pack.name} is not bound`);
  return sizes.map((size, i) => context.newLabel(`${index.name}${i}`, size));
}

/**
 * The indices of one axis of a left side. In a group, `(g, o)`, an index that has only the value 0 gets no label at all: a
 * convolution of one group is then one without groups, and nothing is taken apart.
 */
export function bindGroup(
  context: Context,
  group: readonly Index[],
  environment: Environment,
): { readonly labels: readonly Label[]; readonly environment: Environment } {
  const indices = new Map(environment.indices);
  const labels = group.flatMap((index) => {
    const alone = group.length === 1 || index.pack !== null;
    const single = !alone && isConstant(resolveDim(index.range, environment)) === 1;
    const own = single ? [] : labelsFor(context, index, environment);
    indices.set(index, own);
    return own;
  });
  return { labels, environment: { ...environment, indices } };
}
