// Typed expressions by hand, and their values through the interpreter: tests of the elaborator that stand on nothing but the
// typed program's definition.

import { expect } from 'vitest';

import type { BinderName, Relation } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { builtins } from '../../compiler/builtins/registry.ts';
import type { Index, Local, ReadSlot, TypedExpression } from '../../compiler/check/typed.ts';
import type { Base, Type } from '../../compiler/check/types.ts';
import { asTensor, dtypeOf, tensorOf } from '../../compiler/builtins/labelled.ts';
import type { Elaborated } from '../../compiler/builtins/elaboration.ts';
import { constant } from '../../compiler/dims/arithmetic.ts';
import type { Dim, PackVar } from '../../compiler/dims/dim.ts';
import { emptyEnvironment } from '../../compiler/elaborate/context.ts';
import { newContext } from '../../compiler/elaborate/new-context.ts';
import { dtypeOfBase } from '../../compiler/elaborate/sizes.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { removeDeadCode } from '../../compiler/transform/dead-code.ts';
import { simplify } from '../../compiler/transform/simplify.ts';

const span: Span = { source: { path: 'test.dlg', text: '' }, start: 0, end: 0 };
export const real: Base = { kind: 'real' };
export const int: Base = { kind: 'int' };
export const scalar = (base: Base = real): Type => ({ kind: 'tensor', base, shape: [] });
export const shaped = (base: Base, ...sizes: (number | Dim)[]): Type => ({
  kind: 'tensor',
  base,
  shape: sizes.map((size) => ({
    kind: 'size',
    size: typeof size === 'number' ? constant(size) : size,
  })),
});

let lastId = 0;
export const index = (name: string, range: number | Dim): Index => ({
  id: ++lastId,
  name,
  range: typeof range === 'number' ? constant(range) : range,
  pack: null,
});
export const packIndex = (pack: PackVar, range: Dim): Index => ({
  id: ++lastId,
  name: '..',
  range,
  pack,
});

