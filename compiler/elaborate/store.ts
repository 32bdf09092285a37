// The parameters, optimiser states, states and counters of one graph: an input port each, made at the first read, and the
// value that later reads see.

import type { Environment, InstanceValue } from '../builtins/elaboration.ts';
import type { TypedParameter, TypedState } from '../check/typed.ts';
import type { Dim } from '../dims/dim.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Role, TensorType, Value } from '../ir/graph.ts';
import { dtypeOfBase, resolveShape, tensorTypeOf } from './sizes.ts';

/** How the first value of an entry is made. */
export type Origin =
  | {
      readonly kind: 'parameter';
      readonly parameter: TypedParameter;
      readonly owner: InstanceValue;
    }
  | { readonly kind: 'state'; readonly state: TypedState; readonly environment: Environment }
  | { readonly kind: 'zero' };

export interface Entry {
  readonly path: string;
  readonly role: Role;
  readonly type: TensorType;
  readonly origin: Origin;
  readonly input: Value;
}

export interface Store {
  /** In the order of first reads. */
  readonly entries: Map<string, Entry>;
  /** What a read gives now. */
  readonly current: Map<string, Value>;
  /** Shapes of optimiser states, by the path of the optimiser's instance for one parameter. */
  readonly optimizerShapes: Map<string, readonly Dim[]>;
}

export const newStore = (): Store => ({
  entries: new Map(),
  current: new Map(),
  optimizerShapes: new Map(),
});

/** The value at `path` as it is now; the first read makes the port. */
function read(
  builder: GraphBuilder,
  store: Store,
  path: string,
  make: () => Omit<Entry, 'path' | 'input'>,
): Value {
  const known = store.current.get(path);
  if (known !== undefined) return known;
  const { role, type, origin } = make();
  const input = builder.input(path, role, type);
  store.entries.set(path, { path, role, type, origin, input });
  store.current.set(path, input);
  return input;
}

export const parameterPath = (owner: InstanceValue, parameter: TypedParameter): string =>
  `${owner.path}.${parameter.name}`;

export function parameterType(owner: InstanceValue, parameter: TypedParameter): TensorType {
  const { base, shape } = tensorTypeOf(parameter.type);
  return { dtype: dtypeOfBase(base), shape: resolveShape(shape, owner.environment) };
}

export const readParameter = (
  builder: GraphBuilder,
  store: Store,
  owner: InstanceValue,
  parameter: TypedParameter,
): Value =>
  read(builder, store, parameterPath(owner, parameter), () => ({
    role: 'parameter',
    type: parameterType(owner, parameter),
    origin: { kind: 'parameter', parameter, owner },
  }));

export const statePath = (owner: InstanceValue | null, state: TypedState): string =>
  owner === null ? state.name : `${owner.path}.${state.name}`;

/** A state's type: its own, or for an optimiser's the shape of the parameter it serves. */
export function stateType(
  store: Store,
  owner: InstanceValue | null,
  state: TypedState,
  environment: Environment,
): TensorType {
  if (state.type === null)
    return { dtype: 'f32', shape: store.optimizerShapes.get(owner?.path ?? '') ?? [] };
  const { base, shape } = tensorTypeOf(state.type);
  return { dtype: dtypeOfBase(base), shape: resolveShape(shape, environment) };
}

export function readState(
  builder: GraphBuilder,
  store: Store,
  owner: InstanceValue | null,
  state: TypedState,
  environment: Environment,
): Value {
  const ofOptimizer = owner !== null && store.optimizerShapes.has(owner.path);
  return read(builder, store, statePath(owner, state), () => ({
    role: ofOptimizer ? 'optimizer' : 'state',
    type: stateType(store, owner, state, environment),
    origin: { kind: 'state', state, environment },
  }));
}

export const readCounter = (builder: GraphBuilder, store: Store, path: string): Value =>
  read(builder, store, path, () => ({
    role: 'counter',
    type: { dtype: 'i32', shape: [] },
    origin: { kind: 'zero' },
  }));

/** What an optimiser has gathered for the parameter at `path`, at first nothing. */
export const readSum = (
  builder: GraphBuilder,
  store: Store,
  path: string,
  { dtype, shape }: TensorType,
): Value =>
  read(builder, store, path, () => ({
    role: 'optimizer',
    type: { dtype, shape },
    origin: { kind: 'zero' },
  }));
