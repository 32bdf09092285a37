// `fix` and `root`: values that solve an equation, by iteration. Their derivatives are those of the solution, by the implicit
// function theorem.

import type { Expression, FixStatement, RootStatement } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { loops } from '../diagnostics/loops.ts';
import { sizes, types } from '../diagnostics/types-and-shapes.ts';
import { assign } from './assign.ts';
import { isBroken, type Body, type Context, type LoopBody } from './context.ts';
import { convertTo, isScalar, real } from './convert.ts';
import { toSize } from './dimensions.ts';
import {
  carriesOf,
  carryLocals,
  checkLoopBody,
  checkStarts,
  declareCarries,
  refuseReturn,
} from './loops.ts';
import { describe, showType } from './show.ts';
import { declare } from './signatures.ts';
import { isStatic } from './static.ts';
import { silent } from './trials.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';
import type { Type } from './types.ts';

/** `tol e`: a real number known when the program is built; null after a report. */
function checkTolerance(context: Context, node: Expression): TypedExpression | null {
  const value = context.session.rules.expression(context, node, null);
  if (isBroken(value)) return null;
  if (!isScalar(value.type) || value.type.base.kind === 'bool') {
    const data = { found: describe(value.type), expected: 'a number' };
    context.report(report(types.E0121, { span: node.span, data }));
    return null;
  }
  if (isStatic(value, context.session.isStaticLocal)) return convertTo(value, real);
  const data = { what: 'the tolerance', why: 'depends on the value of a tensor' };
  context.report(report(sizes.E0115, { span: node.span, data }));
  return null;
}

/** Reports statements that have no place where the number of rounds is open. */
function refuseEffects(
  context: Context,
  equation: FixStatement | RootStatement,
  statements: readonly TypedStatement[],
): void {
  const { kind: form, span } = equation;
  for (const statement of statements) {
    const what = effectOf(statement, span);
    if (what !== null)
      context.report(report(loops.E0456, { span: statement.span, data: { what, form } }));
    if (statement.kind === 'if')
      refuseEffects(context, equation, [...statement.then, ...statement.else]);
    if (statement.kind === 'for') refuseEffects(context, equation, statement.body);
  }
}

/** What a statement changes outside of the equation; null for nothing. */
function effectOf(statement: TypedStatement, { start }: Span): string | null {
  if (statement.kind === 'update') return 'an update of a state';
  // Only `<-` gives a value to a name from before the equation: what a loop around it carries.
  return statement.kind === 'let' && statement.local.span.start < start
    ? 'an update of what a loop around it carries'
    : null;
}

const isReal = (type: Type): boolean =>
  type.kind === 'tuple'
    ? type.fields.every((field) => isReal(field.type))
    : type.kind === 'tensor' && type.base.kind === 'real';

/** `fix V = e tol 1e-6 within 1000 { V <- ... }` */
export function checkFix(
  context: Context,
  body: Body,
  node: FixStatement,
): readonly TypedStatement[] {
  const starts = checkStarts(context, body, node.carries);
  const loop: LoopBody = { form: 'fix', index: null, stacked: [], around: body.loop };
  const first = starts.map(({ initial: { type } }) =>
    type.kind === 'tensor' && type.base.kind !== 'bool' ? { ...type, base: real } : type,
  );
  const locals = carryLocals(starts, first);
  const { statements } = checkLoopBody(context, body, loop, node.body, locals);
  refuseReturn(context, node.body, 'an equation');
  refuseEffects(context, node, statements);
  const tolerance = checkTolerance(context, node.tolerance);
  const within = toSize(context, node.within);
  for (const { local } of locals)
    if (local.type.kind !== 'unknown' && !isReal(local.type)) {
      const data = { name: local.name, found: describe(local.type) };
      context.report(report(loops.E0455, { span: local.span, data }));
    }
  const carries = carriesOf(context, starts, locals);
  declareCarries(context, starts, carries);
  const whole = carries.filter((carry) => carry !== null);
  if (tolerance === null || within === null || whole.length < carries.length) return [];
  return [{ kind: 'fix', carries: whole, tolerance, within, body: statements, span: node.span }];
}

