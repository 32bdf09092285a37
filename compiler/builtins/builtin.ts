// What a built-in function or operator of the language is: one record with its documentation, type rule and
// elaboration. Most type rules are a signature in the language itself; only what no signature can say (variadic
// concatenation, `halves`, suffix broadcasting) has a rule in code.

import type { Span } from '../../grammar/source.ts';
import type { TypedExpression } from '../check/typed.ts';
import type { Bindings, Type } from '../check/types.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Answer } from '../dims/prove.ts';
import type { Dim } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import type { BuiltinElaboration, Elaborated } from './elaboration.ts';

export interface Builtin {
  /** As written in programs; operators have names too: `+` is `add`. */
  readonly name: string;
  readonly doc: string;
  /** A DLG signature, e.g. `fn tanh(x: [..S]) -> [..S]`; for a `rule`, how to write a call, for the reference. */
  readonly signature: string;
  /** Null: the signature is the type rule. */
  readonly rule: ((call: BuiltinCall) => BuiltinResult | null) | null;
  readonly elaborate: (call: BuiltinElaboration) => Elaborated;
}

/** A call whose arguments are typed already. */
export interface BuiltinCall {
  readonly name: string;
  readonly span: Span;
  readonly arguments: readonly TypedExpression[];
  readonly report: (diagnostic: Diagnostic) => void;
  /** Inserts the conversion between bases where there is one. */
  readonly toReal: (value: TypedExpression) => TypedExpression;
  readonly sameSize: (a: Dim, b: Dim) => Answer;
  readonly atMost: (a: Dim, b: Dim) => Answer;
  readonly exactQuotient: (a: Dim, b: Dim) => Dim | null;
  readonly showShape: (shape: Shape) => string;
  readonly showType: (type: Type) => string;
}

export interface BuiltinResult {
  readonly type: Type;
  /** The arguments as they go on, converted where needed; the given ones if absent. */
  readonly arguments?: readonly TypedExpression[];
  readonly bindings?: Bindings;
  readonly data?: unknown;
}
