// Arguments to parameters: by position, then by name.

import type { Argument, Expression, Identifier } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Callable, Context } from './context.ts';
import type { TypedExpression } from './typed.ts';

/** An argument: still syntax, or typed already where it came through a pipe. */
export interface Given {
  readonly name: Identifier | null;
  readonly span: Span;
  /** Where mistakes about it are shown: for `x |> f`, at `f`. */
  readonly blame: Span;
  readonly node: Expression | null;
  readonly value: TypedExpression | null;
}

export const givenOf = (argument: Argument): Given => ({
  name: argument.name,
  span: argument.span,
  blame: argument.value.span,
  node: argument.value,
  value: null,
});

export const givenValue = (value: TypedExpression, blame: Span): Given => ({
  name: null,
  span: value.span,
  blame,
  node: null,
  value,
});

const plural = (n: number): string => (n === 1 ? '1 argument' : `${n} arguments`);

function expectedCount(callable: Callable): string {
  const all = callable.parameters.length;
  const needed = callable.parameters.filter((p) => p.default === null).length;
  return needed === all ? plural(all) : `${needed} to ${plural(all)}`;
}

/** The argument of each parameter, null for a default; null as a whole after a report. */
export function matchArguments(
  context: Context,
  callable: Callable,
  given: readonly Given[],
  span: Span,
): readonly (Given | null)[] | null {
  const callee = `\`${callable.name}\``;
  const slots: (Given | null)[] = callable.parameters.map(() => null);
  let good = true;
  let named = false;
  const fail = (diagnostic: Parameters<Context['report']>[0]): void => {
    context.report(diagnostic);
    good = false;
  };
  for (const [i, argument] of given.entries()) {
    if (argument.name === null) {
      if (named) {
        fail(report(types.E0127, { span: argument.span }));
      } else if (i >= slots.length) {
        fail(
          report(types.E0123, {
            span: argument.blame,
            data: { callee, expected: expectedCount(callable), found: given.length },
          }),
        );
        return null;
      } else {
        slots[i] = argument;
      }
      continue;
    }
    named = true;
    const name = argument.name.text;
    const at = callable.parameters.findIndex((p) => p.name === name);
    if (at < 0) {
      const candidates = callable.parameters.flatMap((p) => (p.name === null ? [] : [p.name]));
      const suggestion = suggest(name, candidates);
      fail(
        report(types.E0124, {
          span: argument.name.span,
          data: { callee, name, suggestion },
          fix: suggestion === null ? [] : [{ span: argument.name.span, newText: suggestion }],
        }),
      );
    } else if (slots[at] !== null) {
      fail(report(types.E0125, { span: argument.span, data: { name } }));
    } else {
      slots[at] = argument;
    }
  }
  if (!good) return null;
  const missing = callable.parameters.find((p, i) => slots[i] === null && p.default === null);
  if (missing === undefined) return slots;
  context.report(
    missing.name === null
      ? report(types.E0123, {
          span,
          data: { callee, expected: expectedCount(callable), found: given.length },
        })
      : report(types.E0126, { span, data: { callee, name: missing.name } }),
  );
  return null;
}
