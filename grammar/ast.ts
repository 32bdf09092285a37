// The abstract syntax tree of a `.dlg` file: discriminated unions of readonly nodes, each with its span.
// It mirrors the EBNF of docs/language.md one to one; the parser builds it, the printer and the checker read it.
// Parentheses leave no node (the printer puts them back by precedence); comments are kept on the file.

import type { Span } from './source.ts';

interface Spanned {
  readonly span: Span;
}

export interface Identifier extends Spanned {
  readonly text: string;
}

/** `# ...` or `## ...`, text without the marks. The printer places comments by their spans. */
export interface Comment extends Spanned {
  readonly text: string;
  readonly documentation: boolean;
}

export interface File extends Spanned {
  readonly kind: 'file';
  readonly declarations: readonly Declaration[];
  readonly comments: readonly Comment[];
}

// ---- declarations -------------------------------------------------------------------------------------------------

export type Declaration =
  | ImportDeclaration
  | ConstDeclaration
  | FunctionDeclaration
  | LayerDeclaration
  | JvpDeclaration
  | ModelDeclaration
  | ScheduleDeclaration
  | MdpDeclaration
  | TypeDeclaration
  | TrainDeclaration
  | ErrorNode;

/** What the parser puts where it had to skip tokens. Every consumer passes over it in silence: it was reported. */
export interface ErrorNode extends Spanned {
  readonly kind: 'error';
}

interface Documented extends Spanned {
  /** The `##` lines straight before, joined by line breaks; null if none. */
  readonly documentation: string | null;
}

/** `import "std/nn"`, `import "./blocks.dlg" as blocks` */
export interface ImportDeclaration extends Spanned {
  readonly kind: 'import';
  readonly path: { readonly value: string; readonly span: Span };
  readonly alias: Identifier | null;
}

/** `const n: int = 3`, `dim n = 3` */
export interface ConstDeclaration extends Documented {
  readonly kind: 'const';
  readonly keyword: 'const' | 'dim';
  readonly name: Identifier;
  readonly type: TypeNode | null;
  readonly value: Expression;
}

/** `fn name(x: [n]) -> y: [n] where n > 1 = e`, or with a block. In a model the unnamed one is what `net(x)` calls. */
export interface FunctionDeclaration extends Documented {
  readonly kind: 'fn';
  readonly exported: boolean;
  readonly name: Identifier | null;
  readonly parameters: readonly Parameter[];
  readonly result: Field | null;
  readonly where: readonly Expression[];
  /** An expression (`= e`), a block, or an error when the body did not parse: the signature stands all the same. */
  readonly body: Expression | Block;
}

/** `layer enc = MLP(n, h, z)`, `layer steps[L] = Coupling(d, h)` */
export interface LayerDeclaration extends Documented {
  readonly kind: 'layer';
  readonly name: Identifier;
  readonly count: Expression | null;
  readonly value: Expression;
}

/** `jvp f(x, dx) = e` */
export interface JvpDeclaration extends Documented {
  readonly kind: 'jvp';
  readonly name: Identifier;
  readonly parameters: readonly Identifier[];
  readonly value: Expression;
}

export interface ModelDeclaration extends Documented {
  readonly kind: 'model';
  readonly keyword: 'model' | 'bijector' | 'optimizer';
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
  readonly members: readonly Member[];
}

export type Member =
  | ParamDeclaration
  | StateDeclaration
  | LayerDeclaration
  | ConstDeclaration
  | FunctionDeclaration
  | ErrorNode;

/** `param W: [m, n] ~ normal(0, 1)` (drawn) or `param b: [m] = 0` (computed) */
export interface ParamDeclaration extends Documented {
  readonly kind: 'param';
  readonly name: Identifier;
  readonly type: TypeNode;
  readonly initialiser: '~' | '=';
  readonly value: Expression;
}

/** `state mu: [n] = 0` */
export interface StateDeclaration extends Documented {
  readonly kind: 'state';
  readonly name: Identifier;
  readonly type: TypeNode | null;
  readonly value: Expression;
}

export interface ScheduleDeclaration extends Documented {
  readonly kind: 'schedule';
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
  readonly members: readonly (TableMember | ErrorNode)[];
}

/** What schedules and decision processes are made of. */
export type TableMember = ConstDeclaration | FunctionDeclaration | CheckClause | Bind;

/** `check 0 < beta < 1, decreasing(abar)` */
export interface CheckClause extends Spanned {
  readonly kind: 'check';
  readonly conditions: readonly Expression[];
}

export interface MdpDeclaration extends Documented {
  readonly kind: 'mdp';
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
  readonly members: readonly (SpaceDeclaration | TableMember | ErrorNode)[];
}

/** `states S = n * n`, `actions A = 4` */
export interface SpaceDeclaration extends Spanned {
  readonly kind: 'space';
  readonly keyword: 'states' | 'actions';
  readonly name: Identifier;
  readonly value: Expression;
}

