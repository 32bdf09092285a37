// What goes from round to round of a loop: its carries, and whatever else its body turns out to update, states and the carries of
// loops around it. Each tensor of these is one value that the loop's operation carries.

import type { Elaborated, Environment, Label, TensorValue } from '../builtins/elaboration.ts';
import {
  asTensor,
  dtypeOf,
  ownShape,
  spread,
  tensorOf,
  unionOfLabels,
} from '../builtins/labelled.ts';
import type { Carry, Local } from '../check/typed.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import type { Context } from './context.ts';
import { leavesOf, withLeaves } from './leaves.ts';
import { currentValue } from './store.ts';

type Locals = Map<Local, Elaborated>;

/** Where a carried value is kept while statements run. */
type Place =
  | { readonly kind: 'local'; readonly local: Local }
  | { readonly kind: 'state'; readonly path: string };

export interface Plan {
  readonly places: readonly Place[];
  /** The values before the first round. */
  readonly firsts: readonly Elaborated[];
  /** For each of their leaves: the index variables that it varies along in some round. */
  readonly labels: readonly (readonly Label[])[];
}

/** A first plan, of the declared carries alone. */
export function planOf(
  context: Context,
  carries: readonly Pick<Carry, 'inside' | 'initial'>[],
  environment: Environment,
): Plan {
  const firsts = carries.map(({ initial }) => context.evaluate(initial, environment));
  return extended({ places: [], firsts: [], labels: [] }, carries.map(localPlace), firsts);
}

const localPlace = ({ inside }: Pick<Carry, 'inside'>): Place => ({ kind: 'local', local: inside });

/** `plan` with one more local that is carried. */
export const withLocal = (plan: Plan, local: Local, first: Elaborated): Plan =>
  extended(plan, [{ kind: 'local', local }], [first]);

function extended(plan: Plan, places: readonly Place[], firsts: readonly Elaborated[]): Plan {
  const labels = firsts
    .flatMap(leavesOf)
    .map((leaf): readonly Label[] => (leaf.kind === 'tensor' ? leaf.labels : []));
  return {
    places: [...plan.places, ...places],
    firsts: [...plan.firsts, ...firsts],
    labels: [...plan.labels, ...labels],
  };
}

function read(place: Place, context: Context, locals: ReadonlyMap<Local, Elaborated>): Elaborated {
  if (place.kind === 'local') {
    const value = locals.get(place.local);
    if (value !== undefined) return value;
  } else {
    const value = currentValue(context.store, place.path);
    if (value !== null) return tensorOf(value);
  }
  throw new Error('a carried value is gone');
}

function write(place: Place, context: Context, locals: Locals, value: Elaborated): void {
  if (place.kind === 'local') locals.set(place.local, value);
  else if (value.kind === 'tensor') context.store.current.set(place.path, value.value);
}

/** The carried values, before or after a round. */
export const readAll = (plan: Plan, context: Context, locals: Locals): readonly Elaborated[] =>
  plan.places.map((place) => read(place, context, locals));

export const writeAll = (
  plan: Plan,
  context: Context,
  locals: Locals,
  values: readonly Elaborated[],
): void => plan.places.forEach((place, i) => write(place, context, locals, values[i]));

const tensorLeaf = (builder: Builder, leaf: Elaborated): TensorValue =>
  asTensor(builder, leaf, dtypeOf(leaf));

/** The first values, tensor by tensor, as they go into the loop. */
export function initialValues({ firsts, labels }: Plan, builder: Builder): readonly Value[] {
  return firsts.flatMap(leavesOf).map((leaf, i) => {
    const t = tensorLeaf(builder, leaf);
    return spread(builder, t, labels[i], ownShape(t));
  });
}

/** The carried values from the loop's tensors. */
export function fromValues(plan: Plan, values: readonly Value[]): readonly Elaborated[] {
  let at = 0;
  return plan.firsts.map((first) => {
    const count = leavesOf(first).length;
    const leaves = values
      .slice(at, at + count)
      .map((value, i) => tensorOf(value, plan.labels[at + i]));
    at += count;
    return withLeaves(first, leaves);
  });
}

/**
 * The tensors after a round in `inner`, as the loop carries them; or the plan that this round shows to be needed: more places, or
 * values that vary along more index variables.
 */
export function nextValues(
  plan: Plan,
  outer: { readonly context: Context; readonly locals: ReadonlyMap<Local, Elaborated> },
  inner: { readonly context: Context; readonly locals: Locals },
): { readonly values: readonly Value[] } | { readonly plan: Plan } {
  const { builder } = inner.context;
  const firsts = plan.firsts.flatMap(leavesOf).map((leaf) => tensorLeaf(builder, leaf));
  const nexts = readAll(plan, inner.context, inner.locals)
    .flatMap(leavesOf)
    .map((leaf, i) => asTensor(builder, leaf, firsts[i].value.dtype));
  const labels = nexts.map(({ labels: own }, i) =>
    unionOfLabels([{ labels: own }, { labels: plan.labels[i] }]),
  );
  const grows = labels.some((all, i) => all.length > plan.labels[i].length);
  const more = newPlaces(plan, outer, inner);
  if (grows || more.length > 0) {
    const others = more.map((place) => read(place, outer.context, outer.locals));
    return { plan: extended({ ...plan, labels }, more, others) };
  }
  return {
    values: nexts.map((next, i) => spread(builder, next, plan.labels[i], ownShape(firsts[i]))),
  };
}

/** What the round changed and the plan does not carry; not what it made for itself. */
function newPlaces(
  plan: Plan,
  outer: { readonly context: Context; readonly locals: ReadonlyMap<Local, Elaborated> },
  inner: { readonly context: Context; readonly locals: Locals },
): readonly Place[] {
  const carried = new Set(
    plan.places.map((place) => (place.kind === 'local' ? place.local : place.path)),
  );
  const locals = [...outer.locals].flatMap(([local, value]): Place[] =>
    carried.has(local) || inner.locals.get(local) === value ? [] : [{ kind: 'local', local }],
  );
  const states = [...inner.context.store.current].flatMap(([path, value]): Place[] => {
    const before = currentValue(outer.context.store, path);
    return carried.has(path) || before === null || before === value
      ? []
      : [{ kind: 'state', path }];
  });
  return [...locals, ...states];
}
