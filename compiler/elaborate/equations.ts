// `fix` and `root`: a loop that solves the equation, and the solution marked with the equation, by which it is differentiated.

import type { Elaborated, Environment, Label, TensorValue } from '../builtins/elaboration.ts';
import { asTensor, spread, tensorOf, unionOfLabels } from '../builtins/labelled.ts';
import type { Local, TypedExpression, TypedStatement } from '../check/typed.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import { range } from '../ir/shape-arithmetic.ts';
import { isConstant } from '../dims/arithmetic.ts';
import { fromValues, initialValues, nextValues, planOf, writeAll, type Plan } from './carrying.ts';
import type { Context } from './context.ts';
import { asCall } from './draws.ts';
import { resolveDim, resolveShape, tensorTypeOf } from './sizes.ts';

type Fix = Extract<TypedStatement, { kind: 'fix' }>;
type Root = Extract<TypedStatement, { kind: 'root' }>;
type Locals = Map<Local, Elaborated>;

/** How an equation is solved: until it changes by no more than `tolerance`, in at most `limit` rounds. */
interface Effort {
  readonly tolerance: number;
  readonly limit: number;
  readonly within: Dim;
}

function effortOf(
  context: Context,
  { tolerance, within }: { readonly tolerance: TypedExpression; readonly within: Dim },
  environment: Environment,
): Effort {
  const value = context.evaluate(tolerance, environment);
  const most = resolveDim(within, environment);
  const limit = isConstant(most);
  if (value.kind !== 'number' || limit === null)
    throw new Error('the effort of an equation is known when it is built');
  return { tolerance: value.value, limit, within: most };
}

/** Outputs that say whether each equation was solved, wherever and however often it stood: `solved.fix.V`. */
export function outputSolved({ builder, solved }: Context): void {
  const byName = new Map<string, Value>();
  for (const { name, value } of solved) {
    const before = byName.get(name);
    byName.set(name, before === undefined ? value : builder.binary('and', before, value));
  }
  for (const [name, value] of byName) builder.output(`solved.${name}`, 'solved', value);
}

const everywhere = (builder: Builder, holds: Value): Value =>
  builder.reduce('and', holds, range(holds.shape.length));

/** Whether no element of a differs from b by more than `tolerance`; NaN differs. */
function close(builder: Builder, a: Value, b: Value, tolerance: number): Value {
  const distance = builder.unary('abs', builder.subtract(a, b));
  const most = builder.full(tolerance, distance.shape);
  return builder.compare('le', distance, most);
}

// ---- fix ----------------------------------------------------------------------------------------------------------

export function solveFix(
  context: Context,
  statement: Fix,
  environment: Environment,
  locals: Locals,
): void {
  const { carries } = statement;
  const { builder } = context;
  const effort = effortOf(context, statement, environment);
  for (let plan = planOf(context, carries, environment); ;) {
    const found: { plan: Plan | null } = { plan: null };
    const round = (b: Builder, values: readonly Value[]): readonly Value[] | null => {
      const inner = context.within(b, context.draws.seed);
      const own: Locals = new Map(locals);
      const inside = { ...environment, locals: own, statements: statement.body };
      writeAll(plan, inner, own, fromValues(plan, values));
      asCall(
        inner,
        `fix ${carries[0].inside.name}`,
        { site: statement, span: statement.span },
        [],
        () => inner.run(statement.body, inside, own),
      );
      const next = nextValues(plan, { context, locals }, { context: inner, locals: own });
      if ('values' in next) return next.values;
      found.plan = next.plan;
      return null;
    };
    const loop = builder.whileLoop(effort.within, initialValues(plan, builder), (b, _, values) => {
      const next = round(b, values);
      if (next === null) return { carries: values, done: b.scalar(1, 'bool') };
      const each = next.map((value, i) =>
        everywhere(b, close(b, value, values[i], effort.tolerance)),
      );
      return { carries: next, done: each.reduce((x, y) => b.binary('and', x, y)) };
    });
    if (found.plan !== null) {
      plan = found.plan;
      continue;
    }
    const fixed = loop.carries.map((value) => builder.stopGradient(value));
    const solution = builder.implicit('fixed_point', fixed, (b, z) => round(b, z) ?? z, effort);
    fromValues(plan, solution).forEach((value, i) => locals.set(carries[i].after, value));
    context.solved.push({ name: `fix.${carries[0].after.name}`, value: loop.done });
    return;
  }
}

// ---- root ---------------------------------------------------------------------------------------------------------

