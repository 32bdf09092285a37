// Derivatives in programs, as markers that transform/differentiate expands. Index variables that a value varies along stay
// labels: what one element depends on has the same label, so the derivatives of all elements are those of their sum.

import type { Elaborated, Environment, Label, TensorValue } from '../builtins/elaboration.ts';
import {
  asTensor,
  elementwise,
  ownShape,
  spread,
  tensorOf,
  unionOfLabels,
  varies,
} from '../builtins/labelled.ts';
import { boundBy, expressionsOf, partsOf } from '../check/parts.ts';
import type { DerivativeForm, Local, TypedExpression, TypedStatement } from '../check/typed.ts';
import { textOf } from '../../grammar/source.ts';
import { E0708 } from '../diagnostics/elaboration.ts';
import { programs } from '../diagnostics/programs.ts';
import { report } from '../diagnostics/diagnostic.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import { range } from '../ir/shape-arithmetic.ts';
import { refuse, type Context } from './context.ts';
import { mapLeaves, tensorsOf } from './leaves.ts';
import { resolveShape, tensorTypeOf } from './sizes.ts';

type Derivative = Extract<TypedExpression, { kind: 'derivative' }>;
type Variable = Extract<TypedExpression, { kind: 'variable' }>;

/**
 * The value of a variable, as a value of its own. It varies along every index that anything in its function varies along, so that
 * one element of a result never shares it with another.
 */
export function evaluateVariable(
  context: Context,
  { value }: Variable,
  environment: Environment,
): Elaborated {
  const { builder } = context;
  const others = environment.self?.other?.values.values() ?? [];
  const around = [...[...environment.locals.values()].flatMap(tensorsOf), ...others];
  return mapLeaves(context.evaluate(value, environment), (leaf) => {
    const t = asTensor(builder, leaf, 'f32');
    const labels = unionOfLabels([t, ...around]);
    return tensorOf(builder.variable(spread(builder, t, labels, ownShape(t))), labels);
  });
}

const rules: Readonly<
  Record<
    DerivativeForm,
    (context: Context, expression: Derivative, environment: Environment) => Elaborated
  >
> = { grad: gradient, vjp: gradient, jvp: tangent, jac: jacobian };

export const evaluateDerivative = (
  context: Context,
  expression: Derivative,
  environment: Environment,
): Elaborated => rules[expression.form](context, expression, environment);

const total = (builder: Builder, x: Value): Value =>
  builder.reduce('add', x, range(x.shape.length));

const product = (builder: Builder, a: TensorValue, b: TensorValue): Value =>
  elementwise(builder, [a, b], (x, y) => builder.multiply(x, y)).value;

function variableOf(context: Context, { by }: Derivative, environment: Environment): Elaborated {
  if (by.kind === 'params') return context.evaluate(by, environment);
  const value = environment.locals.get(by.local);
  if (value === undefined) throw new Error(`the variable ${by.local.name} has no value`);
  return value;
}

const real = (context: Context, expression: TypedExpression, environment: Environment) =>
  asTensor(context.builder, context.evaluate(expression, environment), 'f32');

/** d y / d x, or d sum(y * along) / d x, in the form of x. */
function pulledBack(builder: Builder, y: Value, x: Elaborated, along?: Value): Elaborated {
  const values = tensorsOf(x).map(({ value }) => value);
  const gradients = builder.gradient(y, values, along);
  return mapLeaves(x, (leaf) => {
    if (leaf.kind !== 'tensor') throw new Error('a variable is a tensor');
    return tensorOf(gradients[values.indexOf(leaf.value)], leaf.labels);
  });
}

/** The gradient of y, or of sum(y * u) with u constant. */
function gradient(context: Context, expression: Derivative, environment: Environment): Elaborated {
  const { builder } = context;
  const { of, direction } = expression;
  const y = real(context, of, environment);
  const x = variableOf(context, expression, environment);
  const shared = tensorsOf(x).some((leaf) => y.labels.some((label) => !varies(leaf, label)));
  if (shared && expression.by.kind === 'params')
    refuse(report(E0708, { span: expression.span, data: { params: textOf(expression.by.span) } }));
  if (direction === null) return pulledBack(builder, total(builder, y.value), x);
  const u = real(context, direction, environment);
  const labels = unionOfLabels([y, u]);
  const [value, along] = [y, u].map((t) => spread(builder, t, labels, ownShape(y)));
  return pulledBack(builder, value, x, along);
}

/**
 * The derivative of y along v. The pullback g(w) of sum(y * w) is linear in w, and the gradient of sum(g(w) * v) by w is J v:
 * the transpose of the transpose (Christianson 1992; Radul et al. 2023). Its value at w is of no account.
 */
function tangent(context: Context, expression: Derivative, environment: Environment): Elaborated {
  const { builder } = context;
  const { of, direction } = expression;
  if (direction === null) throw new Error('a jvp has a direction');
  const x = variableOf(context, expression, environment);
  const along = tensorsOf(
    mapLeaves(context.evaluate(direction, environment), (leaf) => asTensor(builder, leaf, 'f32')),
  );
  const plain = real(context, of, environment);
  const labels = unionOfLabels([plain, ...tensorsOf(x)]);
  const y = tensorOf(spread(builder, plain, labels, ownShape(plain)), labels);
  const w = tensorOf(builder.variable(builder.full(0, y.value.shape)), labels);
  const pullback = tensorsOf(pulledBack(builder, total(builder, product(builder, y, w)), x));
  const parts = pullback.map((g, i) => total(builder, product(builder, g, along[i])));
  const [sum] = builder.gradient(
    parts.reduce((a, b) => builder.add(a, b)),
    [w.value],
  );
  return tensorOf(sum, labels);
}

