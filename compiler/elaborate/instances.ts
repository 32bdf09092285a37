// Model instances: a model with its sizes and hyper-parameters evaluated, at a path. Each path has one instance a graph, so that a
// layer used twice is shared.

import type {
  Elaborated,
  Environment,
  InstanceValue,
  TensorValue,
} from '../builtins/elaboration.ts';
import type { Instantiation, Local, TypedConstant, TypedLayer } from '../check/typed.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { E0704 } from '../diagnostics/elaboration.ts';
import { isConstant } from '../dims/arithmetic.ts';
import type { Dim, DimVar } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import { emptyEnvironment, refuse, type Context } from './context.ts';
import { withoutDraws } from './draws.ts';
import { resolveDim } from './sizes.ts';

/** The environment in which members of a model, or the top level, are evaluated. */
export const environmentOf = (owner: InstanceValue | null): Environment =>
  owner?.environment ?? emptyEnvironment;

/** The instance at `path`, whose sizes and hyper-parameters are given in terms of `environment`. */
export function instantiate(
  context: Context,
  { type, values }: Instantiation,
  path: string,
  environment: Environment,
  { other, firstAt }: Pick<InstanceValue, 'other' | 'firstAt'> = { other: null, firstAt: path },
): InstanceValue {
  const { model } = type;
  const dims = new Map<DimVar, Dim>();
  for (const [variable, dim] of type.bindings.dims)
    dims.set(variable, resolveDim(dim, environment));
  const packs = new Map(environment.packs);
  const locals = new Map<Local, Elaborated>();
  for (const [local, value] of values) locals.set(local, context.evaluate(value, environment));
  const own: Environment = { ...emptyEnvironment, dims, packs, locals, path };
  for (const parameter of model.hyperParameters) {
    if (parameter.kind === 'value' && !locals.has(parameter.local) && parameter.default !== null)
      locals.set(parameter.local, context.evaluate(parameter.default, own));
  }
  return withSelf({ model, path, environment: own, other, firstAt });
}

/** The environment of an instance names the instance itself. */
function withSelf({ environment, ...rest }: Omit<InstanceValue, 'kind'>): InstanceValue {
  const closed = { ...environment };
  const instance: InstanceValue = { kind: 'instance', ...rest, environment: closed };
  closed.self = instance;
  return instance;
}

/** The same layer with other parameters, by path. */
export const withOther = (
  instance: InstanceValue,
  values: ReadonlyMap<string, TensorValue>,
  id: number,
): InstanceValue =>
  withSelf({
    ...instance,
    other: { id, values, around: instance.other, instances: new Map() },
  });

/** A layer like `instance` at another path, with the same first values. */
function likeness(instance: Elaborated, path: string): InstanceValue {
  if (instance.kind !== 'instance') throw new Error(`a ${instance.kind} has no average`);
  return withSelf({ ...instance, path, environment: { ...instance.environment, path } });
}

const MOST_LAYERS = 10_000;

/** A layer: one instance, or an array of them. */
export function layerValue(
  context: Context,
  layer: TypedLayer,
  owner: InstanceValue | null,
): Elaborated {
  const { name } = layer;
  const within = (parent: string | undefined): string =>
    parent === undefined ? name : `${parent}.${name}`;
  const at: Place = {
    path: within(owner?.path),
    firstAt: within(owner?.firstAt),
    environment: environmentOf(owner),
    other: owner?.other ?? null,
  };
  if (layer.count === null) return layerInstance(context, layer, at);
  const size = resolveDim(layer.count, at.environment);
  const count = isConstant(size);
  if (count === null) throw new Error(`the number of layers ${at.path} is not known`);
  if (count > MOST_LAYERS) {
    const data = { name: at.path, count: showDim(size), most: MOST_LAYERS };
    refuse(report(E0704, { span: layer.span, data }));
  }
  const items = Array.from({ length: count }, (_, i) =>
    layerInstance(context, layer, {
      ...at,
      path: `${at.path}.${i}`,
      firstAt: `${at.firstAt}.${i}`,
    }),
  );
  return { kind: 'layers', items };
}

/** Where a layer stands, and in what. */
type Place = Pick<InstanceValue, 'path' | 'firstAt' | 'environment' | 'other'>;

function layerInstance(context: Context, layer: TypedLayer, at: Place): InstanceValue {
  const { path, environment, other } = at;
  const instances = other?.instances ?? context.instances;
  const known = instances.get(path);
  if (known !== undefined) return known;
  // It outlives the loop that may ask for it first.
  const { root } = context;
  const instance = withoutDraws(root, () =>
    layer.follows === null
      ? instantiate(root, layer.value, path, environment, at)
      : likeness(root.evaluate(layer.follows, environment), path),
  );
  instances.set(path, instance);
  return instance;
}

/** All instances inside one, itself first, in the declared order. */
export function instancesWithin(context: Context, value: Elaborated): InstanceValue[] {
  if (value.kind === 'layers') return value.items.flatMap((item) => instancesWithin(context, item));
  if (value.kind !== 'instance') return [];
  const inner = value.model.layers.map((layer) => layerValue(context, layer, value));
  return [value, ...inner.flatMap((item) => instancesWithin(context, item))];
}

/** A constant, evaluated once an owner. */
export function constantValue(
  context: Context,
  constant: TypedConstant,
  owner: InstanceValue | null,
): Elaborated {
  // It may be computed from the parameters, which are others here.
  if (owner !== null && owner.other !== null)
    return withoutDraws(context, () => context.evaluate(constant.value, owner.environment));
  const path = owner?.path ?? '';
  const byOwner = context.constants.get(constant) ?? new Map<string, Elaborated>();
  context.constants.set(constant, byOwner);
  let value = byOwner.get(path);
  if (value === undefined) {
    const { root } = context;
    value = withoutDraws(root, () => root.evaluate(constant.value, environmentOf(owner)));
    byOwner.set(path, value);
  }
  return value;
}
