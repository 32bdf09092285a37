// What the parts of the elaborator hand to each other while one graph is built, and how they refuse. The rules that call
// each other across files are reached through the context, so that no two files import each other.

import type {
  Elaborated,
  Environment,
  InstanceValue,
  Label,
  ZeroPadding,
} from '../builtins/elaboration.ts';
import type { Local, TypedConstant, TypedExpression, TypedStatement } from '../check/typed.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { Draws } from './draws.ts';
import type { Store } from './store.ts';

export interface Context {
  readonly builder: Builder;
  /** The context of the whole graph, whose builder has its inputs; inside a loop another than this one. */
  readonly root: RootContext;
  /** A context for the body of a loop: nodes go to `builder`, draws use `seed`, and what the body updates is seen there alone. */
  readonly within: (builder: Builder, seed: () => Value) => Context;
  /** True inside `train`. */
  readonly training: boolean;
  /** Parameters and states that the graph reads, by path. */
  readonly store: Store;
  readonly draws: Draws;
  readonly evaluate: (expression: TypedExpression, environment: Environment) => Elaborated;
  /** Runs statements; `locals` is the environment's own map, which they extend. */
  readonly run: (
    statements: readonly TypedStatement[],
    environment: Environment,
    locals: Map<Local, Elaborated>,
  ) => void;
  /** Whether each equation solved so far was solved: bool scalars, by `fix.V` and `root.d`. */
  readonly solved: { readonly name: string; readonly value: Value }[];
  /** Layers by path: one instance each, however often it is used. */
  readonly instances: Map<string, InstanceValue>;
  /** Constants by definition and path of the owner. */
  readonly constants: Map<TypedConstant, Map<string, Elaborated>>;
  /** Values that are other values with zeros around them. */
  readonly paddings: Map<Value, ZeroPadding>;
  /** A context for another graph: of what is computed when the program is built. */
  readonly apart: () => RootContext;
  readonly newLabel: (name: string, size: Dim) => Label;
}

export interface RootContext extends Context {
  readonly builder: GraphBuilder;
}

/** Nothing has a name here: the top level of a file. */
export const emptyEnvironment: Environment = {
  dims: new Map(),
  packs: new Map(),
  locals: new Map(),
  indices: new Map(),
  self: null,
  statements: [],
  path: '',
};

interface Refusal extends Error {
  readonly diagnostic: Diagnostic;
}

/**
 * Gives up the graph with a diagnostic. It travels as an exception inside the elaborator only: `collectRefusals` at its
 * entrances turns it into data again.
 */
export function refuse(diagnostic: Diagnostic): never {
  throw Object.assign(new Error(diagnostic.message), { diagnostic });
}

const isRefusal = (error: unknown): error is Refusal =>
  error instanceof Error && 'diagnostic' in error;

/** Runs `body`; null, and the diagnostic in `into`, if it refused. */
export function collectRefusals<T>(into: Diagnostic[], body: () => T): T | null {
  try {
    return body();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    into.push(error.diagnostic);
    return null;
  }
}
