// What the parts of the checker hand to each other: the session of one run, names and what they mean, and the context in
// which one expression is checked. The rules that call each other across files are reached through `session.rules`, so
// that no two files import each other.

import type {
  Argument,
  Expression,
  FunctionDeclaration,
  Identifier,
  JvpDeclaration,
  LayerDeclaration,
  MdpDeclaration,
  ModelDeclaration,
  NamedBase,
  Statement,
  ScheduleDeclaration,
} from '../../grammar/ast.ts';
import type { Source, Span } from '../../grammar/source.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Assumptions, Fact } from '../dims/assumptions.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import type {
  Index,
  Instantiation,
  Local,
  StackedOutput,
  TypedConstant,
  TypedExpression,
  TypedFunction,
  TypedLayer,
  TypedModel,
  TypedParameter,
  TypedState,
  TypedStatement,
  TypedTrain,
} from './typed.ts';
import type { Bindings, FunctionType, Type } from './types.ts';

/** Where imported files come from; null for what does not exist. */
export interface Host {
  readonly read: (path: string) => string | null;
}

// ---- names --------------------------------------------------------------------------------------------------------

/** What a name means. Definitions are computed when first asked for, so their order never matters. */
export type Entity =
  /**
   * `size`: what a local is, where it is a size (`p = k - 1`). `updates`: it is what a loop carries, and these are the types that
   * `<-` has given it, unknown for one that does not fit.
   */
  | {
      readonly kind: 'local';
      readonly local: Local;
      readonly size?: Dim;
      readonly updates?: Type[];
      readonly span: Span;
    }
  /** A size: bound by a signature, or computed from others (`dim m = 2 * n`). */
  | { readonly kind: 'dim'; readonly dim: Dim; readonly span: Span }
  | { readonly kind: 'lazy-dim'; readonly get: () => Dim | null; readonly span: Span }
  | { readonly kind: 'pack'; readonly pack: PackVar; readonly span: Span }
  | { readonly kind: 'index'; readonly index: Index; readonly span: Span }
  | { readonly kind: 'constant'; readonly get: () => TypedConstant | null; readonly span: Span }
  | { readonly kind: 'layer'; readonly get: () => TypedLayer | null; readonly span: Span }
  | { readonly kind: 'parameter'; readonly get: () => TypedParameter | null; readonly span: Span }
  | { readonly kind: 'state'; readonly get: () => TypedState | null; readonly span: Span }
  | { readonly kind: 'function'; readonly info: FunctionInfo; readonly span: Span }
  | { readonly kind: 'model'; readonly info: ModelInfo; readonly span: Span }
  | { readonly kind: 'type'; readonly get: () => Type | null; readonly span: Span }
  | { readonly kind: 'module'; readonly module: Module; readonly span: Span }
  /** Defined, but broken, or by a form that is reported as not there yet: its uses are silent. */
  | { readonly kind: 'broken'; readonly span: Span }
  /** Was bound in one branch of an `if` only, or inside `every` or `repeat`. */
  | {
      readonly kind: 'half-bound';
      readonly place: 'if' | 'every' | 'repeat';
      readonly span: Span;
    }
  /** An output that the loop around stacks: whole only after it. */
  | { readonly kind: 'stacked'; readonly span: Span };

export type ScopeKind = 'module' | 'model' | 'function' | 'notation';

export interface Scope {
  readonly kind: ScopeKind;
  readonly parent: Scope | null;
  readonly names: Map<string, Entity>;
}

export const newScope = (kind: ScopeKind, parent: Scope | null): Scope => ({
  kind,
  parent,
  names: new Map(),
});

export function lookUp(scope: Scope, name: string): Entity | null {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const found = at.names.get(name);
    if (found !== undefined) return found;
  }
  return null;
}

/** Every name that can be used here. */
export function visibleNames(scope: Scope): string[] {
  const names = new Set<string>();
  for (let at: Scope | null = scope; at !== null; at = at.parent)
    for (const name of at.names.keys()) names.add(name);
  return [...names];
}

// ---- definitions --------------------------------------------------------------------------------------------------

export interface Module {
  readonly path: string;
  readonly source: Source;
  /** Its own definitions; the parent holds what imports without an alias bring in. */
  readonly scope: Scope;
  readonly layers: (() => TypedLayer | null)[];
  readonly functions: FunctionInfo[];
  readonly models: ModelInfo[];
  readonly trains: (() => TypedTrain | null)[];
  /** Derivative rules, by the function that they are for. */
  readonly rules: Map<string, JvpDeclaration[]>;
}

