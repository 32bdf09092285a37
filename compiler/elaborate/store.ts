// The parameters, optimiser states, states and counters of one graph: an input port each, made at the first read, and the
// value that later reads see.

import type {
  Elaborated,
  Environment,
  InstanceValue,
  TensorValue,
} from '../builtins/elaboration.ts';
import { tensorOf } from '../builtins/labelled.ts';
import type { TypedParameter, TypedState } from '../check/typed.ts';
import type { Dim } from '../dims/dim.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Role, TensorType, Value } from '../ir/graph.ts';
import { dtypeOfBase, resolveShape, tensorTypeOf } from './sizes.ts';
import { leafShapes } from './structures.ts';

/** How the first value of an entry is made. */
export type Origin =
  | {
      readonly kind: 'parameter';
      readonly parameter: TypedParameter;
      readonly owner: InstanceValue;
    }
  /** `item`: which tensor of a state that has several. */
  | {
      readonly kind: 'state';
      readonly state: TypedState;
      readonly environment: Environment;
      readonly item: number | null;
    }
  | { readonly kind: 'zero' };

/** What has a value between the steps of a program. */
export interface Stored {
  readonly path: string;
  /** The path whose first value it has. */
  readonly firstAt: string;
  readonly role: Role;
  readonly type: TensorType;
  readonly origin: Origin;
}

export interface Entry extends Stored {
  readonly input: Value;
}

export interface Store {
  /** In the order of first reads. */
  readonly entries: Map<string, Entry>;
  /** What a read gives now. */
  readonly current: Map<string, Value>;
  /** Shapes of optimiser states, by the path of the optimiser's instance for one parameter. */
  readonly optimizerShapes: Map<string, readonly Dim[]>;
  /** What the first read gives: an input of the graph, or where first values are made, the first value. */
  readonly first: (stored: Stored) => Value;
  readonly counts: { others: number };
}

export const newStore = (first: Store['first']): Store => ({
  entries: new Map(),
  current: new Map(),
  optimizerShapes: new Map(),
  first,
  counts: { others: 0 },
});

/** A store whose first reads make ports. */
export const portStore = (builder: GraphBuilder): Store =>
  newStore(({ path, role, type }) => builder.input(path, role, type));

/** The value at `path` as it is now; null where nothing has read it. */
export const currentValue = (store: Store, path: string): Value | null =>
  store.current.get(path) ?? store.entries.get(path)?.input ?? null;

/** The value at `path`, which something has read. */
export function valueAt(store: Store, path: string): Value {
  const value = currentValue(store, path);
  if (value === null) throw new Error(`${path} has no value`);
  return value;
}

/** The value at `path` as it is now; the first read makes it. */
export function read(store: Store, stored: Stored): Value {
  const { path } = stored;
  const known = currentValue(store, path);
  if (known !== null) return known;
  const input = store.first(stored);
  store.entries.set(path, { ...stored, input });
  store.current.set(path, input);
  return input;
}

// ---- parameters ---------------------------------------------------------------------------------------------------

export const parameterPath = (owner: InstanceValue, parameter: TypedParameter): string =>
  `${owner.path}.${parameter.name}`;

export function storedParameter(owner: InstanceValue, parameter: TypedParameter): Stored {
  const { base, shape } = tensorTypeOf(parameter.type);
  return {
    path: parameterPath(owner, parameter),
    firstAt: `${owner.firstAt}.${parameter.name}`,
    role: 'parameter',
    type: { dtype: dtypeOfBase(base), shape: resolveShape(shape, owner.environment) },
    origin: { kind: 'parameter', parameter, owner },
  };
}

export function readParameter(
  store: Store,
  owner: InstanceValue,
  parameter: TypedParameter,
): TensorValue {
  const path = parameterPath(owner, parameter);
  for (let { other } = owner; other !== null; other = other.around) {
    const value = other.values.get(path);
    if (value !== undefined) return value;
  }
  return tensorOf(read(store, storedParameter(owner, parameter)));
}

// ---- states -------------------------------------------------------------------------------------------------------

const statePath = (owner: InstanceValue | null, state: TypedState): string =>
  owner === null ? state.name : `${owner.path}.${state.name}`;

/** The tensors of a state: one at its own path, or those of `params(net)` below it. */
export function storedState(
  store: Store,
  owner: InstanceValue | null,
  state: TypedState,
  environment: Environment,
): readonly Stored[] {
  const path = statePath(owner, state);
  const firstAt = owner === null ? path : `${owner.firstAt}.${state.name}`;
  const ofOptimizer = owner !== null && store.optimizerShapes.has(owner.path);
  const role = ofOptimizer ? 'optimizer' : 'state';
  const origin = { kind: 'state' as const, state, environment, item: null };
  const { type } = state;
  if (type?.kind === 'params')
    return leafShapes(type, environment).map((leaf, item) => ({
      path: `${path}.${leaf.path}`,
      firstAt: `${firstAt}.${leaf.path}`,
      role,
      type: { dtype: 'f32' as const, shape: leaf.shape },
      origin: { ...origin, item },
    }));
  if (type === null)
    return [
      {
        path,
        firstAt,
        role,
        type: { dtype: 'f32', shape: store.optimizerShapes.get(owner?.path ?? '') ?? [] },
        origin,
      },
    ];
  const { base, shape } = tensorTypeOf(type);
  const dtype = dtypeOfBase(base);
  return [
    { path, firstAt, role, type: { dtype, shape: resolveShape(shape, environment) }, origin },
  ];
}

/** Where a state is kept: in a call with other parameters, apart from that of the layer. */
const keyOf = (owner: InstanceValue | null, { path }: Stored): string =>
  owner === null || owner.other === null ? path : `${path} with ${owner.other.id}`;

export function readState(
  store: Store,
  owner: InstanceValue | null,
  state: TypedState,
  environment: Environment,
): Elaborated {
  const items = storedState(store, owner, state, environment).map((stored) =>
    tensorOf(store.current.get(keyOf(owner, stored)) ?? read(store, stored)),
  );
  return state.type?.kind === 'params' ? { kind: 'tuple', items } : items[0];
}

/** Later reads give the values, one a tensor of the state. */
export function writeState(
  store: Store,
  owner: InstanceValue | null,
  stored: readonly Stored[],
  values: readonly Value[],
): void {
  stored.forEach((entry, i) => store.current.set(keyOf(owner, entry), values[i]));
}

/** Begins what a call with other parameters does with a state, at the value that the layer around has. */
export function keepApart(store: Store, owner: InstanceValue, state: TypedState): void {
  const around = { ...owner, other: owner.other?.around ?? null };
  for (const stored of storedState(store, owner, state, owner.environment)) {
    const value = store.current.get(keyOf(around, stored)) ?? read(store, stored);
    store.current.set(keyOf(owner, stored), value);
  }
}

// ---- counters -----------------------------------------------------------------------------------------------------

export const readCounter = (store: Store, path: string): Value =>
  read(store, {
    path,
    firstAt: path,
    role: 'counter',
    type: { dtype: 'i32', shape: [] },
    origin: { kind: 'zero' },
  });

/** What an optimiser has gathered for the parameter at `path`, at first nothing. */
export const readSum = (store: Store, path: string, { dtype, shape }: TensorType): Value =>
  read(store, {
    path,
    firstAt: path,
    role: 'optimizer',
    type: { dtype, shape },
    origin: { kind: 'zero' },
  });
