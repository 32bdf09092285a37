// What stands in the braces of a schedule or decision process: tables, checks, states and actions. All of it is computed when
// the program is built, for the hyper-parameters of each instance (elaborate/tables.ts).

import type { Bind, Expression, SpaceDeclaration, Target } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { tables } from '../diagnostics/tables.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Dim } from '../dims/dim.ts';
import { assign } from './assign.ts';
import { checkComprehension } from './comprehensions.ts';
import { isBroken, type Context, type ModelInfo } from './context.ts';
import { boolScalar } from './convert.ts';
import { mdpType } from './records.ts';
import { sizeAtLeast } from './minimum.ts';
import { rowSum } from './row-sums.ts';
import { describe } from './show.ts';
import type { TypedCheck, TypedConstant } from './typed.ts';
import { toType } from './types-from-syntax.ts';
import type { Type } from './types.ts';

/** Whether a binding defines tables, one a name; reports what else it is. */
export function definesTables(context: Context, node: Bind): boolean {
  if (node.operator === '=' && node.targets.length === node.values.length) return true;
  const what = node.operator === '=' ? 'several names for one value' : `\`${node.operator}\``;
  context.report(report(tables.E0801, { span: node.span, data: { what } }));
  return false;
}

/** `beta[t < T] = e`, `discount = 0.95`; `declared` is what the kind of block says of its type. */
export function makeTable(
  context: Context,
  { name, slots, type, span }: Target,
  node: Expression,
  declared: Type | null,
): TypedConstant | null {
  const written = type === null ? null : toType(context, type);
  const wanted = written ?? declared;
  const value =
    slots === null
      ? context.session.rules.expression(context, node, wanted)
      : checkComprehension(context, slots, node, wanted?.kind === 'tensor' ? wanted : null, span);
  const fitted = wanted === null ? value : assign(context, value, wanted, null);
  if (isBroken(fitted)) return null;
  if (fitted.type.kind === 'tensor')
    return { name: name.text, span, type: fitted.type, value: fitted };
  const found = describe(fitted.type);
  context.report(report(types.E0121, { span: node.span, data: { found, expected: 'a table' } }));
  return null;
}

/** `states S = n * n` */
export const makeSpace = (context: Context, { value }: SpaceDeclaration): Dim | null =>
  sizeAtLeast(context, value, 1, 'there is at least one');

/** `check 0 < beta < 1`: truth values; null after a report. */
export function makeCheck(context: Context, node: Expression): TypedCheck | null {
  const condition = context.session.rules.expression(context, node, boolScalar);
  if (isBroken(condition)) return null;
  const { type, span } = condition;
  if (type.kind === 'tensor' && type.base.kind === 'bool') return { condition, span };
  const found = describe(type);
  context.report(
    report(types.E0121, {
      span,
      data: { found, expected: 'a truth value' },
      help: `compare it: \`${textOf(span)} > 0\``,
    }),
  );
  return null;
}

/** What the tables of a decision process are, by name, once its states and actions are known. */
export function mdpTables(states: Dim | null, actions: Dim | null): ReadonlyMap<string, Type> {
  if (states === null || actions === null) return new Map();
  const { fields } = mdpType(states, actions);
  return new Map(fields.flatMap(({ name, type }) => (name === null ? [] : [[name, type]])));
}

/** Reports what a decision process lacks, and states or actions that are declared twice. */
export function demandParts(context: Context, { node }: ModelInfo): void {
  if (node.kind !== 'mdp') return;
  for (const keyword of ['states', 'actions'] as const) {
    const found = node.members.filter((m) => m.kind === 'space' && m.keyword === keyword);
    const what = `\`${keyword} ${keyword === 'states' ? 'S' : 'A'} = ...\``;
    if (found.length === 0)
      context.report(
        report(tables.E0802, { span: node.name.span, data: { name: node.name.text, what } }),
      );
    for (const { span } of found.slice(1))
      context.report(
        report(tables.E0803, {
          span,
          data: { keyword },
          related: [{ span: found[0].span, reason: 'here first' }],
        }),
      );
  }
  const forms = { P: '`P[s, a, r] = ...`', R: '`R[s, a] = ...`', discount: '`discount = ...`' };
  for (const [name, what] of Object.entries(forms))
    if (context.scope.names.get(name)?.kind !== 'constant')
      context.report(
        report(tables.E0802, { span: node.name.span, data: { name: node.name.text, what } }),
      );
}

/** What each row of P sums to, where algebra tells; reported where that is not one. */
export function checkRows({ scope, ...context }: Context): number | null {
  const P = scope.names.get('P');
  const table = P?.kind === 'constant' ? P.get() : null;
  const sum = table === null ? null : rowSum({ scope, ...context }, table);
  if (table === null || sum === null || isOne(sum)) return sum;
  const data = { sum: String(Number(sum.toPrecision(7))) };
  const { value } = table;
  const { span } = value.kind === 'comprehension' ? value.body : value;
  context.report(report(tables.E0810, { span, data }));
  return sum;
}

const isOne = (sum: number): boolean => Math.abs(sum - 1) < 1e-9;
