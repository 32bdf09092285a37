// The builder: appends nodes to a graph under construction, giving each its outputs' types by the record's rule. The
// elaborator, the gradient rules and the passes all write through it.
//
// It drops nodes that plainly change nothing (a transpose by the identity, a reshape to the same shape); everything that
// needs a look at the producer of an operand is transform/simplify's.

import { constant as constantDim, isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { BinaryName, Builder, Reduction, UnaryName } from './builder-types.ts';
import type { Attributes, Graph, Node, Origin, Port, TensorType, Value } from './graph.ts';
import type { Capture } from './loops.ts';
import { loops } from './loops.ts';
import { opNamed } from './registry.ts';
import type { DType } from './tensor.ts';
import { tensor } from './tensor.ts';
import { isIdentity, sameShape, showType } from './types.ts';

/** A builder whose result can be taken, and to which nodes of another graph can be added as they are. */
export interface GraphBuilder extends Builder {
  /** Adds an existing node, outputs and all. Its values' ids must be below `firstId`. */
  append(node: Node): void;
  /** Adds an existing input port. */
  appendInput(port: Port): void;
  /** The index in `nodes` of the node that makes `value`; undefined for an input. */
  indexOf(value: Value): number | undefined;
  /** The node that makes `value`; undefined for an input. */
  producerOf(value: Value): Node | undefined;
  /** `value` as one of this graph: itself, or what stands for it where it is of a graph around this one. */
  adopt(value: Value): Value;
  /** Gives a node of this graph other attributes, with which it has further outputs after its own; these are the result. */
  extend(node: Node, attributes: Attributes): readonly Value[];
  /** Where the nodes appended now come from. */
  readonly origin: () => Origin;
  /** What has been built so far. */
  graph(name: string): Graph;
}

/** The part of a builder that does the work; everything else is sugar over it. */
type Core = Pick<
  GraphBuilder,
  | 'emit'
  | 'input'
  | 'output'
  | 'at'
  | 'nodes'
  | 'inputs'
  | 'outputs'
  | 'append'
  | 'appendInput'
  | 'indexOf'
  | 'producerOf'
  | 'adopt'
  | 'extend'
  | 'origin'
  | 'graph'
>;

const nowhere: Origin = { path: '', span: null };

/** Values that stand for those a node would make, or null to make it. */
export type Shortcut = (
  builder: GraphBuilder,
  op: string,
  inputs: readonly Value[],
  attributes: Attributes,
) => readonly Value[] | null;

export interface BuilderOptions {
  /** The id of the first value made, above those of any graph whose nodes are appended. Default 0. */
  readonly firstId?: number;
  /** Asked before each node is made, so that what a pass builds is itself simplified. */
  readonly shortcut?: Shortcut;
  /** How a value that is not of this graph becomes one; for the graph of a body. */
  readonly capture?: Capture;
  /** Where nodes come from until `at` says otherwise. */
  readonly origin?: Origin;
}

export function createBuilder({ shortcut, ...options }: BuilderOptions = {}): GraphBuilder {
  const plain = createCore(options);
  if (shortcut === undefined) return withSugar(plain);
  const builder: GraphBuilder = withSugar({
    ...plain,
    emit: (op, inputs, attributes = {}) =>
      shortcut(builder, op, inputs, attributes) ?? plain.emit(op, inputs, attributes),
  });
  return builder;
}

function withSugar(core: Core): GraphBuilder {
  const emit = (op: string, inputs: readonly Value[], attributes: Attributes = {}): Value =>
    only(op, core.emit(op, inputs, attributes));
  const literals = constants(emit);
  return {
    ...core,
    ...literals,
    ...elementwise(emit),
    ...shapes(emit),
    ...contractions(emit),
    ...indices(emit),
    ...loops(core, createBuilder),
    gradient: (y, xs, along = literals.scalar(1)) => core.emit('gradient', [y, along, ...xs]),
    variable: (x) => emit('variable', [x], { id: core.nodes.length }),
  };
}

function createCore({ firstId = 0, capture, origin: from = nowhere }: BuilderOptions): Core {
  const nodes: Node[] = [];
  const inputs: Port[] = [];
  const outputs: Port[] = [];
  const madeBy = new Map<Value, number>();
  const own = new Set<Value>();
  const append = (node: Node): void => {
    for (const value of node.outputs) {
      madeBy.set(value, nodes.length);
      own.add(value);
    }
    nodes.push(node);
  };
  let nextId = firstId;
  let origin = from;
  const typesOf = (op: string, read: readonly Value[], attributes: Attributes) => {
    const types = opNamed(op).type(read, attributes);
    if (typeof types !== 'string') return types;
    throw new Error(`${op}(${read.map(showType).join(', ')}): ${types}`);
  };
  const newValue = ({ dtype, shape }: TensorType): Value => ({ id: nextId++, dtype, shape });
  const core: Core = {
    nodes,
    inputs,
    outputs,
    emit(op, operands, attributes = {}) {
      const read = operands.map(core.adopt);
      const values = typesOf(op, read, attributes).map(newValue);
      append({ op, inputs: read, attributes, outputs: values, origin });
      return values;
    },
    input(name, role, type, size) {
      const value = newValue(type);
      core.appendInput({ name, role, value, ...(size === undefined ? {} : { size }) });
      return value;
    },
    output: (name, role, value) => void outputs.push({ name, role, value: core.adopt(value) }),
    at(place, body) {
      const outer = origin;
      origin = place;
      try {
        return body();
      } finally {
        origin = outer;
      }
    },
    append,
    indexOf: (value) => madeBy.get(value),
    producerOf(value) {
      const index = madeBy.get(value);
      return index === undefined ? undefined : nodes[index];
    },
    appendInput(port) {
      inputs.push(port);
      own.add(port.value);
    },
    adopt(value) {
      if (own.has(value)) return value;
      if (capture === undefined)
        throw new Error(`the ${showType(value)} with id ${value.id} is of another graph`);
      return capture(value, core);
    },
    extend({ outputs: [first] }, attributes) {
      const index = madeBy.get(first) ?? -1;
      const node = nodes[index];
      const types = typesOf(node.op, node.inputs, attributes);
      const further = types.slice(node.outputs.length).map(newValue);
      nodes[index] = { ...node, attributes, outputs: [...node.outputs, ...further] };
      for (const value of further) {
        madeBy.set(value, index);
        own.add(value);
      }
      return further;
    },
    origin: () => origin,
    graph: (name) => ({ name, inputs: [...inputs], nodes: [...nodes], outputs: [...outputs] }),
  };
  return core;
}

type Emit = (op: string, inputs: readonly Value[], attributes?: Attributes) => Value;

function only(op: string, values: readonly Value[]): Value {
  const [value, ...rest] = values;
  if (value === undefined || rest.length > 0) throw new Error(`${op} has ${values.length} results`);
  return value;
}

function constants(emit: Emit): Pick<Builder, 'constant' | 'scalar' | 'full' | 'iota' | 'dim'> {
  const scalar = (value: number, dtype: DType = 'f32'): Value =>
    emit('constant', [], { value: tensor(dtype, [], [value], 'f64') });
  return {
    constant: (value) => emit('constant', [], { value }),
    scalar,
    full: (value, shape, dtype = 'f32') => fillWith(emit, scalar(value, dtype), shape),
    iota: (shape, axis, dtype = 'i32') => emit('iota', [], { shape, axis, dtype }),
    dim: (dim, dtype = 'i32') => {
      const size = isConstant(dim);
      return size === null ? emit('dim_value', [], { dim, dtype }) : scalar(size, dtype);
    },
  };
}

function fillWith(emit: Emit, x: Value, shape: readonly Dim[]): Value {
  return shape.length === 0 ? x : emit('broadcast_in_dim', [x], { shape, axes: [] });
}

type Elementwise =
  | 'unary'
  | 'negate'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'binary'
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'compare'
  | 'select'
  | 'convert'
  | 'stopGradient';

function elementwise(emit: Emit): Pick<Builder, Elementwise> {
  const unary = (op: UnaryName) => (x: Value) => emit(op, [x]);
  const binary = (op: BinaryName) => (a: Value, b: Value) => emit(op, [a, b]);
  return {
    unary: (op, x) => emit(op, [x]),
    negate: unary('negate'),
    exp: unary('exponential'),
    log: unary('log'),
    sqrt: unary('sqrt'),
    binary: (op, a, b) => emit(op, [a, b]),
    add: binary('add'),
    subtract: binary('subtract'),
    multiply: binary('multiply'),
    divide: binary('divide'),
    compare: (direction, a, b) => emit('compare', [a, b], { direction }),
    select: (predicate, onTrue, onFalse) => emit('select', [predicate, onTrue, onFalse]),
    convert: (x, dtype) => (x.dtype === dtype ? x : emit('convert', [x], { dtype })),
    stopGradient: (x) => emit('stop_gradient', [x]),
  };
}

type Shapes =
  'broadcastInDim' | 'fill' | 'reshape' | 'transpose' | 'reverse' | 'slice' | 'pad' | 'concatenate';

function shapes(emit: Emit): Pick<Builder, Shapes> {
  const ones = (like: readonly unknown[]): Dim[] => like.map(() => constantDim(1));
  const zeros = (like: readonly unknown[]): Dim[] => like.map(() => constantDim(0));
  return {
    broadcastInDim: (x, shape, axes) =>
      sameShape(x.shape, shape) && isIdentity(axes)
        ? x
        : emit('broadcast_in_dim', [x], { shape, axes }),
    fill: (x, shape) => fillWith(emit, x, shape),
    reshape: (x, shape) => (sameShape(x.shape, shape) ? x : emit('reshape', [x], { shape })),
    transpose: (x, permutation) =>
      isIdentity(permutation) ? x : emit('transpose', [x], { permutation }),
    reverse: (x, axes) => (axes.length === 0 ? x : emit('reverse', [x], { axes })),
    slice: (x, starts, limits, strides = ones(x.shape)) =>
      emit('slice', [x], { starts, limits, strides }),
    pad: (x, value, low, high, interior = zeros(x.shape)) =>
      emit('pad', [x, value], { low, high, interior }),
    concatenate: (parts, axis) => {
      const [first, ...rest] = parts;
      return first !== undefined && rest.length === 0
        ? first
        : emit('concatenate', parts, { axis });
    },
  };
}

type Contractions =
  | 'reduce'
  | 'argMax'
  | 'argMin'
  | 'argSort'
  | 'cumsum'
  | 'dotGeneral'
  | 'convolution'
  | 'softmax'
  | 'logSoftmax';

function contractions(emit: Emit): Pick<Builder, Contractions> {
  return {
    reduce: (kind: Reduction, x, axes) =>
      axes.length === 0 ? x : emit('reduce', [x], { kind, axes: axes.toSorted((a, b) => a - b) }),
    argMax: (x, axis) => emit('arg_max', [x], { axis }),
    argMin: (x, axis) => emit('arg_min', [x], { axis }),
    argSort: (x) => emit('argsort', [x]),
    cumsum: (x, axis, { reverse = false, exclusive = false } = {}) =>
      emit('cumsum', [x], { axis, reverse, exclusive }),
    dotGeneral: (lhs, rhs, { lhsBatch, rhsBatch, lhsContracting, rhsContracting }) =>
      emit('dot_general', [lhs, rhs], { lhsBatch, rhsBatch, lhsContracting, rhsContracting }),
    convolution: (x, w, { strides, padding, lhsDilation, rhsDilation }, groups) =>
      emit('convolution', [x, w], {
        window: { strides, padding, lhsDilation, rhsDilation },
        groups,
      }),
    softmax: (x, axis) => emit('softmax', [x], { axis }),
    logSoftmax: (x, axis) => emit('log_softmax', [x], { axis }),
  };
}

function indices(
  emit: Emit,
): Pick<Builder, 'unfold' | 'fold' | 'take' | 'scatterAdd' | 'lastPosition'> {
  return {
    unfold: (x, { axes, sizes, strides, dilations }) =>
      emit('unfold', [x], { window: { axes, sizes, strides, dilations } }),
    fold: (x, { axes, sizes, strides, dilations }, shape) =>
      emit('fold', [x], { window: { axes, sizes, strides, dilations }, shape }),
    take: (x, at, axis) => emit('take', [x, at], { axis }),
    scatterAdd: (at, updates, axis, shape) => emit('scatter_add', [at, updates], { axis, shape }),
    lastPosition: (at, size) => emit('last_position', [at], { size }),
  };
}
