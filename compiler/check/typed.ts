// The typed program: what the checker makes of the syntax trees and the elaborator runs. Names are resolved, types
// known, sizes of every call instantiated, defaults filled in, index notation explicit. The elaborator infers nothing.

import type { Span } from '../../grammar/source.ts';
import type { BinderName, Relation } from '../../grammar/ast.ts';
import type { Builtin } from '../builtins/builtin.ts';
import type { Distribution } from '../builtins/distributions.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import type { Assumptions } from '../dims/assumptions.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import type { Base, Bindings, InstanceType, Type } from './types.ts';

// ---- expressions --------------------------------------------------------------------------------------------------

interface Common {
  readonly type: Type;
  readonly span: Span;
}

export type TypedExpression = Common &
  (
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'boolean'; readonly value: boolean }
    | { readonly kind: 'string'; readonly value: string }
    /** A size used as a number; an int scalar known when the program is elaborated, or a free batch size. */
    | { readonly kind: 'dim'; readonly dim: Dim }
    | { readonly kind: 'local'; readonly local: Local }
    /** The value of an index variable, a `fin` scalar that varies along that index. */
    | { readonly kind: 'index'; readonly index: Index }
    /** True inside `train`, false in an export fn. */
    | { readonly kind: 'training' }
    /** `Linear(1000)`: a schedule or decision process with its hyper-parameters. */
    | { readonly kind: 'instantiation'; readonly value: Instantiation }
    /** The model instance whose function is running. */
    | { readonly kind: 'self' }
    /** `owner` is the instance it belongs to; null at top level. */
    | {
        readonly kind: 'constant';
        readonly constant: TypedConstant;
        readonly owner: TypedExpression | null;
      }
    | { readonly kind: 'layer'; readonly layer: TypedLayer; readonly owner: TypedExpression | null }
    | {
        readonly kind: 'parameter';
        readonly parameter: TypedParameter;
        readonly owner: TypedExpression;
      }
    | { readonly kind: 'state'; readonly state: TypedState; readonly owner: TypedExpression | null }
    /** A function as a value; its sizes are instantiated where it is called. */
    | {
        readonly kind: 'function';
        readonly function: TypedFunction;
        readonly owner: TypedExpression | null;
      }
    | { readonly kind: 'builtin-function'; readonly builtin: Builtin }
    /** An element of a layer array. */
    | { readonly kind: 'element'; readonly target: TypedExpression; readonly at: Dim }
    | {
        readonly kind: 'call';
        readonly callee: Callee;
        /** The callee's own sizes (not those of its model, which the owner's instance type has). */
        readonly bindings: Bindings;
        /** One a parameter, in the declared order, defaults filled in. */
        readonly arguments: readonly TypedExpression[];
      }
    | {
        readonly kind: 'builtin';
        readonly builtin: Builtin;
        readonly bindings: Bindings;
        readonly arguments: readonly TypedExpression[];
        /** What the builtin's own type rule worked out (axes, sizes), for its elaboration. */
        readonly data: unknown;
      }
    | { readonly kind: 'tuple'; readonly items: readonly TypedExpression[] }
    | { readonly kind: 'project'; readonly target: TypedExpression; readonly field: number }
    | {
        readonly kind: 'if';
        readonly condition: TypedExpression;
        readonly then: TypedExpression;
        readonly else: TypedExpression;
      }
    /** `[0, 1, 0, -1]`: a new leading axis. */
    | { readonly kind: 'array'; readonly items: readonly TypedExpression[] }
    /** fin -> int -> real, bool stays: inserted by the checker wherever bases differ. */
    | { readonly kind: 'convert'; readonly value: TypedExpression; readonly to: Base }
    /** `y[.., (i, j), o] = body`: a tensor whose axes are the groups, each flattened row-major from its indices. */
    | {
        readonly kind: 'comprehension';
        readonly axes: readonly (readonly Index[])[];
        readonly body: TypedExpression;
      }
    | {
        readonly kind: 'read';
        readonly target: TypedExpression;
        readonly slots: readonly ReadSlot[];
      }
    | {
        readonly kind: 'binder';
        readonly binder: BinderName;
        readonly indices: readonly BoundIndex[];
        readonly body: TypedExpression;
      }
    /** `grad(y, x)` and its like: the derivative of `of` as a function of the variable, or the parameters, `by`. */
    | {
        readonly kind: 'derivative';
        readonly form: DerivativeForm;
        readonly of: TypedExpression;
        readonly by: LocalExpression | ParamsExpression;
        /** What `vjp` and `jvp` multiply the Jacobian by: like `of`, and like `by`. */
        readonly direction: TypedExpression | null;
      }
    /** `Q[s, a] <- e`: `target` with the elements at some places replaced; of equal places the last one counts. */
    | {
        readonly kind: 'put';
        readonly target: TypedExpression;
        /** One an axis. */
        readonly slots: readonly PutSlot[];
        /** The value is put for each of theirs, in row-major order. */
        readonly indices: readonly Index[];
        /** Of the shape of the axes that are kept. */
        readonly value: TypedExpression;
      }
    /** The value itself, where a variable is bound that some derivative is taken by. */
    | { readonly kind: 'variable'; readonly value: TypedExpression }
    /** `params(net)`: the parameters of a layer, or of the layer that a function belongs to. */
    | { readonly kind: 'params'; readonly of: TypedExpression }
    /** `net(x with w)`: its callee, the layer or function `target`, with other parameters. */
    | { readonly kind: 'with'; readonly target: TypedExpression; readonly params: TypedExpression }
    /**
     * `w - lr * g` of parameters: `body` for each tensor in turn, whose shape is `pack`; their structure, or where `total` the sum
     * of the scalars. Whatever stands in `body` and is no size or number has its value in `given`.
     */
    | {
        readonly kind: 'each';
        readonly pack: PackVar;
        /** `spread`: parameters, of which the local is one tensor at a time. */
        readonly given: readonly {
          readonly local: Local;
          readonly value: TypedExpression;
          readonly spread: boolean;
        }[];
        readonly body: TypedExpression;
        readonly total: boolean;
      }
  );

