// First values: the graph that draws parameters from a seed and fills states. The draw of a parameter depends on the seed and
// its path alone, so all init graphs of a program agree.

import type { Environment, InstanceValue } from '../builtins/elaboration.ts';
import { asTensor, spread, tensorOf } from '../builtins/labelled.ts';
import type { TypedExpression, TypedLayer, TypedParameter } from '../check/typed.ts';
import type { Graph, Role, TensorType, Value } from '../ir/graph.ts';
import type { Context } from './context.ts';
import { asFirstValue } from './draws.ts';
import { instancesWithin, layerValue } from './instances.ts';
import { newContext } from './new-context.ts';
import {
  parameterPath,
  parameterType,
  statePath,
  stateType,
  type Entry,
  type Origin,
} from './store.ts';

type Wanted = Pick<Entry, 'path' | 'role' | 'type' | 'origin'>;

/** The graph that gives the first value of every entry under its path, from the input `seed`. */
export function initGraph(name: string, entries: Iterable<Wanted>): Graph {
  const context = newContext(false, name);
  const { builder } = context;
  const seed = context.draws.seed();
  for (const { path, role, type, origin } of entries)
    builder.at({ path, span: spanOf(origin) }, () =>
      asFirstValue(context, path, () =>
        builder.output(path, role, firstValue(context, seed, path, type, origin)),
      ),
    );
  return builder.graph(name);
}

const spanOf = (origin: Origin): TypedParameter['span'] | null => {
  if (origin.kind === 'parameter') return origin.parameter.span;
  return origin.kind === 'state' ? origin.state.span : null;
};

function firstValue(
  context: Context,
  seed: Value,
  path: string,
  type: TensorType,
  origin: Origin,
): Value {
  if (origin.kind === 'zero') return context.builder.full(0, type.shape, type.dtype);
  if (origin.kind === 'state')
    return filled(context, origin.state.initial, origin.environment, type);
  const { owner, parameter } = origin;
  const { initialiser } = parameter;
  const { environment } = owner;
  if (initialiser.kind === 'value') return filled(context, initialiser.value, environment, type);
  const parameters = initialiser.arguments.map((a) => context.evaluate(a, environment));
  const { shape } = type;
  const site = { builder: context.builder, seed, name: path, stream: null, shape };
  const drawn = tensorOf(initialiser.distribution.draw(site, parameters, null));
  return asTensor(context.builder, drawn, type.dtype).value;
}

function filled(
  context: Context,
  expression: TypedExpression,
  environment: Environment,
  { dtype, shape }: TensorType,
): Value {
  const { builder } = context;
  const value = asTensor(builder, context.evaluate(expression, environment), dtype);
  return spread(builder, value, [], shape);
}

/** The graph that draws every parameter and fills every state of the program's own layers. */
export function programInit(name: string, layers: readonly TypedLayer[]): Graph {
  const context = newContext(false, name);
  const instances = layers.flatMap((layer) =>
    instancesWithin(context, layerValue(context, layer, null)),
  );
  return initGraph(
    name,
    instances.flatMap((instance) => entriesOf(context, instance)),
  );
}

function entriesOf(context: Context, owner: InstanceValue): Wanted[] {
  const { model, environment } = owner;
  const role = (kind: 'parameter' | 'state'): Role => kind;
  return [
    ...model.parameters.map((parameter) => ({
      path: parameterPath(owner, parameter),
      role: role('parameter'),
      type: parameterType(owner, parameter),
      origin: { kind: 'parameter' as const, parameter, owner },
    })),
    ...model.states.map((state) => ({
      path: statePath(owner, state),
      role: role('state'),
      type: stateType(context.store, owner, state, environment),
      origin: { kind: 'state' as const, state, environment },
    })),
  ];
}
