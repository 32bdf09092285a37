// A kernel of reductions over the same rows, with the maps between and after them: softmax is a maximum, a sum and a map. Rows are folded in
// rounds, one for the reductions that need no other, one for those that need these, and so on; each round reads the row again,
// from the cache, and computes what lies between anew, which costs less than a way through memory.
//
// A workgroup takes `rows` rows with `lanes` invocations each: many lanes for a long row, many rows side by side where neighbours in
// memory belong to different rows, and one lane where rows are short. What the lanes have found is folded in
// row-lanes.ts.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import { elementKey, loweringOf, type Network } from './network.ts';
import { isName, literal } from './expressions.ts';
import { flatten, sizeOf, type Index } from './indices.ts';
import { indexIn, isOverDomain, keptAxes, outerShape, type Kernel } from './kernel.ts';
import {
  axesOf,
  ceilDivide,
  inSteps,
  leaveBeyond,
  storeAll,
  workgroup,
  type KernelContext,
  type KernelFrame,
} from './kernel-context.ts';
import { assignAll, foldLanes, type Accumulated, type Layout, type Taken } from './row-lanes.ts';

const longestOfOneLane = 32;

function layoutOf({ kernel, target }: KernelContext): Layout {
  const length = dims.isConstant(lengthOf(kernel));
  const count = dims.isConstant(sizeOf(outerShape(kernel)));
  if (target.adapter === 'software') return { rows: 4, lanes: 1 };
  if (length !== null && length <= longestOfOneLane) return { rows: 64, lanes: 1 };
  const lastAxis = kernel.domain.findLastIndex((size) => !dims.equal(size, dims.one));
  if (kernel.axes.includes(lastAxis) || count === 1)
    return { rows: 1, lanes: length !== null && length <= 256 ? 64 : 256 };
  const rows = count === null || count >= 32 ? 32 : powerOfTwo(count);
  return { rows, lanes: 256 / rows };
}

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(n));

const shapeOfRow = ({ domain, axes }: Kernel): Dim[] => axes.map((axis) => domain[axis]);

const lengthOf = (kernel: Kernel): Dim => sizeOf(shapeOfRow(kernel));

export function writeRowKernel(context: KernelContext): KernelFrame {
  const { kernel, writer, outputs } = context;
  const layout = layoutOf(context);
  const shape = outerShape(kernel);
  const count = sizeOf(shape);
  const row = writeRowPosition(context, layout, count);
  const outer = axesOf(writer, shape, writer.indexOf(row.name, count), row.name);
  const taken: Taken = { shared: [], features: new Set() };
  const rounds = roundsOf(context);
  rounds.forEach((round) => {
    if (round.folds.length > 0) writeFolds(context, layout, outer, round.folds, taken);
    for (const value of round.maps) nameOfRow(context, value, outer);
  });
  const once = outputs.filter((value) => !isOverDomain(kernel, value));
  const perElement = outputs.filter((value) => isOverDomain(kernel, value));
  const guards = [row.guard, layout.lanes > 1 ? `${row.lane} == 0u` : null].filter(
    (g) => g !== null,
  );
  if (once.length > 0)
    writer.when(guards.length === 0 ? null : guards.join(' && '), () => {
      storeAll(context, once, placed(kernel, outer, []));
    });
  if (perElement.length > 0)
    writer.when(row.guard, () =>
      alongRow(context, layout, outer, (index) => storeAll(context, perElement, index)),
    );
  return {
    workgroupSize: layout.rows * layout.lanes,
    groups: ceilDivide(count, layout.rows),
    shared: taken.shared,
    features: taken.features,
  };
}

interface RowPosition {
  /** The row, or the last one where there are no more: barriers need every invocation. */
  readonly name: string;
  /** Holds where the row is one of the domain; null where it always is. */
  readonly guard: string | null;
  readonly lane: string;
}

function writeRowPosition(
  { writer }: KernelContext,
  { rows, lanes }: Layout,
  count: Dim,
): RowPosition {
  if (rows === 1) {
    const isOnly = dims.isConstant(count) === 1;
    const name = isOnly ? '0u' : writer.bind('row', workgroup);
    if (!isOnly) leaveBeyond(writer, name, count);
    return { name, guard: null, lane: 'lane' };
  }
  const own = lanes === 1 ? 'lane' : `lane % ${rows}u`;
  const wanted = writer.bind('wanted', `(${workgroup}) * ${rows}u + ${own}`);
  const name = writer.bind('row', `min(${wanted}, ${writer.text(dims.subtract(count, dims.one))})`);
  const lane = lanes === 1 ? '0u' : writer.bind('part', `lane / ${rows}u`);
  return { name, guard: `${wanted} < ${writer.text(count)}`, lane };
}

/** Runs `body` for the elements of the row that are this lane's. */
function alongRow(
  context: KernelContext,
  layout: Layout,
  outer: readonly Index[],
  body: (index: readonly Index[], position: string) => void,
): void {
  const { kernel, writer } = context;
  const { rows, lanes } = layout;
  if (lanes === 1) return alongWholeRow(context, outer, body);
  const range = { from: rows === 1 ? 'lane' : 'part', to: lengthOf(kernel), step: lanes };
  writer.steps('at', range, (at) => {
    const name = writer.text(at);
    body(placed(kernel, outer, axesOf(writer, shapeOfRow(kernel), at, name)), name);
  });
}