/** `type Pose = (R: [3, 3], t: [3])` */
export interface TypeDeclaration extends Documented {
  readonly kind: 'type';
  readonly name: Identifier;
  readonly type: TypeNode;
}

export interface TrainDeclaration extends Documented {
  readonly kind: 'train';
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
  readonly steps: readonly Step[];
}

/** `n: dim`, `x: [B, n]`, `lr: real = 0.1` */
export interface Parameter extends Spanned {
  readonly name: Identifier;
  readonly type: TypeNode;
  readonly default: Expression | null;
}

// ---- steps of a train block ---------------------------------------------------------------------------------------

export type Step =
  LayerDeclaration | StateDeclaration | OptimizeStep | RepeatStep | ObserveStep | Statement;

/** `minimize loss over net, head using Adam(1e-3) clip 1 accumulate 4` */
export interface OptimizeStep extends Spanned {
  readonly kind: 'optimize';
  readonly sense: 'minimize' | 'maximize';
  readonly objective: Expression;
  readonly over: readonly Path[];
  readonly using: Expression;
  readonly clip: Expression | null;
  readonly accumulate: Expression | null;
}

/** `every 100 { ... }`, `repeat 5 { ... }` */
export interface RepeatStep extends Spanned {
  readonly kind: 'repeat';
  readonly keyword: 'every' | 'repeat';
  readonly count: Expression;
  readonly steps: readonly Step[];
}

/** `report accuracy = ...`, `track ema_net = ema(net, 0.999)` */
export interface ObserveStep extends Spanned {
  readonly kind: 'observe';
  readonly keyword: 'report' | 'track';
  readonly name: Identifier;
  readonly value: Expression;
}

/** `net.enc` */
export interface Path extends Spanned {
  readonly parts: readonly Identifier[];
}

// ---- types --------------------------------------------------------------------------------------------------------

export type TypeNode = TensorType | RecordType | FunctionType | ErrorNode;

/** `[B, n]`, `real`, `int[n]`, `fin(V)[B, T]`, `Pose`, `nn.Dense(3, 4)[L]`; base null means reals. */
export interface TensorType extends Spanned {
  readonly kind: 'tensor-type';
  readonly base: BaseType | null;
  readonly shape: ShapeNode | null;
}

export type BaseType = ScalarBase | FinBase | NamedBase;

export interface ScalarBase extends Spanned {
  readonly kind: 'scalar-base';
  readonly name: 'real' | 'int' | 'bool' | 'dim' | 'mdp';
}

export interface FinBase extends Spanned {
  readonly kind: 'fin-base';
  readonly size: Expression;
}

export interface NamedBase extends Spanned {
  readonly kind: 'named-base';
  readonly path: Path;
  readonly arguments: readonly Argument[] | null;
}

/** `(mu: [B, z], lv: [B, z])`; one unnamed field is a parenthesised type. */
export interface RecordType extends Spanned {
  readonly kind: 'record-type';
  readonly fields: readonly Field[];
}

/** `([N, 3]) -> [N]` */
export interface FunctionType extends Spanned {
  readonly kind: 'function-type';
  readonly parameters: readonly Field[];
  readonly result: TypeNode;
}

export interface Field extends Spanned {
  readonly name: Identifier | null;
  readonly type: TypeNode;
}

/** `[..B, 2 * n]`; also a literal array `[0, 1, 0, -1]` where an expression stands. */
export interface ShapeNode extends Spanned {
  readonly kind: 'shape';
  readonly dimensions: readonly (PackNode | Expression)[];
}

/** `..B` */
export interface PackNode extends Spanned {
  readonly kind: 'pack';
  readonly name: Identifier;
}

// ---- statements ---------------------------------------------------------------------------------------------------

export interface Block extends Spanned {
  readonly kind: 'block';
  readonly statements: readonly Statement[];
  readonly result: Expression | null;
}

export type Statement =
  ForStatement | FixStatement | RootStatement | IfStatement | Bind | ErrorNode;

/** `for t < T down recompute until c with s = 0 { ... }`, `for f in steps with z = x { ... }` */
export interface ForStatement extends Spanned {
  readonly kind: 'for';
  readonly variable: Identifier;
  readonly relation: '<' | 'in';
  readonly range: Expression;
  readonly down: boolean;
  readonly recompute: boolean;
  readonly until: Expression | null;
  readonly carries: readonly Init[];
  readonly body: Block;
}

export interface FixStatement extends Spanned {
  readonly kind: 'fix';
  readonly carries: readonly Init[];
  readonly tolerance: Expression;
  readonly within: Expression;
  readonly body: Block;
}

export interface RootStatement extends Spanned {
  readonly kind: 'root';
  readonly variable: Identifier;
  readonly low: Expression;
  readonly high: Expression;
  readonly tolerance: Expression;
  readonly within: Expression;
  readonly body: Block;
}

