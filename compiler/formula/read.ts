// The formula of one element of a value of a graph: each operation read at given indices. What has no short formula there
// (convolutions, gathers, reshapes) stands as an element of that operation's result.

import { equal, isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import type { Attributes, Graph, Node, Value } from '../ir/graph.ts';
import { attributesIf } from '../ir/node-attributes.ts';
import {
  add,
  delta,
  divide,
  multiply,
  number,
  power,
  reduce,
  subtract,
  type Formula,
  type Index,
} from './formula.ts';

export interface Reader {
  /** The element of `value` at `indices`, one an axis. */
  readonly element: (value: Value, indices: readonly Index[]) => Formula;
  /** What stood for operations without a formula: its name, and the operation. */
  readonly unread: ReadonlyMap<string, string>;
}

const functions: Readonly<Record<string, string>> = {
  exponential: 'exp',
  log: 'log',
  expm1: 'expm1',
  log1p: 'log1p',
  sqrt: 'sqrt',
  sine: 'sin',
  cosine: 'cos',
  tanh: 'tanh',
  logistic: 'sigmoid',
  erf: 'erf',
  abs: 'abs',
  sign: 'sign',
  floor: 'floor',
  ceil: 'ceil',
  round_even: 'round',
  maximum: 'max',
  minimum: 'min',
  atan2: 'atan2',
};

const relations: Readonly<Record<string, string>> = {
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

const letters = [...'klmnpqrst'];

interface Reading {
  readonly attributes: Attributes;
  readonly node: Node;
  readonly indices: readonly Index[];
  /** Operand `n` at the same indices. */
  readonly operand: (n: number) => Formula;
  readonly at: (n: number, indices: readonly Index[]) => Formula;
  readonly fresh: () => Index;
}

interface Bound {
  readonly binder: string;
  readonly index: Index;
  readonly size: Formula;
}

function sizeOf(dim: Dim): Formula {
  const known = isConstant(dim);
  return known === null ? { kind: 'size', text: showDim(dim) } : number(known);
}

type Rule = (reading: Reading) => Formula | null;

const rules: Readonly<Record<string, Rule>> = {
  constant: ({ node, indices }) => {
    const value = attributesIf('constant', node)?.value;
    return value?.shape.length === 0 && indices.length === 0 ? number(value.data[0]) : null;
  },
  dim_value: ({ node }) => {
    const dim = attributesIf('dim_value', node)?.dim;
    return dim === undefined ? null : sizeOf(dim);
  },
  broadcast_in_dim: ({ node, indices, at }) => {
    const axes = attributesIf('broadcast_in_dim', node)?.axes ?? [];
    return at(
      0,
      axes.map((axis) => indices[axis]),
    );
  },
  transpose: ({ node, indices, at }) => {
    const permutation = attributesIf('transpose', node)?.permutation ?? [];
    return at(
      0,
      permutation.map((_, axis) => indices[permutation.indexOf(axis)]),
    );
  },
  iota: ({ attributes, indices }) => ({
    kind: 'position',
    index: indices[Number(attributes['axis'])],
  }),
  // To int it would cut.
  convert: ({ node, operand }) => (node.outputs[0].dtype === 'f32' ? operand(0) : null),
  negate: ({ operand }) => multiply([number(-1), operand(0)]),
  rsqrt: ({ operand }) => divide(number(1), { kind: 'apply', name: 'sqrt', of: [operand(0)] }),
  add: ({ operand }) => add([operand(0), operand(1)]),
  subtract: ({ operand }) => subtract(operand(0), operand(1)),
  multiply: ({ operand }) => multiply([operand(0), operand(1)]),
  divide: ({ operand }) => divide(operand(0), operand(1)),
  power: ({ operand }) => {
    const exponent = operand(1);
    return exponent.kind === 'number' ? power(operand(0), exponent.value) : null;
  },
  compare: ({ node, indices, operand }) => {
    const direction = attributesIf('compare', node)?.direction ?? 'eq';
    const [left, right] = [operand(0), operand(1)];
    if (direction === 'eq' && left.kind === 'position' && right.kind === 'position') {
      const [a, b] = [left, right].map(({ index }) => node.inputs[0].shape[indices.indexOf(index)]);
      // A delta picks a term of a sum, so its indices have one range.
      if (a !== undefined && b !== undefined && equal(a, b))
        return delta(...sorted(left.index, right.index));
    }
    return { kind: 'indicator', relation: relations[direction], left, right };
  },
  select: ({ operand }) => {
    const [condition, onTrue, onFalse] = [operand(0), operand(1), operand(2)];
    if (condition.kind !== 'delta' && condition.kind !== 'indicator') return null;
    return add([
      multiply([condition, onTrue]),
      multiply([subtract(number(1), condition), onFalse]),
    ]);
  },
  reduce: ({ node, indices, at, fresh }) => {
    const { kind, axes } = attributesIf('reduce', node) ?? { kind: 'add', axes: [] };
    if (kind !== 'add' && kind !== 'max' && kind !== 'min') return null;
    const rest = [...indices];
    const bound: Bound[] = [];
    const binder = kind === 'add' ? 'sum' : kind;
    const inner = node.inputs[0].shape.map((size, axis) => {
      if (!axes.includes(axis)) return rest.shift() ?? '';
      const index = fresh();
      bound.push({ binder, index, size: sizeOf(size) });
      return index;
    });
    return bound.reduceRight((body, over) => reduce(over, body), at(0, inner));
  },
  dot_general: ({ node, indices, at, fresh }) => {
    const d = attributesIf('dot_general', node);
    if (d === null) return null;
    const sums = d.lhsContracting.map(fresh);
    const rest = indices.slice(d.lhsBatch.length);
    const side = (n: number, batch: readonly number[], contracting: readonly number[]) =>
      node.inputs[n].shape.map((_, axis) => {
        if (batch.includes(axis)) return indices[batch.indexOf(axis)];
        if (contracting.includes(axis)) return sums[contracting.indexOf(axis)];
        return rest.shift() ?? '';
      });
    const left = at(0, side(0, d.lhsBatch, d.lhsContracting));
    const right = at(1, side(1, d.rhsBatch, d.rhsContracting));
    return sums.reduceRight(
      (body, index, n) => {
        const size = sizeOf(node.inputs[0].shape[d.lhsContracting[n]]);
        return reduce({ binder: 'sum', index, size }, body);
      },
      multiply([left, right]),
    );
  },
  softmax: (reading) => normalised('softmax', reading),
  log_softmax: (reading) => normalised('logsoftmax', reading),
};

const sorted = (a: Index, b: Index): [Index, Index] => (a < b ? [a, b] : [b, a]);

function normalised(binder: string, { attributes, indices, at, fresh }: Reading): Formula {
  const axis = Number(attributes['axis']);
  const index = fresh();
  return {
    kind: 'normalise',
    binder,
    index,
    body: at(0, indices.with(axis, index)),
    at: indices[axis],
  };
}

/** A reader of the graph's values; those in `names` are written by name. */
export function readerOf(graph: Graph, names: ReadonlyMap<Value, string>): Reader {
  const makers = new Map<Value, Node>(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const inputs = new Map(graph.inputs.map(({ name, value }) => [value, name]));
  const unread = new Map<string, string>();
  let used = 0;
  const fresh = (): Index => {
    const letter = letters[used % letters.length];
    return `${letter}${"'".repeat(Math.floor(used++ / letters.length))}`;
  };
  const element = (value: Value, indices: readonly Index[]): Formula => {
    const name = names.get(value) ?? inputs.get(value);
    if (name !== undefined) return { kind: 'element', name, indices };
    const node = makers.get(value);
    if (node === undefined) throw new Error('a value that nothing makes');
    const at = (n: number, inner: readonly Index[]): Formula => element(node.inputs[n], inner);
    const operand = (n: number): Formula => at(n, indices);
    const { attributes } = node;
    const own = functions[node.op];
    if (own !== undefined)
      return { kind: 'apply', name: own, of: node.inputs.map((_, n) => operand(n)) };
    const read = rules[node.op]?.({ attributes, node, indices, operand, at, fresh }) ?? null;
    if (read !== null) return read;
    const given = `${node.op}_${value.id}`;
    unread.set(given, node.op);
    return { kind: 'element', name: given, indices };
  };
  return { element, unread };
}