/** How many elements are written one after the other: a turn of a loop costs about as much as a load. */
const mostWritten = 4;

/** One lane takes all of its row: a loop an axis, so that no index is divided, the last one a few elements at a time. */
function alongWholeRow(
  { kernel, writer }: KernelContext,
  outer: readonly Index[],
  body: (index: readonly Index[], position: string) => void,
): void {
  const shape = shapeOfRow(kernel);
  const last = shape.findLastIndex((size) => !dims.equal(size, dims.one));
  const element = (inner: readonly Index[]): void =>
    body(placed(kernel, outer, inner), writer.text(flatten(inner, shape)));
  const within = (inner: readonly Index[]): void => {
    const axis = inner.length;
    if (axis === shape.length) return element(inner);
    inSteps(writer, 'at', shape[axis], axis === last ? mostWritten : 1, (at, count) => {
      for (let i = 0; i < count; i++) within([...inner, dims.add(at, dims.constant(i))]);
    });
  };
  within([]);
}

/** The element of the domain in that row; 0 along the row where nothing is said. */
function placed(kernel: Kernel, outer: readonly Index[], inner: readonly Index[]): Index[] {
  const index = kernel.domain.map(() => dims.zero);
  keptAxes(kernel).forEach((axis, i) => (index[axis] = outer[i]));
  inner.forEach((at, i) => (index[kernel.axes[i]] = at));
  return index;
}

interface Round {
  readonly folds: readonly Value[];
  /** Maps over rows that need these folds and no later ones. */
  readonly maps: readonly Value[];
}

/** The kernel's values by when they can be computed. */
function roundsOf({ network, kernel }: KernelContext): Round[] {
  const own = new Set(kernel.values);
  const known = new Map<Value, number>();
  const roundOf = (value: Value): number => {
    const found = known.get(value);
    if (found !== undefined) return found;
    const node = network.producerOf(value);
    const isFold = node !== undefined && loweringOf(node).kind === 'reduce';
    const isOutside =
      node === undefined || loweringOf(node).kind === 'contract' || (isFold && !own.has(value));
    const before = isOutside ? 0 : Math.max(0, ...node.inputs.map(roundOf));
    const round = before + (isFold && own.has(value) ? 1 : 0);
    known.set(value, round);
    return round;
  };
  const last = Math.max(...kernel.values.map(roundOf));
  return Array.from({ length: last + 1 }, (_, round) => {
    const here = kernel.values.filter((value) => roundOf(value) === round);
    const folds = here.filter((value) => foldNode(network, value) !== null);
    const maps = here.filter((value) => !folds.includes(value) && !isOverDomain(kernel, value));
    return { folds, maps };
  });
}

function foldNode(network: Network, value: Value): Node | null {
  const node = network.producerOf(value);
  return node !== undefined && loweringOf(node).kind === 'reduce' ? node : null;
}

/** Computes what a row has once, before a loop along the row reads it. */
function nameOfRow(
  { kernel, writer, read }: KernelContext,
  value: Value,
  outer: readonly Index[],
): void {
  const index = indexIn(kernel, value, placed(kernel, outer, []));
  const expression = read(value, index);
  if (!isName(expression))
    writer.remember(elementKey(value, index), writer.bind('of_row', expression));
}

interface Folding extends Accumulated {
  readonly value: Value;
  readonly x: Value;
}

function writeFolds(
  context: KernelContext,
  layout: Layout,
  outer: readonly Index[],
  values: readonly Value[],
  taken: Taken,
): void {
  const { network, kernel, writer, read } = context;
  const foldings = values.map((value): Folding => {
    const node = foldNode(network, value);
    const lowering = node === null ? null : loweringOf(node);
    if (node === null || lowering?.kind !== 'reduce') throw new Error('not a reduction');
    const [x] = node.inputs;
    const fold = lowering.fold(x, node.attributes);
    const kind = attributesIf('reduce', node)?.kind ?? null;
    const hint = kind === null ? 'best' : (names[kind] ?? 'folded');
    const accumulators = fold.accumulators.map(({ dtype, initial }, i) =>
      writer.variable(i === 0 ? hint : `${hint}_at`, dtype, literal(dtype, initial, writer.call)),
    );
    return { value, x, kind, fold, accumulators };
  });
  alongRow(context, layout, outer, (index, position) => {
    for (const { x, fold, accumulators } of foldings) {
      const element = fold.element(read(x, indexIn(kernel, x, index)), position);
      assignAll(writer, accumulators, fold.combine(accumulators, element, writer));
    }
  });
  foldLanes(context, layout, foldings, taken);
  for (const { value, fold, accumulators } of foldings)
    writer.remember(
      elementKey(value, indexIn(kernel, value, placed(kernel, outer, []))),
      accumulators[fold.result],
    );
}

const names: Readonly<Record<string, string>> = {
  add: 'total',
  multiply: 'product',
  max: 'largest',
  min: 'smallest',
};