export type LocalExpression = Extract<TypedExpression, { kind: 'local' }>;
export type ParamsExpression = Extract<TypedExpression, { kind: 'params' }>;

export type DerivativeForm = 'grad' | 'vjp' | 'jvp' | 'jac';

export type Callee =
  | {
      readonly kind: 'function';
      readonly function: TypedFunction;
      readonly owner: TypedExpression | null;
    }
  /** A function-typed parameter, hyper-parameter or layer passed as one. */
  | { readonly kind: 'value'; readonly value: TypedExpression };

/** An index variable of index notation. With `pack`, it stands for all indices of a pack (`..`) and `range` is its numel. */
export interface Index {
  readonly id: number;
  readonly name: string;
  readonly range: Dim;
  readonly pack: PackVar | null;
}

export interface BoundIndex {
  readonly index: Index;
  /** `[s <= t]`: only where the relation to an outer index holds. */
  readonly prefix: { readonly relation: Relation; readonly bound: TypedExpression } | null;
}

/** One slot consumes one axis of the target, but `pack` and `keep` (several). */
export type ReadSlot =
  /** At an integer expression over indices, or a `fin` scalar; in range by proof. */
  | { readonly kind: 'at'; readonly at: TypedExpression }
  /** `..` inside index notation: at the same place of the pack as the left side. */
  | { readonly kind: 'pack'; readonly index: Index }
  /** `:` or `..` of a slice: these axes stay. */
  | { readonly kind: 'keep'; readonly axes: Shape }
  /** `from:to`, the axis stays with size to - from. */
  | { readonly kind: 'range'; readonly from: Dim; readonly to: Dim }
  /** `(i, j)`: one axis read at i * size(j) + j; `size` of each item. */
  | {
      readonly kind: 'group';
      readonly items: readonly { readonly at: TypedExpression; readonly size: Dim }[];
    };

export type PutSlot =
  | { readonly kind: 'at'; readonly at: TypedExpression }
  | { readonly kind: 'keep'; readonly axis: Axis };

// ---- statements ---------------------------------------------------------------------------------------------------

/** A variable of a function, train block or hyper-parameter list. Identity is the object. */
export interface Local {
  readonly name: string;
  readonly type: Type;
  readonly span: Span;
  /** The variable of `for f in layers` stands for each of these in turn. */
  readonly layers?: TypedExpression;
}

