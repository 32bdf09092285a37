// Facts about a graph that scheduling asks for again and again: what makes a value, who reads it, and what reading one element of it
// reads in turn.

import { dimOf, equal } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Graph, Node, Value } from '../../ir/graph.ts';
import { opNamed } from '../../ir/registry.ts';
import { product } from '../../ir/shape-arithmetic.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { indexVariable, type Index } from './indices.ts';
import { bodyPorts, loopAttributes, loopOp, type BodyPorts } from './loop-ports.ts';
import type { Code, Product, WgslLowering } from './lowering.ts';

export interface Network {
  readonly graph: Graph;
  /** If the graph is the body of a loop: what its ports are for. */
  readonly body: BodyPorts;
  readonly producerOf: (value: Value) => Node | undefined;
  /** The nodes that read a value, one each. */
  readonly usersOf: (value: Value) => readonly Node[];
  readonly isInput: (value: Value) => boolean;
  /** The tensor that a value is, where it is known when the program is built. */
  readonly literalOf: (value: Value) => Tensor | null;
  /** The value whose elements these are, in the same order: what a reshape reshapes. */
  readonly baseOf: (value: Value) => Value;
  /** The input whose next value this is: it may be written over it. */
  readonly replacedBy: (value: Value) => Value | undefined;
  /** Index variables for every axis of a shape; the same ones whenever the same is asked for. */
  readonly indexOver: (shape: readonly Dim[], role?: string) => readonly Index[];
  /** Which elements of its operands one element of a map reads, or of a contraction that is not stored. */
  readonly elementReads: (node: Node, index: readonly Index[]) => readonly ElementRead[];
}

export interface ElementRead {
  readonly value: Value;
  readonly index: readonly Index[];
}

const prepared: WgslLowering = {
  kind: 'loop',
  steps: () => {
    throw new Error('the loop is prepared already');
  },
};

export const loweringOf = (node: Node): WgslLowering =>
  node.op === loopOp ? prepared : opNamed(node.op).wgsl;

/** Operations whose result is their operand, element by element in storage order. */
const renamings = new Set(['reshape', 'stop_gradient', 'variable']);

/** WebGPU's default limit of storage buffers a shader stage. */
export const mostBuffers = 8;

export function createNetwork(graph: Graph, isBody = false): Network {
  const body = bodyPorts(graph, isBody);
  const producers = new Map<Value, Node>();
  const users = new Map<Value, Node[]>();
  const inputs = new Set<Value>(graph.inputs.map(({ value }) => value));
  for (const node of graph.nodes) {
    for (const value of node.outputs) producers.set(value, node);
    for (const value of new Set(node.inputs)) users.set(value, [...(users.get(value) ?? []), node]);
  }
  const producerOf = (value: Value): Node | undefined => producers.get(value);
  const baseOf = (value: Value): Value => {
    let base = value;
    for (;;) {
      const node = producers.get(base);
      if (node === undefined || !renamings.has(node.op)) return base;
      [base] = node.inputs;
    }
  };
  const replaced = replacements(graph, baseOf, isBody);
  const indices = new Map<string, readonly Index[]>();
  const reads = new Map<string, readonly ElementRead[]>();
  return {
    graph,
    body,
    producerOf,
    usersOf: (value) => users.get(value) ?? [],
    isInput: (value) => inputs.has(value),
    literalOf(value) {
      const node = producers.get(value);
      if (node === undefined) return null;
      const lowering = loweringOf(node);
      return lowering.kind === 'literal' ? lowering.value(node.attributes) : null;
    },
    baseOf,
    replacedBy: (value) => replaced.get(value),
    indexOver: (shape, role = 'i') =>
      remembered(indices, `${role}:${shape.map(({ key }) => key).join()}`, () =>
        shape.map((size, axis) => dimOf(indexVariable(`${role}${axis}`, size))),
      ),
    elementReads: (node, index) =>
      remembered(reads, elementKey(node.outputs[0], index), () => findReads(node, index)),
  };
}

/** What is known under a key, found the first time. */
function remembered<T>(known: Map<string, T>, key: string, find: () => T): T {
  let found = known.get(key);
  if (found === undefined) known.set(key, (found = find()));
  return found;
}

/**
 * Results by what they replace, `X.next` the input X, those of a loop its carries; not those that are the next value of several, nor
 * where X is a result itself. A loop's body has its own way with carries that change places (schedule.ts).
 */
function replacements(
  graph: Graph,
  baseOf: (value: Value) => Value,
  isBody: boolean,
): ReadonlyMap<Value, Value> {
  const results = new Set(isBody ? [] : graph.outputs.map(({ value }) => baseOf(value)));
  const replaced = new Map<Value, Value>();
  const seen = new Set<Value>();
  for (const { name, value } of graph.outputs) {
    const base = baseOf(value);
    const input = graph.inputs.find((port) => `${port.name}.next` === name)?.value;
    const fits =
      input !== undefined &&
      !results.has(input) &&
      input.dtype === base.dtype &&
      sameSize(input, base);
    if (seen.has(base)) replaced.delete(base);
    else if (fits) replaced.set(base, input);
    seen.add(base);
  }
  for (const node of graph.nodes)
    if (node.op === loopOp)
      loopAttributes(node).becomes.forEach((operand, i) => {
        if (operand >= 0) replaced.set(node.outputs[i], node.inputs[operand]);
      });
  return replaced;
}

