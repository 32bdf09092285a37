// Statements of functions and train blocks: one rule for each kind.

import type { Bind, Statement } from '../../grammar/ast.ts';
import { checkEquation, declaredType } from './bindings.ts';
import { checkIf } from './branches.ts';
import type { Body, Context } from './context.ts';
import { checkDraw } from './draws.ts';
import { checkFix, checkRoot } from './equations.ts';
import { checkFor } from './loops.ts';
import type { TypedStatement } from './typed.ts';
import { checkUpdate } from './updates.ts';

type Rule<K extends Statement['kind']> = (
  context: Context,
  body: Body,
  node: Extract<Statement, { readonly kind: K }>,
) => readonly TypedStatement[];

const binds: Readonly<Record<Bind['operator'], Rule<'bind'>>> = {
  '=': checkEquation,
  '<-': (context, _, node) => checkUpdate(context, node),
  '~': (context, body, node) =>
    checkDraw(context, node, declaredType(context, body, node.targets[0])),
};

const rules: { readonly [K in Statement['kind']]: Rule<K> } = {
  bind: (context, body, node) => binds[node.operator](context, body, node),
  'if-statement': checkIf,
  for: checkFor,
  fix: checkFix,
  root: checkRoot,
  error: () => [],
};

/** One statement; its names are declared in the scope of the context. */
export function checkStatement(
  context: Context,
  body: Body,
  node: Statement,
): readonly TypedStatement[] {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = rules[node.kind] as (
    context: Context,
    body: Body,
    node: Statement,
  ) => readonly TypedStatement[];
  return rule(context, body, node);
}

export const checkStatements = (
  context: Context,
  body: Body,
  nodes: readonly Statement[],
): readonly TypedStatement[] => nodes.flatMap((node) => checkStatement(context, body, node));