export type TypedStatement =
  | {
      readonly kind: 'let';
      readonly local: Local;
      readonly value: TypedExpression;
      readonly span: Span;
    }
  | {
      readonly kind: 'update';
      readonly state: TypedState;
      readonly owner: TypedExpression | null;
      readonly value: TypedExpression;
      readonly span: Span;
    }
  /** `e: [B, z] ~ normal(mu, s)`: the local has the declared type. */
  | {
      readonly kind: 'draw';
      readonly local: Local;
      readonly draw: TypedDraw;
      readonly span: Span;
    }
  /** Carries keep their value from round to round; a `let` of one inside the body gives it the next. */
  | {
      readonly kind: 'for';
      readonly variable: Local;
      readonly over:
        | { readonly kind: 'range'; readonly count: Dim }
        | { readonly kind: 'layers'; readonly layers: TypedExpression };
      readonly down: boolean;
      /** Derivatives compute what they need of a round again, and keep the carries alone. */
      readonly recompute: boolean;
      readonly carries: readonly Carry[];
      readonly body: readonly TypedStatement[];
      /** After a round in which it holds, the carries stay as they are; it sees their values after the round. */
      readonly until: TypedExpression | null;
      readonly stacked: readonly StackedOutput[];
      readonly span: Span;
    }
  /** The carries such that the body changes none by more than `tolerance`. */
  | {
      readonly kind: 'fix';
      readonly carries: readonly Carry[];
      readonly tolerance: TypedExpression;
      readonly within: Dim;
      readonly body: readonly TypedStatement[];
      readonly span: Span;
    }
  /** Where `value` is 0 as a function of the variable, element by element, between `low` and `high`. */
  | {
      readonly kind: 'root';
      readonly variable: Local;
      readonly after: Local;
      readonly low: TypedExpression;
      readonly high: TypedExpression;
      readonly tolerance: TypedExpression;
      readonly within: Dim;
      readonly body: readonly TypedStatement[];
      readonly value: TypedExpression;
      readonly span: Span;
    }
  /** The condition is known at elaboration (`training`, hyper-parameters, sizes). Locals bound in both branches live on. */
  | {
      readonly kind: 'if';
      readonly condition: TypedExpression;
      readonly then: readonly TypedStatement[];
      readonly else: readonly TypedStatement[];
      readonly span: Span;
    };

export interface Carry {
  readonly initial: TypedExpression;
  /** Its name in the body, and after the loop. */
  readonly inside: Local;
  readonly after: Local;
}

/** `y[:, t] = e`: the values of `element`, stacked along a new axis behind `before`. */
export interface StackedOutput {
  readonly element: Local;
  readonly before: Shape;
  readonly after: Local;
}

export interface TypedDraw {
  readonly distribution: Distribution;
  /** One a parameter of the distribution, real. */
  readonly arguments: readonly TypedExpression[];
}

export interface TypedBody {
  readonly statements: readonly TypedStatement[];
  readonly result: TypedExpression;
}

// ---- definitions --------------------------------------------------------------------------------------------------

export interface TypedFunction {
  /** Null: what calling the instance runs. */
  readonly name: string | null;
  readonly span: Span;
  readonly documentation: string | null;
  readonly exported: boolean;
  readonly owner: TypedModel | null;
  /** Sizes bound by the signature. A parameter `B: dim` is one of them too, and its argument a `dim` expression. */
  readonly quantified: readonly (DimVar | PackVar)[];
  readonly parameters: readonly {
    readonly local: Local;
    readonly dim: DimVar | null;
    readonly default: TypedExpression | null;
  }[];
  readonly result: Type;
  /** The names of the results, for outputs: `-> p: [B]` gives ["p"]; null where unnamed. */
  readonly resultNames: readonly (string | null)[];
  readonly assumptions: Assumptions;
  /** Null while its body is broken; nothing is elaborated then. Read when called, so that order never matters. */
  readonly body: () => TypedBody | null;
  /** The derivative that `jvp f(x, dx) = e` gives it; null where it is that of its body. */
  readonly rule: () => TypedRule | null;
}

/** One local a parameter of the function, null for a size; and its tangent, null where it is not of reals. */
export interface TypedRule {
  readonly values: readonly (Local | null)[];
  readonly tangents: readonly (Local | null)[];
  readonly body: TypedBody;
}

