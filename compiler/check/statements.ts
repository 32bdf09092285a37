// Statements of functions and train blocks: one rule for each kind.

import type { Statement } from '../../grammar/ast.ts';
import { binds } from './bindings.ts';
import { checkIf } from './branches.ts';
import type { Body, Context } from './context.ts';
import { checkLoop } from './loops.ts';
import type { TypedStatement } from './typed.ts';

type Rule<K extends Statement['kind']> = (
  context: Context,
  body: Body,
  node: Extract<Statement, { readonly kind: K }>,
) => readonly TypedStatement[];

const rules: { readonly [K in Statement['kind']]: Rule<K> } = {
  bind: (context, body, node) => binds[node.operator](context, body, node),
  'if-statement': checkIf,
  for: checkLoop,
  fix: checkLoop,
  root: checkLoop,
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
