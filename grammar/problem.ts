// What the lexer and the parser report: plain data. The grammar knows nothing of diagnostics;
// compiler/diagnostics turns each problem into one.

import type { Span } from './source.ts';

export type SyntaxProblem =
  /** A character that starts no token. */
  | { readonly kind: 'unexpected-character'; readonly span: Span; readonly found: string }
  | { readonly kind: 'unterminated-string'; readonly span: Span }
  /** The parser stood at `found` and wanted something else, in words a person uses ("an expression", "`)`"). */
  | {
      readonly kind: 'expected';
      readonly span: Span;
      readonly found: string;
      readonly expected: readonly string[];
      /** What was being read, e.g. "a parameter list"; and where it began. */
      readonly context: string | null;
      readonly opened: Span | null;
    }
  /** Well-formed tokens in a form the language does not have, with a sentence of help. */
  | {
      readonly kind: 'malformed';
      readonly span: Span;
      readonly message: string;
      readonly help: string | null;
    };
