// How a step on the way back is refused.

import { textOf, type Span } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { TypedExpression } from '../typed.ts';

export const notInvertible = (
  at: TypedExpression,
  why: string,
  help: string | null = null,
): Diagnostic =>
  report(bijectors.E0474, { span: at.span, data: { what: textOf(at.span), why }, help });

export const usedTwice = (what: string, span: Span): Diagnostic =>
  report(bijectors.E0476, { span, data: { what } });