const sameSize = (a: Value, b: Value): boolean => equal(product(a.shape), product(b.shape));

/** A literal of one number throughout is written where it is used; others lie in a buffer. */
export function uniformValue({ data }: Tensor): number | null {
  const first = data[0];
  return data.length > 0 && data.every((x: number) => Object.is(x, first)) ? first : null;
}

/** Whether a value is folded, contracted or made by a loop: it has no elements that could be computed on the way. */
export function isFolded(network: Network, value: Value): boolean {
  const node = network.producerOf(value);
  const kind = node === undefined ? 'map' : loweringOf(node).kind;
  return kind === 'reduce' || kind === 'contract' || kind === 'loop';
}

/** An element of a value: where reading ends, in a buffer. */
export type Visit = (value: Value, index: readonly Index[]) => void;

/**
 * What reading elements reads from buffers. `isStored` says which values have one; the walk goes through all others. One walk visits
 * an element of a value once.
 */
export function createWalk(
  network: Network,
  isStored: (value: Value) => boolean,
  visit: Visit,
): Visit {
  const seen = new Set<string>();
  const read: Visit = (value, index) => {
    const key = elementKey(value, index);
    if (seen.has(key)) return;
    seen.add(key);
    if (isStored(value)) return visit(value, index);
    const node = network.producerOf(value);
    if (node === undefined) throw new Error(`value ${value.id} is made by nothing`);
    const lowering = loweringOf(node);
    if (lowering.kind === 'literal') {
      const tensor = network.literalOf(value);
      if (tensor !== null && uniformValue(tensor) === null) visit(value, index);
    } else if (lowering.kind === 'map' || lowering.kind === 'contract')
      for (const element of network.elementReads(node, index)) read(element.value, element.index);
    else throw new Error(`${node.op} has no elements that a kernel could compute on the way`);
  };
  return read;
}

export const elementKey = (value: Value, index: readonly Index[]): string =>
  `${value.id}[${index.map(({ key }) => key).join(',')}]`;

/** What a contraction multiplies and sums. */
export function productOf(node: Node): Product | null {
  const lowering = loweringOf(node);
  return lowering.kind === 'contract' ? lowering.product(node) : null;
}

export type ProductPlace = Readonly<Record<'batch' | 'rows' | 'columns' | 'sum', readonly Index[]>>;

/** What one term of an element of a contraction reads of either operand. */
export function factorsOf(
  { inputs }: Node,
  product: Product,
  place: ProductPlace,
): Readonly<Record<'lhs' | 'rhs', readonly ElementRead[]>> {
  const readBy = (side: 'lhs' | 'rhs'): readonly ElementRead[] => {
    const reads: ElementRead[] = [];
    const read = (operand: number, index: readonly Index[]): string => {
      reads.push({ value: inputs[operand], index });
      return 'x';
    };
    product[side](place, { read, code: nowhere });
    return reads;
  };
  return { lhs: readBy('lhs'), rhs: readBy('rhs') };
}

/** The spaces of an element of a contraction whose axes are in order: its batch, its row, its column. */
export function partsOf(
  { batch, rows }: Product,
  index: readonly Index[],
): Pick<ProductPlace, 'batch' | 'rows' | 'columns'> {
  const [first, second] = [batch.length, batch.length + rows.length];
  return {
    batch: index.slice(0, first),
    rows: index.slice(first, second),
    columns: index.slice(second),
  };
}

/** What an element of a contraction reads that is not stored, but computed again. */
function readsOfProduct(node: Node, index: readonly Index[]): readonly ElementRead[] {
  const product = productOf(node);
  if (product === null) return [];
  const sum = product.sum.map((size, axis) => dimOf(indexVariable(`sum${axis}`, size)));
  const { lhs, rhs } = factorsOf(node, product, { ...partsOf(product, index), sum });
  return [...lhs, ...rhs];
}

function findReads(node: Node, index: readonly Index[]): readonly ElementRead[] {
  const lowering = loweringOf(node);
  const reads: ElementRead[] = [];
  if (lowering.kind === 'contract') return readsOfProduct(node, index);
  if (lowering.kind !== 'map') return reads;
  lowering.element({
    inputs: node.inputs,
    outputs: node.outputs,
    attributes: node.attributes,
    index,
    read: (operand, at) => {
      reads.push({ value: node.inputs[operand], index: at });
      return 'x';
    },
    code: nowhere,
  });
  return reads;
}

/** Code that is not kept: for lowerings run only to see what they read. */
export const nowhere: Code = {
  bind: () => 'x',
  variable: () => 'x',
  assign: () => {},
  loop: (hint, count, body) => body(dimOf(indexVariable(hint, count))),
  when: (_, body) => body(),
  choose: (_dtype, _condition, then, otherwise) => {
    otherwise();
    return then();
  },
  below: () => 'x',
  index: (hint, _, bound) => dimOf(indexVariable(hint, bound)),
  text: () => 'x',
  call: () => 'x',
};