/**
 * The Illinois algorithm, element by element: the secant through the two ends, where the end that stays has its value halved, so
 * that it does not stay for long (Dowell and Jarratt 1971). An element whose ends have values of one sign has no root: it is `high`.
 */
export function solveRoot(
  context: Context,
  statement: Root,
  environment: Environment,
  locals: Locals,
): void {
  const { builder } = context;
  const effort = effortOf(context, statement, environment);
  const low = asTensor(builder, context.evaluate(statement.low, environment), 'f32');
  const high = asTensor(builder, context.evaluate(statement.high, environment), 'f32');
  const own = resolveShape(tensorTypeOf(statement.variable.type).shape, environment);
  const valueAt = (at: Context, d: TensorValue): TensorValue =>
    equationAt(at, statement, d, environment, locals);
  let labels: readonly Label[] = unionOfLabels([low, high]);
  let [a, b] = [low, high];
  let [fa, fb] = [low, high];
  for (;;) {
    a = tensorOf(spread(builder, low, labels, own), labels);
    b = tensorOf(spread(builder, high, labels, own), labels);
    [fa, fb] = [valueAt(context, a), valueAt(context, b)];
    const all = unionOfLabels([a, fa, fb]);
    if (all.length === labels.length) break;
    labels = all;
  }
  const whole = (to: Builder, t: TensorValue): Value => spread(to, t, labels, own);
  const f = (to: Builder, d: Value): Value =>
    whole(to, valueAt(context.within(to, context.draws.seed), tensorOf(d, labels)));
  const ends = [a.value, whole(builder, fa), b.value, whole(builder, fb)];
  const bracketed = oppositeSigns(builder, ends[1], ends[3]);
  const loop = builder.whileLoop(effort.within, ends, (to, _, carried) => {
    const { next, settled } = secantStep(to, carried, (d) => f(to, d), effort.tolerance);
    const idle = to.unary('not', bracketed);
    return { carries: next, done: everywhere(to, to.binary('or', settled, idle)) };
  });
  const found = builder.select(bracketed, loop.carries[2], b.value);
  const [solution] = builder.implicit(
    'root',
    [builder.stopGradient(found)],
    (to, [d]) => [f(to, d)],
    effort,
  );
  const chosen = builder.select(bracketed, solution, b.value);
  locals.set(statement.after, tensorOf(chosen, labels));
  context.solved.push({ name: `root.${statement.after.name}`, value: loop.done });
}

/** The value of the equation at d. */
function equationAt(
  context: Context,
  statement: Root,
  d: TensorValue,
  environment: Environment,
  locals: Locals,
): TensorValue {
  const { variable, body, value, span } = statement;
  const own: Locals = new Map(locals);
  const inside = { ...environment, locals: own, statements: body };
  own.set(variable, d);
  return asCall(context, `root ${variable.name}`, { site: statement, span }, [], () => {
    context.run(body, inside, own);
    return asTensor(context.builder, context.evaluate(value, inside), 'f32');
  });
}

/** Whether one of two values is at most 0 and the other at least 0. */
function oppositeSigns(builder: Builder, x: Value, y: Value): Value {
  const zero = builder.full(0, x.shape);
  const [up, down] = [
    builder.binary('and', builder.compare('ge', x, zero), builder.compare('le', y, zero)),
    builder.binary('and', builder.compare('le', x, zero), builder.compare('ge', y, zero)),
  ];
  return builder.binary('or', up, down);
}

/** One step from the ends a and b with their values; b is the newer one. */
function secantStep(
  builder: Builder,
  [a, fa, b, fb]: readonly Value[],
  f: (d: Value) => Value,
  tolerance: number,
): { readonly next: readonly Value[]; readonly settled: Value } {
  const zero = builder.full(0, a.shape);
  const rise = builder.subtract(fb, fa);
  const flat = builder.compare('eq', rise, zero);
  const step = builder.divide(
    builder.multiply(fb, builder.subtract(b, a)),
    builder.select(flat, builder.full(1, a.shape), rise),
  );
  const x = builder.select(flat, b, builder.subtract(b, step));
  const fx = f(x);
  const crossed = builder.compare('lt', builder.multiply(fx, fb), zero);
  const half = builder.multiply(fa, builder.full(0.5, fa.shape));
  const settled = builder.binary(
    'or',
    close(builder, x, b, tolerance),
    builder.compare('eq', fx, zero),
  );
  return {
    next: [builder.select(crossed, b, a), builder.select(crossed, fb, half), x, fx],
    settled,
  };
}
