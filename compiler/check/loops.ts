// Loops and equations, which are not there yet.

import type { FixStatement, ForStatement, RootStatement } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { walk } from '../../grammar/walk.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import type { Body, Context } from './context.ts';
import type { TypedStatement } from './typed.ts';

type Loop = ForStatement | FixStatement | RootStatement;

const loopNames: Readonly<Record<Loop['kind'], string>> = {
  for: 'a `for` loop',
  fix: 'a `fix` equation',
  root: 'a `root` equation',
};

/** One report at the form; what it binds is known by name, and silent. */
export function checkLoop(context: Context, _: Body, node: Loop): readonly TypedStatement[] {
  const head: Span = { ...node.span, end: node.body.span.start };
  context.report(
    report(programs.E0900, { span: trimmed(head), data: { feature: loopNames[node.kind] } }),
  );
  const breakText = (text: string, span: Span): void => {
    if (!context.scope.names.has(text)) context.scope.names.set(text, { kind: 'broken', span });
  };
  if (node.kind === 'root') breakText(node.variable.text, node.variable.span);
  else for (const { name } of node.carries) breakText(name.text, name.span);
  walk(node.body, (child) => {
    if ('kind' in child && child.kind === 'bind' && child.operator === '=')
      for (const { name } of child.targets) breakText(name.text, name.span);
  });
  return [];
}

function trimmed(span: Span): Span {
  const text = span.source.text.slice(span.start, span.end);
  return { ...span, end: span.start + text.trimEnd().length };
}
