// The kernel of a stream (stream.ts): rows are shared out among invocations; each walks along the keys a few at a time, computes the pairs
// (stream-pairs.ts) from the operands (stream-blocks.ts, stream-tiles.ts), and adds what they weigh to its sums.

import * as dims from '../../dims/arithmetic.ts';
import type { Value } from '../../ir/graph.ts';
import { typeNames } from './expressions.ts';
import { divide, flatten, modulo, sizeOf, type Index } from './indices.ts';
import {
  ceilDivide,
  invocation,
  leaveBeyond,
  store,
  storeAll,
  workgroup,
  type KernelContext,
  type KernelFrame,
} from './kernel-context.ts';
import { elementKey } from './network.ts';
import { axesAt, axesNear } from './product-places.ts';
import { divides, type Spaces } from './product-task.ts';
import { directOperands } from './stream-blocks.ts';
import { createColumns, type Columns } from './stream-columns.ts';
import { countOf, streamLayout } from './stream-layout.ts';
import { createPairs, type Pairs } from './stream-pairs.ts';
import { tiledOperands } from './stream-tiles.ts';
import { canonicalPlace, type StreamFold } from './stream.ts';
import { packing, type StreamWriting } from './stream-writing.ts';

export function writeStreamKernel(context: KernelContext): KernelFrame {
  const { kernel, writer, target, network } = context;
  const { stream } = kernel;
  if (stream === undefined) throw new Error('a stream kernel of nothing');
  const layout = streamLayout(stream, target.adapter);
  const { batch, rows, keys, folds } = stream;
  const spaces: Spaces = { writer, batch, rows, columns: [], sum: keys };
  const isTiled = layout.tile > 0;
  const together = layout.rows * (isTiled ? layout.workgroupSize : 1);
  const count = sizeOf(rows);
  const stacked = ceilDivide(count, together);
  const total = dims.multiply(sizeOf(batch), stacked);
  const number = isTiled ? workgroup : invocation(layout.workgroupSize);
  const at = writer.index('block', number, total);
  leaveBeyond(writer, writer.text(at), total);
  const first = writer.text(dims.multiply(modulo(at, stacked), dims.constant(together)));
  const top = writer.bind('top', isTiled ? `${first} + lane` : first);
  const position = (r: Index): string =>
    dims.isConstant(r) === 0 ? top : `${top} + ${writer.text(r)}`;
  const areWhole = divides(together, count);
  const image = divide(at, stacked);
  const writing: StreamWriting = {
    context,
    stream,
    layout,
    spaces,
    batch: axesAt(spaces, 'batch', image),
    somewhere: canonicalPlace(network, stream),
    rowAt: (r) => axesNear(spaces, 'rows', position(r), areWhole),
    isRow: (r) => (areWhole ? null : `${position(r)} < ${writer.text(count)}`),
    each(hint, n, body) {
      if (!isTiled && n > 1) writer.loop(hint, dims.constant(n), body);
      else for (let i = 0; i < n; i++) body(dims.constant(i));
    },
  };
  const operands = isTiled ? tiledOperands(writing) : directOperands(writing);
  const pairs = createPairs(writing, operands);
  const sums = folds.map((fold) => (fold.factor === null ? null : createColumns(writing, fold)));
  operands.alongKeys((block) => {
    const weights = pairs.weigh(block);
    sums.forEach((columns, i) => {
      const own = weights[i];
      if (columns !== null && own !== null)
        columns.add(own, pairs.scale, (k, pack) => operands.factor(folds[i], block, k, pack));
    });
  });
  finishRows(writing, pairs, sums, { batch: writer.text(image), row: top });
  return {
    workgroupSize: layout.workgroupSize,
    groups: isTiled ? total : ceilDivide(total, layout.workgroupSize),
    shared: operands.shared,
  };
}

