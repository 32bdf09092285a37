// The parameters of a layer as a value: a tuple of tensors, in the order of their declarations, those of inner layers after a
// layer's own (compiler/check/structures.ts has the same order). A layer with other parameters is the same layer at the same
// path, whose reads give the others.

import type {
  Elaborated,
  Environment,
  InstanceValue,
  TensorValue,
  TupleValue,
} from '../builtins/elaboration.ts';
import { asTensor, elementwise, ownShape } from '../builtins/labelled.ts';
import type { Local, TypedExpression } from '../check/typed.ts';
import type { Context } from './context.ts';
import { asCall } from './draws.ts';
import { instancesWithin, withOther } from './instances.ts';
import { keepApart, parameterPath, readParameter } from './store.ts';

type Of<K extends TypedExpression['kind']> = Extract<TypedExpression, { kind: K }>;

/** The layer whose parameters a value has: itself, or the layer that a function belongs to. */
function holderOf(value: Elaborated): InstanceValue {
  if (value.kind === 'instance') return value;
  if (value.kind === 'closure' && value.owner !== null) return value.owner;
  throw new Error(`a ${value.kind} has no parameters`);
}

const leavesWithin = (context: Context, holder: InstanceValue) =>
  instancesWithin(context, holder).flatMap((owner) =>
    owner.model.parameters.map((parameter) => ({ owner, parameter })),
  );

export function evaluateParams(
  context: Context,
  { of }: Of<'params'>,
  environment: Environment,
): TupleValue {
  const holder = holderOf(context.evaluate(of, environment));
  const items = leavesWithin(context, holder).map(({ owner, parameter }) =>
    readParameter(context.store, owner, parameter),
  );
  return { kind: 'tuple', items };
}

/** A layer, or a function of one, that reads other parameters: each as a value of its own, which a derivative may be taken by. */
export function evaluateWith(
  context: Context,
  { target, params }: Of<'with'>,
  environment: Environment,
): Elaborated {
  const { builder } = context;
  const value = context.evaluate(target, environment);
  const given = context.evaluate(params, environment);
  const holder = holderOf(value);
  if (given.kind !== 'tuple') throw new Error(`a ${given.kind} is no parameters`);
  const values = leavesWithin(context, holder).map(
    ({ owner, parameter }, i): readonly [string, TensorValue] => {
      const leaf = asTensor(builder, given.items[i], 'f32');
      return [parameterPath(owner, parameter), { ...leaf, value: builder.variable(leaf.value) }];
    },
  );
  const other = withOther(holder, new Map(values), ++context.store.counts.others);
  for (const owner of instancesWithin(context, other))
    for (const state of owner.model.states) keepApart(context.store, owner, state);
  return value.kind === 'closure' ? { ...value, owner: other } : other;
}

/** What is written of whole parameters, done with one tensor after the other. */
export function evaluateEach(
  context: Context,
  expression: Of<'each'>,
  environment: Environment,
): Elaborated {
  const { builder } = context;
  const { pack, body, total, span } = expression;
  const given = expression.given.map(({ local, value, spread }) => ({
    local,
    spread,
    value: context.evaluate(value, environment),
  }));
  const first = given.find(({ spread }) => spread)?.value;
  if (first?.kind !== 'tuple') throw new Error('the parameters are a tuple');
  const items = first.items.map((leaf, i) => {
    const locals = new Map<Local, Elaborated>(environment.locals);
    for (const { local, spread, value } of given)
      locals.set(local, spread && value.kind === 'tuple' ? value.items[i] : value);
    const packs = new Map(environment.packs);
    packs.set(pack, ownShape(asTensor(builder, leaf, 'f32')));
    // Each tensor has draws of its own.
    return asCall(context, `each.${i}`, { site: body, span }, [], () =>
      asTensor(builder, context.evaluate(body, { ...environment, locals, packs }), 'f32'),
    );
  });
  if (!total) return { kind: 'tuple', items };
  return items.reduce((a, b) => elementwise(builder, [a, b], (x, y) => builder.add(x, y)));
}