/** An input of the test, with its values. */
export interface Input {
  readonly local: Local;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export function input(
  name: string,
  shape: readonly number[],
  values: readonly number[] | ((i: number) => number) = (i) => Math.sin(3 * i + name.length),
  base: Base = real,
): Input {
  const size = shape.reduce((a, b) => a * b, 1);
  const local: Local = { name, type: shaped(base, ...shape), span };
  const given =
    typeof values === 'function' ? Array.from({ length: size }, (_, i) => values(i)) : values;
  return { local, shape, values: given };
}

export const get = ({ local }: Input): TypedExpression => ({
  kind: 'local',
  local,
  type: local.type,
  span,
});
export const at = (i: Index): TypedExpression => ({
  kind: 'index',
  index: i,
  type: scalar({ kind: 'fin', size: i.range }),
  span,
});
export const whole = (value: number): TypedExpression => ({
  kind: 'number',
  value,
  type: scalar(int),
  span,
});
export const num = (value: number): TypedExpression => ({
  kind: 'number',
  value,
  type: scalar(real),
  span,
});
export const apply = (
  name: string,
  operands: readonly TypedExpression[],
  type: Type = scalar(),
): TypedExpression => ({
  kind: 'builtin',
  builtin: builtins[name],
  bindings: { dims: new Map(), packs: new Map() },
  arguments: operands,
  data: null,
  type,
  span,
});
export const plus = (a: TypedExpression, b: TypedExpression): TypedExpression =>
  apply('add', [a, b], a.type);
export const times = (a: TypedExpression, b: TypedExpression): TypedExpression =>
  apply('multiply', [a, b], a.type);

type Slot = Index | TypedExpression | ReadSlot;

const slotOf = (slot: Slot): ReadSlot => {
  if ('range' in slot && 'pack' in slot)
    return slot.pack === null ? { kind: 'at', at: at(slot) } : { kind: 'pack', index: slot };
  return 'type' in slot ? { kind: 'at', at: slot } : slot;
};

export function read(target: TypedExpression, ...slots: Slot[]): TypedExpression {
  if (target.type.kind !== 'tensor') throw new Error('reads are of tensors');
  const type = scalar(target.type.base);
  return { kind: 'read', target, slots: slots.map(slotOf), type, span };
}
export const group = (...items: (readonly [Index | TypedExpression, number])[]): ReadSlot => ({
  kind: 'group',
  items: items.map(([item, size]) => ({
    at: 'type' in item ? item : at(item),
    size: constant(size),
  })),
});
export const bind = (
  binder: BinderName,
  indices: readonly (Index | readonly [Index, Relation, TypedExpression])[],
  body: TypedExpression,
  type: Type = body.type,
): TypedExpression => ({
  kind: 'binder',
  binder,
  indices: indices.map((item) => {
    if (!('length' in item)) return { index: item, prefix: null };
    const [i, relation, bound] = item;
    return { index: i, prefix: { relation, bound } };
  }),
  body,
  type,
  span,
});
export function forAll(
  axes: readonly (Index | readonly Index[])[],
  body: TypedExpression,
): TypedExpression {
  const groups = axes.map((axis): readonly Index[] => ('length' in axis ? axis : [axis]));
  if (body.type.kind !== 'tensor') throw new Error('elements are scalars');
  return { kind: 'comprehension', axes: groups, body, type: shaped(body.type.base), span };
}

export interface Run {
  /** Simplified, without dead nodes. */
  readonly graph: Graph;
  /** The operations, in order, but for constants. */
  readonly ops: readonly string[];
  readonly result: Tensor;
}

/** Elaborates an expression over inputs and evaluates it in float64. */
export function run(
  expression: TypedExpression,
  inputs: readonly Input[],
  packs: ReadonlyMap<PackVar, readonly Dim[]> = new Map(),
): Run {
  const context = newContext(false, 'test');
  const { builder } = context;
  const locals = new Map<Local, Elaborated>();
  const feeds: Record<string, Tensor> = {};
  for (const { local, shape, values } of inputs) {
    const dtype = local.type.kind === 'tensor' ? dtypeOfBase(local.type.base) : 'f32';
    const type = { dtype, shape: shape.map(constant) };
    locals.set(local, tensorOf(builder.input(local.name, 'data', type)));
    feeds[local.name] = tensor(dtype, shape, values, 'f64');
  }
  const value = context.evaluate(expression, { ...emptyEnvironment, packs, locals });
  builder.output('result', 'result', asTensor(builder, value, dtypeOf(value)).value);
  const graph = removeDeadCode(simplify(removeDeadCode(builder.graph('test'))));
  const { result } = interpret(graph, feeds, { precision: 'f64' });
  const ops = graph.nodes.map(({ op }) => op).filter((op) => op !== 'constant');
  return { graph, ops, result };
}

/** The result has this shape and, row by row, these values. */
export function close(
  { result }: Run,
  shape: readonly number[],
  expected: readonly number[],
): void {
  expect(result.shape).toEqual(shape);
  expect(result.data.length).toBe(expected.length);
  Array.from(result.data).forEach((value, i) => expect(value).toBeCloseTo(expected[i], 9));
}

/** The values of `f` over all positions of a shape, row-major. */
export function tabulate(shape: readonly number[], f: (...position: number[]) => number): number[] {
  const go = (left: readonly number[], position: readonly number[]): number[] => {
    const [size, ...rest] = left;
    if (size === undefined) return [f(...position)];
    return Array.from({ length: size }, (_, i) => go(rest, [...position, i])).flat();
  };
  return go(shape, []);
}

/** The element of an input at a position. */
export const element = ({ shape, values }: Input, ...position: number[]): number =>
  values[position.reduce((offset, i, axis) => offset * shape[axis] + i, 0)];

export const sumOver = (shape: readonly number[], f: (...position: number[]) => number): number =>
  tabulate(shape, f).reduce((a, b) => a + b, 0);