export interface IfStatement extends Spanned {
  readonly kind: 'if-statement';
  readonly condition: Expression;
  readonly then: Block;
  readonly else: Block | null;
}

/** `y[.., o] = e`, `a, b = halves(x)`, `e: [B] ~ normal(0, 1)`, `s, c <- cell(x, s, c)` */
export interface Bind extends Spanned {
  readonly kind: 'bind';
  readonly targets: readonly Target[];
  readonly operator: '=' | '~' | '<-';
  readonly values: readonly Expression[];
}

export interface Target extends Spanned {
  readonly name: Identifier;
  readonly slots: readonly Slot[] | null;
  readonly type: TypeNode | null;
}

export interface Init extends Spanned {
  readonly name: Identifier;
  readonly value: Expression;
}

// ---- expressions --------------------------------------------------------------------------------------------------

export type Expression =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | NameExpression
  | FinExpression
  | TupleExpression
  | ShapeNode
  | ConditionalExpression
  | BinaryExpression
  | CompareExpression
  | UnaryExpression
  | BinderExpression
  | CallExpression
  | IndexExpression
  | MemberExpression
  | ErrorNode;

export interface NumberLiteral extends Spanned {
  readonly kind: 'number';
  readonly text: string;
}

export interface StringLiteral extends Spanned {
  readonly kind: 'string';
  readonly value: string;
}

export interface BooleanLiteral extends Spanned {
  readonly kind: 'boolean';
  readonly value: boolean;
}

export interface NameExpression extends Spanned {
  readonly kind: 'name';
  readonly text: string;
}

/** `fin(i * n + j)`: an integer proved to lie in the range its context asks for. */
export interface FinExpression extends Spanned {
  readonly kind: 'fin';
  readonly value: Expression;
}

/** `(a, b)`, at least two items; also a group of flattened axes in an index. */
export interface TupleExpression extends Spanned {
  readonly kind: 'tuple';
  readonly items: readonly Expression[];
}

export interface ConditionalExpression extends Spanned {
  readonly kind: 'if';
  readonly condition: Expression;
  readonly then: Expression;
  readonly else: Expression;
}

export type BinaryOperator = '|>' | 'or' | 'and' | '+' | '-' | '*' | '/' | '//' | '%' | '@' | '^';

export interface BinaryExpression extends Spanned {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
}

export type Relation = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** `0 < beta < 1`: n relations between n + 1 operands, true when every link holds. */
export interface CompareExpression extends Spanned {
  readonly kind: 'compare';
  readonly operands: readonly Expression[];
  readonly relations: readonly Relation[];
}

export interface UnaryExpression extends Spanned {
  readonly kind: 'unary';
  readonly operator: '-' | 'not';
  readonly operand: Expression;
}

export const binderNames = [
  'sum',
  'prod',
  'mean',
  'max',
  'min',
  'any',
  'all',
  'lse',
  'argmax',
  'argmin',
  'softmax',
  'logsoftmax',
  'cumsum',
  'cumprod',
] as const;

export type BinderName = (typeof binderNames)[number];

/** `sum[i, j < t] body`; without brackets (`sum(x)`) it is a call of the name instead. */
export interface BinderExpression extends Spanned {
  readonly kind: 'binder';
  readonly binder: BinderName;
  readonly indices: readonly BinderIndex[];
  readonly body: Expression;
}

/** `j`, `j < t`, `j <= t` */
export interface BinderIndex extends Spanned {
  readonly name: Identifier;
  readonly relation: Relation | null;
  readonly bound: Expression | null;
}

/** `f(x, beta1 = 0.5)`, `net(x with w)`. An argument `..B` is the shape `[..B]`: `numel(..B)` is `numel([..B])`. */
export interface CallExpression extends Spanned {
  readonly kind: 'call';
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
  readonly with: Expression | null;
}

export interface Argument extends Spanned {
  readonly name: Identifier | null;
  readonly value: Expression;
}

/** `x[.., t, :k, a:b]` */
export interface IndexExpression extends Spanned {
  readonly kind: 'index';
  readonly target: Expression;
  readonly slots: readonly Slot[];
}

export type Slot = EllipsisSlot | RangeSlot | AtSlot;

/** `..` */
export interface EllipsisSlot extends Spanned {
  readonly kind: 'ellipsis';
}

/** `:`, `:k`, `a:b`, `a:` */
export interface RangeSlot extends Spanned {
  readonly kind: 'range';
  readonly from: Expression | null;
  readonly to: Expression | null;
}

/** `i`, `2*i + 1`, `(i, j)`, and on a left side `u < p` */
export interface AtSlot extends Spanned {
  readonly kind: 'at';
  readonly value: Expression;
}

/** `net.enc` */
export interface MemberExpression extends Spanned {
  readonly kind: 'member';
  readonly target: Expression;
  readonly name: Identifier;
}
