// `track`: an average moves towards the layer that it follows. What are no parameters, the states of both layers, are the same
// after it: the running statistics of a normalisation are averages already.

import type { InstanceValue } from '../builtins/elaboration.ts';
import type { TypedExpression, TypedStep } from '../check/typed.ts';
import type { Context } from './context.ts';
import { instancesWithin } from './instances.ts';
import { read, storedParameter, storedState, readParameter } from './store.ts';
import { scalarOf, type Training } from './training.ts';

export function moveAverage(
  { context, environment }: Training,
  { average, of, decay }: Extract<TypedStep, { kind: 'track' }>,
): void {
  const { builder, store } = context;
  const within = (layer: TypedExpression): InstanceValue[] =>
    instancesWithin(context, context.evaluate(layer, environment));
  const share = scalarOf(context, decay, environment);
  const rest = builder.subtract(builder.scalar(1), share);
  const sources = within(of);
  within(average).forEach((own, i) => {
    for (const parameter of own.model.parameters) {
      const stored = storedParameter(own, parameter);
      const old = read(store, stored);
      const { value } = readParameter(store, sources[i], parameter);
      const kept = builder.multiply(builder.fill(share, old.shape), old);
      const added = builder.multiply(builder.fill(rest, old.shape), value);
      store.current.set(stored.path, builder.add(kept, added));
    }
    copyStates(context, own, sources[i]);
  });
}

function copyStates({ store }: Context, own: InstanceValue, source: InstanceValue): void {
  for (const state of own.model.states) {
    const from = storedState(store, source, state, source.environment);
    storedState(store, own, state, own.environment).forEach((stored, i) => {
      read(store, stored);
      store.current.set(stored.path, read(store, from[i]));
    });
  }
}
