// Generic traversal: the children of every kind of node in source order, a walk over them, and the nodes at an offset.
// The table is total over the kinds, so a kind that is added to the tree and forgotten here does not compile.

import type {
  Argument,
  BaseType,
  BinderIndex,
  Block,
  CheckClause,
  Declaration,
  Expression,
  Field,
  File,
  Identifier,
  Init,
  Member,
  PackNode,
  Parameter,
  Path,
  Slot,
  SpaceDeclaration,
  Statement,
  Step,
  Target,
  TypeNode,
} from './ast.ts';

/** Every node that has a kind. */
export type Node =
  | File
  | Declaration
  | Member
  | CheckClause
  | SpaceDeclaration
  | Step
  | Statement
  | Block
  | TypeNode
  | BaseType
  | PackNode
  | Expression
  | Slot;

export type Kind = Node['kind'];
export type NodeOf<K extends Kind> = Extract<Node, { readonly kind: K }>;

/** A child: a node, or a name. */
export type Child = Node | Identifier;

type Children = readonly (Child | null)[];

const parameter = ({ name, type, default: value }: Parameter): Children => [name, type, value];
const field = ({ name, type }: Field): Children => [name, type];
const argument = ({ name, value }: Argument): Children => [name, value];
const init = ({ name, value }: Init): Children => [name, value];
const path = ({ parts }: Path): Children => parts;
const binderIndex = ({ name, bound }: BinderIndex): Children => [name, bound];
const target = ({ name, slots, type }: Target): Children => [name, ...(slots ?? []), type];

const head = (node: {
  readonly name: Identifier | null;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
}): Children => [node.name, ...node.parameters.flatMap(parameter), ...node.where];

const children: { readonly [K in Kind]: (node: NodeOf<K>) => Children } = {
  file: (node) => node.declarations,
  error: () => [],
  import: (node) => [node.alias],
  const: (node) => [node.name, node.type, node.value],
  fn: (node) => [
    node.name,
    ...node.parameters.flatMap(parameter),
    ...(node.result === null ? [] : field(node.result)),
    ...node.where,
    node.body,
  ],
  layer: (node) => [node.name, node.count, node.value],
  jvp: (node) => [node.name, ...node.parameters, node.value],
  model: (node) => [...head(node), ...node.members],
  param: (node) => [node.name, node.type, node.value],
  state: (node) => [node.name, node.type, node.value],
  schedule: (node) => [...head(node), ...node.members],
  check: (node) => node.conditions,
  mdp: (node) => [...head(node), ...node.members],
  space: (node) => [node.name, node.value],
  type: (node) => [node.name, node.type],
  train: (node) => [...head(node), ...node.steps],
  optimize: (node) => [
    node.objective,
    ...node.over.flatMap(path),
    node.using,
    node.clip,
    node.accumulate,
  ],
  repeat: (node) => [node.count, ...node.steps],
  observe: (node) => [node.name, node.value],
  'tensor-type': (node) => [node.base, node.shape],
  'scalar-base': () => [],
  'fin-base': (node) => [node.size],
  'named-base': (node) => [...node.path.parts, ...(node.arguments ?? []).flatMap(argument)],
  'record-type': (node) => node.fields.flatMap(field),
  'function-type': (node) => [...node.parameters.flatMap(field), node.result],
  shape: (node) => node.dimensions,
  pack: (node) => [node.name],
  block: (node) => [...node.statements, node.result],
  for: (node) => [node.variable, node.range, node.until, ...node.carries.flatMap(init), node.body],
  fix: (node) => [...node.carries.flatMap(init), node.tolerance, node.within, node.body],
  root: (node) => [node.variable, node.low, node.high, node.tolerance, node.within, node.body],
  'if-statement': (node) => [node.condition, node.then, node.else],
  bind: (node) => [...node.targets.flatMap(target), ...node.values],
  number: () => [],
  string: () => [],
  boolean: () => [],
  name: () => [],
  fin: (node) => [node.value],
  tuple: (node) => node.items,
  if: (node) => [node.condition, node.then, node.else],
  binary: (node) => [node.left, node.right],
  compare: (node) => node.operands,
  unary: (node) => [node.operand],
  binder: (node) => [...node.indices.flatMap(binderIndex), node.body],
  call: (node) => [node.callee, ...node.arguments.flatMap(argument), node.with],
  index: (node) => [node.target, ...node.slots],
  member: (node) => [node.target, node.name],
  ellipsis: () => [],
  range: (node) => [node.from, node.to],
  at: (node) => [node.value],
};

export const isNode = (child: Child): child is Node => 'kind' in child;

/** The nodes and names directly below `node`, in source order. */
export function childrenOf(node: Node): readonly Child[] {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = children[node.kind] as (node: Node) => Children;
  return rule(node).filter((child) => child !== null);
}

/** Calls `visit` on `root` and everything below, parents first; below a node for which it gives false it does not go. */
export function walk(root: Child, visit: (child: Child) => unknown): void {
  // A stack of its own: the depth of a tree that is still to be judged is no reason to overflow.
  const pending: Child[] = [root];
  for (let child = pending.pop(); child !== undefined; child = pending.pop()) {
    if (visit(child) === false || !isNode(child)) continue;
    pending.push(...childrenOf(child).toReversed());
  }
}

/** The path from `root` to the innermost node or name that covers `offset`; at a boundary, the one that ends there wins last. */
export function nodesAt(root: Node, offset: number): readonly Child[] {
  const found: Child[] = [];
  let at: Child | undefined = root;
  while (at !== undefined) {
    found.push(at);
    at = isNode(at)
      ? (childrenOf(at).find(({ span }) => span.start <= offset && offset < span.end) ??
        childrenOf(at).find(({ span }) => span.end === offset))
      : undefined;
  }
  return found;
}

/** The innermost node or name at `offset`. */
export const nodeAt = (root: Node, offset: number): Child => nodesAt(root, offset).at(-1) ?? root;

/** The number of nodes on the longest path down from `root`. */
export function depthOf(root: Node): number {
  let deepest = 0;
  const pending: [Child, number][] = [[root, 1]];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const [child, depth] = entry;
    deepest = Math.max(deepest, depth);
    if (isNode(child)) for (const below of childrenOf(child)) pending.push([below, depth + 1]);
  }
  return deepest;
}