/** What an import brings: the definitions of the file, and those that its own imports without a name brought. */
export const exportedNames = ({ scope }: Module): ReadonlyMap<string, Entity> =>
  new Map([...(scope.parent?.names ?? []), ...scope.names]);

/** A condition on sizes that calls have to meet. */
export interface Requirement {
  readonly fact: Fact;
  readonly span: Span;
}

export interface SignatureParameter {
  readonly name: string;
  readonly type: Type;
  /** For `n: dim`. */
  readonly dim: DimVar | null;
  readonly local: Local;
  readonly span: Span;
  /** Null where there is none; computed when a call needs it. */
  readonly default: (() => TypedExpression) | null;
}

/** Of a model; its names stand in `scope`. */
export interface HyperSignature {
  readonly parameters: readonly SignatureParameter[];
  readonly quantified: readonly (DimVar | PackVar)[];
  readonly requirements: readonly Requirement[];
  readonly assumptions: Assumptions;
  readonly scope: Scope;
}

export interface Signature extends HyperSignature {
  /** Null where it is inferred from the body. */
  readonly result: Type | null;
  readonly resultNames: readonly (string | null)[];
}

export interface FunctionInfo {
  readonly node: FunctionDeclaration;
  readonly module: Module;
  readonly owner: ModelInfo | null;
  readonly typed: TypedFunction;
  readonly signature: () => Signature;
  /** The result, inferred where it is not declared. */
  readonly result: () => Type;
}

export interface ModelInfo {
  readonly node: ModelDeclaration | ScheduleDeclaration | MdpDeclaration;
  readonly module: Module;
  readonly typed: TypedModel;
  readonly signature: () => HyperSignature;
  /** The scope of its members, with all of them declared. */
  readonly members: () => Scope;
  readonly functions: () => readonly FunctionInfo[];
  /** Of a bijector; null for other models, and where it has no function to invert. */
  readonly derived: () => Derived | null;
}

/** What the compiler derives of a bijector. */
export interface Derived {
  readonly inverse: FunctionInfo;
  /** log|det| of the Jacobian, one number an example. */
  readonly logdet: FunctionInfo;
  /** That of the inverse. */
  readonly inverseLogdet: FunctionInfo;
}

// ---- checking -----------------------------------------------------------------------------------------------------

/** What the statements of one body have in common. */
export interface Body {
  /** The declared types of the results that are assigned by name. */
  readonly results: ReadonlyMap<string, Type>;
  /** The loop whose body it is; null outside of loops. */
  readonly loop: LoopBody | null;
}

/** The body of a loop, and what it stacks along the loop's index: filled as the body is checked. */
export interface LoopBody {
  readonly form: 'for' | 'fix' | 'root';
  /** The index; null where the loop has none. */
  readonly index: { readonly name: string; readonly count: Dim } | null;
  readonly stacked: { readonly output: StackedOutput; readonly name: Identifier }[];
  readonly around: LoopBody | null;
}

/** The rules that other files need and cannot import. */
export interface Rules {
  readonly statements: (
    context: Context,
    body: Body,
    nodes: readonly Statement[],
  ) => readonly TypedStatement[];
  readonly expression: (
    context: Context,
    node: Expression,
    expected: Type | null,
  ) => TypedExpression;
  readonly instantiate: (
    context: Context,
    model: ModelInfo,
    given: readonly Argument[],
    span: Span,
    purpose?: 'value' | 'type',
  ) => Instantiation | null;
  /** What `params(net)` is as a type. */
  readonly paramsType: (context: Context, node: NamedBase) => Type;
  readonly fitFunction: (
    context: Context,
    value: TypedExpression,
    wanted: FunctionType,
    span: Span,
  ) => TypedExpression;
}

export interface Session {
  readonly host: Host;
  readonly diagnostics: Diagnostic[];
  readonly modules: Map<string, Module | null>;
  readonly sources: Source[];
  readonly functions: Map<TypedFunction, FunctionInfo>;
  readonly models: Map<TypedModel, ModelInfo>;
  readonly rules: Rules;
  /** Hyper-parameters, whose values are known when the program is built. */
  readonly isStaticLocal: (local: Local) => boolean;
  readonly staticLocals: Set<Local>;
  /** How each layer is declared, for messages. */
  readonly declarations: Map<TypedLayer, LayerDeclaration>;
  /** The last binder of each name of an index, to say where its scope ended. */
  readonly ended: Map<string, Span>;
  /** Which definition uses which: functions and models may not use themselves. */
  readonly uses: Map<FunctionInfo | ModelInfo, Map<FunctionInfo | ModelInfo, Span>>;
}

