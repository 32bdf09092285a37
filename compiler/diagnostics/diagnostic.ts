// Diagnostics as data. Every phase declares its own in a table (syntax.ts, names.ts, ...), reports them with `report`, and
// never throws for a user's mistake; render.ts turns them into text, json.ts into data for tools.

import type { Span } from '../../grammar/source.ts';

export type Severity = 'error' | 'warning';

/** Another place that the reader needs to see, and why: `so l2 expects [..B, n], n = 784`. */
export interface Related {
  readonly span: Span;
  readonly reason: string;
}

/** Replaces the text of `span`; an empty span inserts. */
export interface TextEdit {
  readonly span: Span;
  readonly newText: string;
}

export interface Diagnostic {
  /** Stable, e.g. `E0101`; `dlg explain` knows more about it. */
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  /** Null where no source is at fault: a data file, an argument. */
  readonly span: Span | null;
  /** What is wrong at `span`, in this program's own names and numbers. */
  readonly message: string;
  readonly related: readonly Related[];
  /** Lines of their own below the source. */
  readonly notes: readonly string[];
  /** One suggestion that works. */
  readonly help: string | null;
  /** The suggestion as edits; empty where it takes thought. */
  readonly fix: readonly TextEdit[];
  /** What the message was made of, for tools. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a table says of one code. `message` takes the data that each report must give. */
export interface Entry {
  readonly severity: Severity;
  readonly title: string;
  readonly message: (data: never) => string;
  /** Used where the report gives none; empty for no help. */
  readonly help?: (data: never) => string;
  /** For `dlg explain`: one or more paragraphs of Markdown. */
  readonly explanation: string;
  /** A whole program that gets this diagnostic. */
  readonly example: string;
}

export type Definition = Entry & { readonly code: string };

export type Table<T> = { readonly [C in keyof T]: T[C] & { readonly code: C } };

/** A table of diagnostics; each entry learns its code, which is its name in the table. */
export const defineDiagnostics = <const T extends Readonly<Record<`E${number}`, Entry>>>(
  table: T,
): Table<T> =>
  // Object.fromEntries forgets which keys there are.
  Object.fromEntries(
    Object.entries(table).map(([code, entry]) => [code, { ...entry, code }]),
  ) as unknown as Table<T>;

type DataOf<D extends Entry> =
  Parameters<D['message']> extends readonly [infer Data]
    ? { readonly data: Data }
    : { readonly data?: undefined };

type Details<D extends Entry> = DataOf<D> & {
  readonly span: Span | null;
  readonly related?: readonly Related[];
  readonly notes?: readonly string[];
  readonly help?: string | null;
  readonly fix?: readonly TextEdit[];
};

/** A diagnostic of that definition at `span`. */
export function report<D extends Definition>(definition: D, details: Details<D>): Diagnostic {
  // The types of `details` tie its data to the parameter of `message`, which TypeScript cannot carry through a call.
  const data = (details.data ?? {}) as never;
  return {
    code: definition.code,
    severity: definition.severity,
    title: definition.title,
    span: details.span,
    message: definition.message(data),
    related: details.related ?? [],
    notes: details.notes ?? [],
    help: (details.help ?? definition.help?.(data)) || null,
    fix: details.fix ?? [],
    data,
  };
}
