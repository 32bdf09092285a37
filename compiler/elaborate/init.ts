// First values: the graph that draws parameters from a seed and fills states. The draw of a parameter depends on the seed and
// its path alone, so all init graphs of a program agree.

import type { Elaborated, InstanceValue } from '../builtins/elaboration.ts';
import { asTensor, spread, tensorOf } from '../builtins/labelled.ts';
import type { TypedLayer, TypedParameter } from '../check/typed.ts';
import type { Graph, TensorType, Value } from '../ir/graph.ts';
import type { Context } from './context.ts';
import { asFirstValue } from './draws.ts';
import { instancesWithin, layerValue } from './instances.ts';
import { newContext } from './new-context.ts';
import { read, storedParameter, storedState, type Origin, type Stored } from './store.ts';

/** The graph that gives the first value of each under its path, from the input `seed`. */
export function initGraph(name: string, wanted: Iterable<Stored>): Graph {
  const context = newContext(false, name, undefined, firstValue);
  const { builder, store } = context;
  for (const stored of wanted) builder.output(stored.path, stored.role, read(store, stored));
  return builder.graph(name);
}

const spanOf = (origin: Origin): TypedParameter['span'] | null => {
  if (origin.kind === 'parameter') return origin.parameter.span;
  return origin.kind === 'state' ? origin.state.span : null;
};

/** The first value of a parameter or state, which may be computed from those of others. */
const firstValue =
  (context: Context) =>
  ({ path, firstAt, type, origin }: Stored): Value =>
    context.builder.at({ path, span: spanOf(origin) }, () =>
      asFirstValue(context, firstAt, () => madeBy(context, firstAt, type, origin)),
    );

function madeBy(context: Context, path: string, type: TensorType, origin: Origin): Value {
  if (origin.kind === 'zero') return context.builder.full(0, type.shape, type.dtype);
  if (origin.kind === 'state') {
    const value = context.evaluate(origin.state.initial, origin.environment);
    const { item } = origin;
    return filled(context, value.kind === 'tuple' ? value.items[item ?? 0] : value, type);
  }
  const { owner, parameter } = origin;
  const { initialiser } = parameter;
  const { environment } = owner;
  if (initialiser.kind === 'value')
    return filled(context, context.evaluate(initialiser.value, environment), type);
  const parameters = initialiser.arguments.map((a) => context.evaluate(a, environment));
  const { shape } = type;
  const seed = context.draws.seed();
  const site = { builder: context.builder, seed, name: path, stream: null, shape };
  const drawn = tensorOf(initialiser.distribution.draw(site, parameters, null));
  return asTensor(context.builder, drawn, type.dtype).value;
}

function filled({ builder }: Context, value: Elaborated, { dtype, shape }: TensorType): Value {
  return spread(builder, asTensor(builder, value, dtype), [], shape);
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

function entriesOf({ store }: Context, owner: InstanceValue): Stored[] {
  const { model, environment } = owner;
  return [
    ...model.parameters.map((parameter) => storedParameter(owner, parameter)),
    ...model.states.flatMap((state) => storedState(store, owner, state, environment)),
  ];
}