export interface TypedModel {
  readonly keyword: 'model' | 'bijector' | 'optimizer' | 'schedule' | 'mdp';
  readonly name: string;
  readonly span: Span;
  readonly documentation: string | null;
  /** In the declared order. */
  readonly hyperParameters: readonly HyperParameter[];
  readonly assumptions: Assumptions;
  readonly parameters: readonly TypedParameter[];
  readonly states: readonly TypedState[];
  readonly layers: readonly TypedLayer[];
  readonly constants: readonly TypedConstant[];
  readonly functions: readonly TypedFunction[];
  /** Of a schedule or decision process: what has to hold of every instance. */
  readonly checks: readonly TypedCheck[];
  /** Of a decision process: what each row of P sums to, where algebra tells; else null, and its tables are summed. */
  readonly rowSum: number | null;
}

/** `check 0 < beta < 1`, or a condition of `where` on hyper-parameters: truth values, all of them true. */
export interface TypedCheck {
  readonly condition: TypedExpression;
  readonly span: Span;
}

export type HyperParameter =
  | { readonly kind: 'dim'; readonly variable: DimVar; readonly default: Dim | null }
  /** Static: `real`, `int`, `bool`, a function or a model. */
  | { readonly kind: 'value'; readonly local: Local; readonly default: TypedExpression | null };

/** Values of hyper-parameters, by their locals. */
export interface Instantiation {
  readonly type: InstanceType;
  readonly values: ReadonlyMap<Local, TypedExpression>;
}

export interface TypedLayer {
  readonly name: string;
  readonly span: Span;
  /** `layer steps[L] = ...` */
  readonly count: Dim | null;
  readonly value: Instantiation;
  /** The layer of whose parameters this one's are the moving average: it is like that one, and begins with its first values. */
  readonly follows: TypedExpression | null;
}

export interface TypedParameter {
  readonly name: string;
  readonly span: Span;
  readonly type: Type;
  readonly initialiser:
    | ({ readonly kind: 'draw' } & TypedDraw)
    | { readonly kind: 'value'; readonly value: TypedExpression };
}

/** An optimiser's states have no type of their own: each takes the shape of the parameter it serves. */
export interface TypedState {
  readonly name: string;
  readonly span: Span;
  readonly type: Type | null;
  readonly initial: TypedExpression;
}

export interface TypedConstant {
  readonly name: string;
  readonly span: Span;
  readonly type: Type;
  readonly value: TypedExpression;
}

// ---- training and the program -------------------------------------------------------------------------------------

export interface TypedTrain {
  readonly name: string;
  readonly span: Span;
  readonly documentation: string | null;
  readonly quantified: readonly (DimVar | PackVar)[];
  /** The data of one step. */
  readonly parameters: readonly Local[];
  /** `step`: the number of the step, from 1. */
  readonly counter: Local;
  readonly assumptions: Assumptions;
  readonly layers: readonly TypedLayer[];
  readonly states: readonly TypedState[];
  readonly steps: readonly TypedStep[];
}

/** `every`: the steps inside run when the block is reached for the `count`-th time, and so on; `repeat`: `count` times over. */
export interface TypedBlock<K extends 'every' | 'repeat'> {
  readonly kind: K;
  readonly count: number;
  readonly steps: readonly TypedStep[];
  readonly span: Span;
}

export type TypedStep =
  | TypedStatement
  | {
      readonly kind: 'optimize';
      readonly sense: 'minimize' | 'maximize';
      readonly objective: TypedExpression;
      /** Instances whose parameters learn. */
      readonly over: readonly TypedExpression[];
      readonly optimizer: Instantiation;
      /** The largest norm that all gradients together may have. */
      readonly clip: TypedExpression | null;
      /** The number of runs whose mean gradient the optimiser gets. */
      readonly accumulate: number;
      readonly span: Span;
    }
  | TypedBlock<'every'>
  | TypedBlock<'repeat'>
  /** `average` moves: the share `decay` stays. */
  | {
      readonly kind: 'track';
      readonly average: TypedExpression;
      readonly of: TypedExpression;
      readonly decay: TypedExpression;
      readonly span: Span;
    }
  | {
      readonly kind: 'report';
      readonly name: string;
      readonly value: TypedExpression;
      readonly span: Span;
    };

/** The main file's own definitions; what they use of other files hangs off them. */
export interface TypedProgram {
  readonly name: string;
  /** Schedules and decision processes that constants of the file hold. */
  readonly tables: readonly TypedConstant[];
  readonly layers: readonly TypedLayer[];
  readonly exports: readonly TypedFunction[];
  readonly trains: readonly TypedTrain[];
  /** All functions and models of the file, for tools. */
  readonly functions: readonly TypedFunction[];
  readonly models: readonly TypedModel[];
}