/**
 * All derivatives of y by x, [shape of y, shape of x]. x is repeated along new indices, one an axis of y, and y is computed
 * from that again; its diagonal along those indices then has the derivatives, each by its own copy of x.
 */
function jacobian(context: Context, expression: Derivative, environment: Environment): Elaborated {
  const { builder, store } = context;
  const { by, of, span } = expression;
  if (by.kind === 'params') throw new Error('a Jacobian is by one tensor');
  const [x] = tensorsOf(variableOf(context, expression, environment));
  const before = new Map(store.current);
  const rows = resolveShape(tensorTypeOf(of.type).shape, environment).map((size, axis) =>
    context.newLabel(`row${axis}`, size),
  );
  const labels = [...x.labels, ...rows];
  const copies = tensorOf(builder.variable(spread(builder, x, labels, ownShape(x))), labels);
  const locals = new Map(environment.locals);
  locals.set(by.local, copies);
  const inner: Environment = { ...environment, locals };
  const wanted = neededFor(of, environment.statements);
  const state = { locals, changed: new Set([by.local]), wanted };
  runAgain(context, environment.statements, inner, state);
  const y = real(context, of, inner);
  for (const [path, value] of store.current)
    if (value !== (before.get(path) ?? store.entries.get(path)?.input))
      refuse(
        report(programs.E0900, {
          span,
          data: { feature: '`jac` through a layer that updates a state' },
        }),
      );
  const diagonal = rows.reduce((kept, row, axis) => onDiagonal(builder, kept, row, axis), y);
  const [all] = builder.gradient(total(builder, diagonal.value), [copies.value]);
  return tensorOf(all, x.labels);
}

/** `t` where its own axis `axis` is at the value of the index `row`, and 0 elsewhere. */
function onDiagonal(builder: Builder, t: TensorValue, row: Label, axis: number): TensorValue {
  const own = ownShape(t);
  const place = tensorOf(builder.iota(own, axis));
  const at = tensorOf(builder.iota([row.size], 0), [row]);
  const same = elementwise(builder, [place, at], (a, b) => builder.compare('eq', a, b));
  const zero = tensorOf(builder.scalar(0));
  return elementwise(builder, [same, t, zero], (c, a, b) => builder.select(c, a, b));
}

/** The variables that a value is computed from, directly and by those that are themselves needed. */
function neededFor(
  value: TypedExpression,
  statements: readonly TypedStatement[],
): ReadonlySet<Local> {
  const needed = new Set<Local>();
  const add = (expression: TypedExpression): void => {
    if (expression.kind === 'local') needed.add(expression.local);
    for (const part of partsOf(expression)) add(part);
  };
  const follow = (statement: TypedStatement): void => {
    if (!boundBy(statement).some((local) => needed.has(local))) return;
    // What `if` binds in a branch may be needed by the rest of that branch only.
    if (statement.kind === 'if')
      for (const branch of [statement.then, statement.else]) branch.toReversed().forEach(follow);
    else expressionsOf(statement).forEach(add);
  };
  add(value);
  statements.toReversed().forEach(follow);
  return needed;
}

interface Rerun {
  readonly locals: Map<Local, Elaborated>;
  readonly changed: Set<Local>;
  /** What the derivative is of is computed from these. */
  readonly wanted: ReadonlySet<Local>;
}

/** Computes the variables that are wanted and depend on those that changed, as far as the body has run. */
function runAgain(
  context: Context,
  statements: readonly TypedStatement[],
  environment: Environment,
  state: Rerun,
): void {
  const { locals, changed, wanted } = state;
  for (const statement of statements) {
    if (statement.kind === 'if') {
      const condition = context.evaluate(statement.condition, environment);
      const taken = condition.kind === 'boolean' && condition.value;
      runAgain(context, taken ? statement.then : statement.else, environment, state);
    } else if (statement.kind === 'let') {
      const { local, value } = statement;
      if (changed.has(local) || !wanted.has(local) || !locals.has(local)) continue;
      if (!mentions(value, changed)) continue;
      locals.set(local, context.evaluate(value, environment));
      changed.add(local);
    } else if (isLoop(statement)) {
      // What a loop binds after itself tells whether the body has run as far as it.
      const bound = boundBy(statement);
      const uses = expressionsOf(statement).some((part) => mentions(part, changed));
      if (!uses || !bound.some((local) => locals.has(local) && wanted.has(local))) continue;
      context.run([statement], environment, locals);
      for (const local of bound) changed.add(local);
    } else if (statement.kind === 'draw') {
      // One draw for all elements: the others would be of another value.
      if (!wanted.has(statement.local)) continue;
      if (!statement.draw.arguments.some((a) => mentions(a, changed))) continue;
      const feature = '`jac` through a draw whose parameters depend on the variable';
      refuse(report(programs.E0900, { span: statement.span, data: { feature } }));
    }
  }
}

const isLoop = ({ kind }: TypedStatement): boolean =>
  kind === 'for' || kind === 'fix' || kind === 'root';

function mentions(expression: TypedExpression, locals: ReadonlySet<Local>): boolean {
  if (expression.kind === 'local') return locals.has(expression.local);
  return partsOf(expression).some((part) => mentions(part, locals));
}
