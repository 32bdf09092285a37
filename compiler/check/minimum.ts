// Sizes that have a least value: what an array of layers counts, the states of a decision process, how often steps run.

import type { Expression } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { sizes } from '../diagnostics/types-and-shapes.ts';
import { isConstant, one, subtract } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { proveAtMost } from '../dims/prove.ts';
import { showValuation, sourceDim } from '../dims/show.ts';
import type { Context } from './context.ts';
import { toSize } from './dimensions.ts';

/** A size that has to be at least its variable's least value: `n - 1` for an `n` that may be 1. */
export function demandMinimum(
  context: Context,
  span: Span,
  size: Dim,
  minimum: number,
  reason: string,
): boolean {
  const least = minimum === 1 ? one : subtract(one, one);
  const answer = proveAtMost(least, size, context.assumptions);
  if (answer.kind === 'proved') return true;
  const known = isConstant(size) !== null;
  context.report(
    report(sizes.E0112, {
      span,
      data: {
        size: sourceDim(size),
        least: minimum,
        values: answer.kind === 'refuted' && !known ? showValuation(answer.valuation) : null,
      },
      help: known ? `${reason}` : null,
    }),
  );
  return false;
}

/** The size that an expression says, which has to be that large; null after a report. */
export function sizeAtLeast(
  context: Context,
  node: Expression,
  minimum: number,
  reason: string,
): Dim | null {
  const size = toSize(context, node);
  return size !== null && demandMinimum(context, node.span, size, minimum, reason) ? size : null;
}

/** A number of times from 1 on, known when the program is built; `word` is what counts them. Null after a report. */
export function countOf(
  context: Context,
  node: Expression,
  { word, why }: { readonly word: string; readonly why: string },
): number | null {
  const size = sizeAtLeast(context, node, 1, `\`${word}\` counts from 1`);
  if (size === null) return null;
  const count = isConstant(size);
  if (count === null)
    context.report(report(sizes.E0115, { span: node.span, data: { what: 'this', why } }));
  return count;
}