/** Stores what the rows came to, and computes what follows. */
function finishRows(
  writing: StreamWriting,
  pairs: Pairs,
  sums: readonly (Columns | null)[],
  start: Readonly<Record<'batch' | 'row', string>>,
): void {
  const { context, stream, layout, each, rowAt, isRow, batch, spaces } = writing;
  const { writer } = context;
  const finishes = stream.folds.map((fold) =>
    layout.tile === 0 ? null : createFinish(writing, fold),
  );
  each('r', layout.rows, (r) =>
    writer.when(isRow(r), () => {
      const row = rowAt(r);
      storeStatistics(writing, pairs, r, row);
      stream.folds.forEach((fold, i) => {
        const finish = finishes[i];
        const columns = sums[i];
        const { packs } = packing(countOf(fold.columns));
        if (finish !== null)
          each('c', packs, (pack) => {
            const sum = pairs.finished(r, i, columns?.pack(r, pack) ?? null);
            finish({ ...start, pack: writer.text(pack) }, sum);
          });
        else
          each('c', countOf(fold.columns), (c) => {
            const sum = pairs.finished(r, i, columns?.at(r, c) ?? null);
            const column = axesAt({ ...spaces, columns: fold.columns }, 'columns', c);
            storeFold(context, fold, fold.output(batch, row, column), sum);
          });
      });
    }),
  );
}

/** What stores a pack of columns, as calls of a function, which is written once. */
function createFinish({ context, spaces }: StreamWriting, fold: StreamFold) {
  const { writer } = context;
  const { width, packs, type } = packing(countOf(fold.columns));
  const bounds = {
    batch: sizeOf(fold.batch),
    row: sizeOf(fold.rows),
    pack: dims.constant(packs),
  };
  const places = (['batch', 'row', 'pack'] as const).filter(
    (place) => !dims.equal(bounds[place], dims.one),
  );
  const valueType = fold.factor === null ? typeNames[fold.value.dtype] : type;
  const call = writer.subroutine(
    'finish',
    places.map((place) => ({ hint: place, bound: bounds[place] })),
    { hint: 'sums', type: valueType },
    (indices, value) => {
      const at = (place: 'batch' | 'row' | 'pack'): Index => {
        const i = places.indexOf(place);
        return i < 0 ? dims.zero : indices[i];
      };
      const own: Spaces = { ...spaces, columns: fold.columns };
      const batch = axesAt(own, 'batch', at('batch'));
      const row = axesAt(own, 'rows', at('row'));
      const storeColumn = (i: Index, sum: string): void => {
        const position = dims.add(dims.multiply(at('pack'), dims.constant(width)), i);
        const column = axesAt(own, 'columns', position);
        storeFold(context, fold, fold.output(batch, row, column), sum);
      };
      if (width === 1) storeColumn(dims.zero, value);
      else
        writer.loop('n', dims.constant(width), (i) =>
          storeColumn(i, `${value}[${writer.text(i)}]`),
        );
    },
  );
  return (start: Readonly<Record<'batch' | 'row' | 'pack', string>>, sum: string): void =>
    call(...places.map((place) => start[place]), sum);
}

/** Stores an element of a fold; if it is the kernel's only one, with the maps that follow it. */
function storeFold(
  context: KernelContext,
  { value }: StreamFold,
  index: readonly Index[],
  sum: string,
): void {
  const { kernel, writer, outputs } = context;
  const { folds = [], softmax = null } = kernel.stream ?? {};
  if (folds.length > 1) return storeElement(context, value, index, sum);
  writer.remember(elementKey(value, index), writer.bind('sum', sum));
  storeAll(
    context,
    outputs.filter((output) => output !== softmax?.largest && output !== softmax?.total),
    index,
  );
}

function storeElement(
  context: KernelContext,
  value: Value,
  index: readonly Index[],
  text: string,
): void {
  const { outputs, writer } = context;
  if (outputs.includes(value))
    store(context, value, writer.text(flatten(index, value.shape)), text);
}

/** Stores the maximum and the total of a row, where another kernel computes the softmax again. */
function storeStatistics(
  { context, stream: { softmax }, batch, somewhere }: StreamWriting,
  pairs: Pairs,
  r: Index,
  row: readonly Index[],
): void {
  const statistics = pairs.statistics(r);
  if (softmax === null || statistics === null) return;
  const index = softmax.inRow(softmax.at({ batch, row, key: somewhere.key }));
  storeElement(context, softmax.largest, index, statistics.largest);
  storeElement(context, softmax.total, index, statistics.total);
}
