// Diagnostics as JSON, for `dlg check --json`: stable data, with lines and columns from 1 and offsets in UTF-16 units.

import { positionOf, type Position, type Span } from '../../grammar/source.ts';
import type { Diagnostic } from './diagnostic.ts';

interface JsonPosition extends Position {
  readonly offset: number;
}

interface JsonSpan {
  readonly file: string;
  readonly start: JsonPosition;
  readonly end: JsonPosition;
}

export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: string;
  readonly title: string;
  readonly message: string;
  readonly span: JsonSpan | null;
  readonly related: readonly { readonly span: JsonSpan; readonly reason: string }[];
  readonly notes: readonly string[];
  readonly help: string | null;
  readonly fix: readonly { readonly span: JsonSpan; readonly newText: string }[];
  readonly data: Readonly<Record<string, unknown>>;
}

const position = (span: Span, offset: number): JsonPosition => ({
  ...positionOf(span.source, offset),
  offset,
});

const place = (span: Span): JsonSpan => ({
  file: span.source.path,
  start: position(span, span.start),
  end: position(span, span.end),
});

/** The data of one diagnostic, ready for `JSON.stringify`. */
export const toJson = (d: Diagnostic): JsonDiagnostic => ({
  code: d.code,
  severity: d.severity,
  title: d.title,
  message: d.message,
  span: d.span === null ? null : place(d.span),
  related: d.related.map((r) => ({ span: place(r.span), reason: r.reason })),
  notes: d.notes,
  help: d.help,
  fix: d.fix.map((e) => ({ span: place(e.span), newText: e.newText })),
  data: d.data,
});
