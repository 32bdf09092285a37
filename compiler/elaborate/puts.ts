// `Q[s, a] <- e`: a tensor with the elements at some places replaced. The axes with places come first and become one; a single
// place is a comparison with all, and of several the last at each place is looked up.

import type { Elaborated, Environment, Label } from '../builtins/elaboration.ts';
import { asTensor, dtypeOf, spread, tensorOf, unionOfLabels } from '../builtins/labelled.ts';
import type { TypedExpression } from '../check/typed.ts';
import { E0701 } from '../diagnostics/elaboration.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { multiply, one } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import { refuse, type Context } from './context.ts';
import { inNotation } from './draws.ts';
import { bindIndex } from './indices.ts';

type Put = Extract<TypedExpression, { kind: 'put' }>;

export function evaluatePut(context: Context, put: Put, environment: Environment): Elaborated {
  const { builder } = context;
  const old = context.evaluate(put.target, environment);
  const target = asTensor(builder, old, dtypeOf(old));
  const { labels, inside } = bound(context, put, environment);
  // Where there are indices, each place is one of many.
  const each = <T>(body: () => T): T => (labels.length === 0 ? body() : inNotation(context, body));
  const axes = axesOf(put);
  const { value, places } = each(() => ({
    value: asTensor(builder, context.evaluate(put.value, inside), target.value.dtype),
    places: axes.at.map(({ at }) => asTensor(builder, context.evaluate(at, inside), 'i32')),
  }));
  const outer = unionOfLabels([target, value, ...places]).filter(
    (label) => !labels.some(({ id }) => id === label.id),
  );
  if (outer.length > 0) refuse(report(E0701, { span: put.span, data: { name: nameOf(put) } }));
  const { shape } = target.value;
  const order = [...axes.at.map(({ axis }) => axis), ...axes.kept];
  const sizes = axes.at.map(({ axis }) => shape[axis]);
  const kept = axes.kept.map((axis) => shape[axis]);
  const rows = builder.reshape(builder.transpose(target.value, order), [
    sizes.reduce(multiply, one),
    ...kept,
  ]);
  const flat = places
    .map((place) => spread(builder, place, labels, []))
    .reduce((before, place, i) => rowMajor(builder, before, sizes[i], place));
  const updates = spread(builder, value, labels, kept);
  const next = replaced(builder, rows, flat, updates, labels);
  const whole = builder.reshape(
    next,
    order.map((axis) => shape[axis]),
  );
  return tensorOf(builder.transpose(whole, inverse(order)));
}

const nameOf = ({ target }: Put): string =>
  target.kind === 'state' ? target.state.name : target.kind === 'local' ? target.local.name : 'it';

/** The axes with places, and those that are written whole. */
function axesOf({ slots }: Put) {
  return {
    at: slots.flatMap((slot, axis) => (slot.kind === 'at' ? [{ axis, at: slot.at }] : [])),
    kept: slots.flatMap((slot, axis) => (slot.kind === 'keep' ? [axis] : [])),
  };
}

const inverse = (order: readonly number[]): number[] => order.map((_, axis) => order.indexOf(axis));

function bound(
  context: Context,
  { indices }: Put,
  environment: Environment,
): { readonly labels: readonly Label[]; readonly inside: Environment } {
  let inside = environment;
  const labels = indices.flatMap((index) => {
    const next = bindIndex(context, index, inside);
    inside = next.environment;
    return next.labels;
  });
  return { labels, inside };
}

/** before * size + place */
function rowMajor(builder: Builder, before: Value, size: Dim, place: Value): Value {
  const step = builder.fill(builder.dim(size), before.shape);
  return builder.add(builder.multiply(before, step), place);
}

/** `rows` [P, kept..] with `updates` [labels.., kept..] at `places` [labels..]. */
function replaced(
  builder: Builder,
  rows: Value,
  places: Value,
  updates: Value,
  labels: readonly Label[],
): Value {
  const [count, ...kept] = rows.shape;
  const spreadRows = (mask: Value): Value => builder.broadcastInDim(mask, rows.shape, [0]);
  if (labels.length === 0) {
    const here = builder.compare('eq', builder.iota([count], 0), builder.fill(places, [count]));
    const everywhere = builder.broadcastInDim(
      updates,
      rows.shape,
      kept.map((_, axis) => axis + 1),
    );
    return builder.select(spreadRows(here), everywhere, rows);
  }
  const many = labels.map(({ size }) => size).reduce(multiply, one);
  const last = builder.lastPosition(builder.reshape(places, [many]), count);
  const zeros = builder.full(0, [count], 'i32');
  const chosen = builder.take(
    builder.reshape(updates, [many, ...kept]),
    builder.binary('maximum', last, zeros),
    0,
  );
  return builder.select(spreadRows(builder.compare('ge', last, zeros)), chosen, rows);
}
