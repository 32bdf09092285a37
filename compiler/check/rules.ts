// Derivative rules: `jvp f(x, dx) = e` in place of the derivative of f's body. e is checked as a function's body with the sizes of
// f's signature, and proved linear in the tangents; the reverse rule is its transpose.

import type { JvpDeclaration } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { ruleDiagnostics } from '../diagnostics/rules.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { assign, sizeNotes } from './assign.ts';
import { isBroken, newScope, type Context, type FunctionInfo } from './context.ts';
import { summarise } from './dependence.ts';
import { followDerivatives } from './differentiability.ts';
import { nonlinearTerm } from './linearity.ts';
import { expressionsOf, partsOf } from './parts.ts';
import { describe, showType } from './show.ts';
import { declare } from './signatures.ts';
import type { Local, TypedExpression, TypedFunction, TypedRule, TypedStatement } from './typed.ts';
import type { Type } from './types.ts';

const isReal = (type: Type): boolean => type.kind === 'tensor' && type.base.kind === 'real';

const refuse = (context: Context, node: JvpDeclaration, why: string): null => {
  const data = { name: node.name.text, why };
  context.report(report(ruleDiagnostics.E0466, { span: node.name.span, data }));
  return null;
};

/** Reports a rule for what is no function of the file; `first` is the first rule of that name. */
export function checkRuleTarget(
  context: Context,
  node: JvpDeclaration,
  first: JvpDeclaration | undefined,
): void {
  const entity = context.module.scope.names.get(node.name.text);
  if (first !== node && first !== undefined) refuse(context, node, 'has a rule already');
  else if (entity?.kind === 'broken') return;
  else if (entity?.kind !== 'function') refuse(context, node, 'is no function of this file');
}

/** The rule of a function; null after a report. */
export function makeRule(
  outer: Context,
  info: FunctionInfo,
  node: JvpDeclaration,
): TypedRule | null {
  const signature = info.signature();
  const { parameters } = signature;
  const tensors = parameters.every(({ type }) => type.kind === 'tensor' || type.kind === 'unknown');
  if (!tensors) return refuse(outer, node, 'takes more than tensors');
  const result = info.result();
  if (result.kind === 'unknown') return null;
  if (!isReal(result))
    return refuse(outer, node, `gives ${describe(result)}, not a tensor of reals`);
  if (!parameters.some(({ type, dim }) => dim === null && isReal(type)))
    return refuse(outer, node, 'takes nothing of reals');
  if (!namesFit(outer, info, node) || !isOfArguments(outer, info, node)) return null;
  const scope = newScope('function', outer.scope);
  // Of the signature the sizes only: its other names are the rule's to give.
  for (const [name, entity] of signature.scope.names)
    if (entity.kind !== 'local') scope.names.set(name, entity);
  const context: Context = { ...outer, scope, assumptions: signature.assumptions, user: info };
  const names = node.parameters.values();
  let good = true;
  const bind = (type: Type): Local => {
    const name = names.next().value ?? node.name;
    const local: Local = { name: name.text, type, span: name.span };
    good = declare(context, name, { kind: 'local', local, span: name.span }) && good;
    return local;
  };
  const values = parameters.map(({ type, dim }) => (dim === null ? bind(type) : skip(names)));
  const tangents = parameters.map(({ type, dim }) =>
    dim === null && isReal(type) ? bind(type) : null,
  );
  const value = context.session.rules.expression(context, node.value, result);
  const fitted = asDerivative(context, value, result);
  if (!good || isBroken(fitted) || !isLinear(context, fitted, tangents)) return null;
  if (draws(fitted, new Set())) return refuse(context, node, 'has a rule that draws');
  const locals = [...values, ...tangents].filter((local) => local !== null);
  const statements = followDerivatives(
    context,
    { steps: [], result: fitted, parameters: locals },
    'function',
  );
  return { values, tangents, body: { statements, result: fitted } };
}

/** A size keeps the name that the signature gives it. */
function skip(names: Iterator<unknown>): null {
  names.next();
  return null;
}

function namesFit(context: Context, info: FunctionInfo, node: JvpDeclaration): boolean {
  const { parameters } = info.signature();
  const reals = parameters.filter(({ type, dim }) => dim === null && isReal(type)).length;
  const expected = parameters.length + reals;
  const found = node.parameters.length;
  if (found === expected) return true;
  const all = parameters.map(({ name }) => name);
  const tangents = parameters.flatMap(({ name, type, dim }) =>
    dim === null && isReal(type) ? [`d${name}`] : [],
  );
  const { start } = node.parameters[0].span;
  const span = { ...node.name.span, start, end: node.parameters[found - 1].span.end };
  const data = { names: `the rule of \`${node.name.text}\``, expected, found };
  const help = `write \`jvp ${node.name.text}(${[...all, ...tangents].join(', ')}) = ...\``;
  context.report(report(ruleDiagnostics.E0467, { span, data, help }));
  return false;
}

const asDerivative = (context: Context, value: TypedExpression, wanted: Type): TypedExpression =>
  assign(context, value, wanted, (found) =>
    context.report(
      report(types.E0131, {
        span: value.span,
        data: { found: describe(found), declared: showType(wanted) },
        notes: sizeNotes(context, found, wanted),
      }),
    ),
  );

function isLinear(
  context: Context,
  value: TypedExpression,
  tangents: readonly (Local | null)[],
): boolean {
  const term = nonlinearTerm(value, new Set(tangents.filter((t) => t !== null)));
  if (term === null) return true;
  const { span, why, related } = term;
  const data = { term: textOf(span), why };
  context.report(report(ruleDiagnostics.E0465, { span, data, related }));
  return false;
}

/** Reports a function of more than its arguments: by that, the rule has no derivative. */
function isOfArguments(context: Context, { typed }: FunctionInfo, node: JvpDeclaration): boolean {
  const state = { locals: new Map(), summaries: new Map(), step: 0 };
  const { flows } = summarise(typed, state, false);
  const path = [...flows.keys()].find((token) => typeof token === 'string');
  if (path === undefined) return true;
  refuse(context, node, `uses \`${path}\`, by which its rule gives no derivative`);
  return false;
}

/** Whether computing it draws. */
function draws(expression: TypedExpression, seen: Set<TypedFunction>): boolean {
  if (partsOf(expression).some((part) => draws(part, seen))) return true;
  if (expression.kind !== 'call' || expression.callee.kind !== 'function') return false;
  const { function: called } = expression.callee;
  const body = seen.has(called) ? null : called.body();
  if (body === null) return false;
  seen.add(called);
  return (
    body.statements.some(isDraw) ||
    [...body.statements.flatMap(expressionsOf), body.result].some((value) => draws(value, seen))
  );
}

function isDraw(statement: TypedStatement): boolean {
  if (statement.kind === 'draw') return true;
  if (statement.kind === 'if') return [...statement.then, ...statement.else].some(isDraw);
  return 'body' in statement && statement.body.some(isDraw);
}