/** The ends of the interval, as reals; what is sought has the declared type, or that of the longer end. */
function checkInterval(
  context: Context,
  { low, high }: RootStatement,
  declared: Type | null,
): { readonly low: TypedExpression; readonly high: TypedExpression; readonly type: Type } {
  const ends = [low, high].map((end) => {
    const value = context.session.rules.expression(context, end, null);
    return isBroken(value) ? value : convertTo(value, real);
  });
  const [from, to] = ends;
  const rank = (value: TypedExpression): number =>
    value.type.kind === 'tensor' ? value.type.shape.length : -1;
  const type = declared ?? (rank(from) >= rank(to) ? from.type : to.type);
  const spread = (value: TypedExpression): TypedExpression =>
    rank(value) === 0 ? value : assign(context, value, type, null);
  return { low: spread(from), high: spread(to), type };
}

/** `root d in (near, far) tol 1e-5 within 32 { sdf(o + d * w) }` */
export function checkRoot(
  context: Context,
  body: Body,
  node: RootStatement,
): readonly TypedStatement[] {
  const { text: name, span } = node.variable;
  const interval = checkInterval(context, node, body.results.get(name) ?? null);
  const loop: LoopBody = { form: 'root', index: null, stacked: [], around: body.loop };
  const type = soughtType(context, body, node, interval.type);
  const variable: Local = { name, type, span };
  const { statements, inside } = checkLoopBody(context, body, loop, node.body, [
    { local: variable, updates: null },
  ]);
  refuseEffects(context, node, statements);
  const tolerance = checkTolerance(context, node.tolerance);
  const within = toSize(context, node.within);
  const value = checkEquationValue(inside, node, variable);
  const after: Local = { name, type, span };
  declare(
    context,
    node.variable,
    type.kind === 'unknown' ? { kind: 'broken', span } : { kind: 'local', local: after, span },
  );
  if (value === null || tolerance === null || within === null) return [];
  if (isBroken(interval.low) || isBroken(interval.high)) return [];
  const { low, high } = interval;
  return [
    {
      kind: 'root',
      variable,
      after,
      low,
      high,
      tolerance,
      within,
      body: statements,
      value,
      span: node.span,
    },
  ];
}

/** The type of what is sought: between two numbers it is that of the equation, which a silent first reading tells. */
function soughtType(context: Context, body: Body, node: RootStatement, type: Type): Type {
  const { result } = node.body;
  if (result === null || !isScalar(type)) return type;
  const quiet = silent(context);
  const loop: LoopBody = { form: 'root', index: null, stacked: [], around: body.loop };
  const { text: name, span } = node.variable;
  const { inside } = checkLoopBody(quiet, body, loop, node.body, [
    { local: { name, type, span }, updates: null },
  ]);
  const { type: found } = inside.session.rules.expression(inside, result, null);
  return found.kind === 'tensor' && found.base.kind === 'real' ? found : type;
}

/** What must become 0, of the shape of the variable; null after a report. */
function checkEquationValue(
  context: Context,
  node: RootStatement,
  variable: Local,
): TypedExpression | null {
  const { result } = node.body;
  if (result === null) {
    context.report(
      report(types.E0132, { span: node.body.span, help: 'end the block with what must become 0' }),
    );
    return null;
  }
  const value = context.session.rules.expression(context, result, variable.type);
  const fitted = assign(context, value, variable.type, (found) => {
    const data = {
      name: textOf(result.span),
      variable: showType(variable.type),
      found: describe(found),
    };
    context.report(report(loops.E0454, { span: result.span, data }));
  });
  return isBroken(fitted) ? null : fitted;
}
