// Binding of index variables: each gets fresh labels, one a pack's axis, so that nested uses of one definition never mix.

import type { Environment, Label } from '../builtins/elaboration.ts';
import type { Index } from '../check/typed.ts';
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