/** A place where sizes are not known yet, because index notation is read for the first time to find them. */
export interface Trial {
  readonly unknowns: Set<DimVar>;
  readonly equations: TrialEquation[];
  /** What `..` of the left side stands for, once some read has shown it. */
  dots: Shape | 'none' | 'unknown';
  readonly ranges: Map<Identifier, DimVar>;
  /** Used where nothing else determines a range. */
  readonly fallbacks: TrialEquation[];
  /** Reads at `i * p + u`: where u runs over 0..p-1 they tile the axis, which gives the range of i. */
  readonly affine: AffineRead[];
  /** Something that is read is broken whatever the ranges. */
  isBroken: boolean;
}

export interface AffineRead {
  readonly terms: readonly { readonly range: Dim; readonly coefficient: Dim }[];
  readonly size: Dim;
  readonly origin: RangeOrigin;
}

export interface TrialEquation {
  readonly left: Dim;
  readonly right: Dim;
  readonly origin: RangeOrigin;
}

/** Where a range comes from, for the message when two disagree. */
export interface RangeOrigin {
  readonly span: Span;
  /** Written only where it is shown: most ranges agree. */
  readonly reason: () => string;
}

export interface KnownRange {
  readonly range: Dim | null;
  readonly origin: RangeOrigin | null;
}

/** Index notation around an expression. */
export interface Notation {
  readonly trial: Trial | null;
  /** The ranges that the trial found, by the name that binds the index. */
  readonly ranges: ReadonlyMap<Identifier, KnownRange>;
  /** The indices that `..` stands for; null where the left side has none. */
  readonly dots: readonly Index[] | null;
  /** Indices whose range is bounded by another's value: `j < t`. */
  readonly bounds: ReadonlyMap<Index, PrefixBound>;
  /** Where each index got its range. */
  readonly origins: Map<Index, RangeOrigin>;
  /** Whether two ranges of an index were reported to differ: the first such report tells the cause of all others. */
  readonly conflict: { reported: boolean };
  readonly trialIsBroken: boolean;
}

export interface PrefixBound {
  readonly relation: '<' | '<=' | '>' | '>=' | '==' | '!=';
  readonly bound: TypedExpression;
}

export interface Context {
  readonly session: Session;
  readonly module: Module;
  readonly scope: Scope;
  readonly assumptions: Assumptions;
  /** The model whose member is checked. */
  readonly model: ModelInfo | null;
  /** The function or model whose text this is, for finding recursion. */
  readonly user: FunctionInfo | ModelInfo | null;
  readonly notation: Notation | null;
  /** In an optimizer's function: the type of its states, which is that of the parameter they serve. */
  readonly stateType: Type | null;
  readonly report: (diagnostic: Diagnostic) => void;
}

/** A rule for calls of a value: what a function type and a signature have in common. */
export interface Callable {
  readonly name: string;
  readonly parameters: readonly {
    readonly name: string | null;
    readonly type: Type;
    /** The type as the definition writes it, before the sizes of its layer are known: for messages. */
    readonly declared: Type;
    readonly dim: DimVar | null;
    /** Null in a function type. */
    readonly local: Local | null;
    readonly span: Span | null;
    readonly default: (() => TypedExpression) | null;
  }[];
  readonly quantified: readonly (DimVar | PackVar)[];
  readonly requirements: readonly Requirement[];
  /** The sizes of the layer it belongs to. */
  readonly owner: Bindings;
  readonly result: Type;
  /** The layer that is called, to show where its sizes come from. */
  readonly layer: TypedLayer | null;
}

export const unknownType: Type = { kind: 'unknown' };

/** What stands for an expression that was reported. */
export const broken = (span: Span): TypedExpression => ({
  kind: 'tuple',
  items: [],
  type: unknownType,
  span,
});

export const isBroken = (expression: TypedExpression): boolean =>
  expression.type.kind === 'unknown';

/** Computes once; `again` is the answer to a question that comes up while the answer is being computed. */
export function once<T>(compute: () => T, again: () => T): () => T {
  let state: { readonly value: T } | 'new' | 'busy' = 'new';
  return () => {
    if (state === 'busy') return again();
    if (state === 'new') {
      state = 'busy';
      state = { value: compute() };
    }
    return state.value;
  };
}

/** Remembers that the definition being checked uses another. */
export function recordUse(context: Context, used: FunctionInfo | ModelInfo, span: Span): void {
  if (context.user === null) return;
  const known = context.session.uses.get(context.user) ?? new Map<FunctionInfo | ModelInfo, Span>();
  if (!known.has(used)) known.set(used, span);
  context.session.uses.set(context.user, known);
}
