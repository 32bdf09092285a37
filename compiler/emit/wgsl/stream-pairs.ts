// The pairs of a stream: from the products of a block of rows and keys to what each pair weighs in the folds. The maps between, masks
// among them, are computed pair by pair; what depends on the row alone, or on the key alone, is read once for all of the block.
//
// A softmax is taken online: the largest x of the row so far is subtracted. Where a block has a larger one, the total and the sums so far
// are scaled by e^(before - now). The first is the lowest number there is, not -infinity, so that a block in which all is masked
// adds 0; a row in which everything is masked ends with the total 0, for which the results are NaN, as by the definition.

import * as dims from '../../dims/arithmetic.ts';
import { flatten, type Index } from './indices.ts';
import { literal } from './expressions.ts';
import { createAccumulators } from './stream-accumulators.ts';
import { createSums, type Sums } from './product-blocks.ts';
import { bindRow, createKeyReads } from './stream-reads.ts';
import type { Place } from './stream.ts';
import {
  keyOfProduct,
  type KeyBlock,
  type Operands,
  type StreamWriting,
} from './stream-writing.ts';

export interface Pairs {
  /** Computes the pairs of a block: what each weighs, for every fold that has a factor. */
  readonly weigh: (block: KeyBlock) => readonly (Sums | null)[];
  /** What the sums of a row are multiplied by before a block is added; null for nothing. */
  readonly scale: ((r: number) => string) | null;
  /** What fold `i` comes to for a row: from the sum of a column, or for null what it has accumulated. */
  readonly finished: (r: Index, i: number, sum: string | null) => string;
  readonly statistics: (r: Index) => { readonly largest: string; readonly total: string } | null;
}

export function createPairs(writing: StreamWriting, operands: Operands): Pairs {
  return writing.stream.softmax === null
    ? plainPairs(writing, operands)
    : softmaxPairs(writing, operands);
}

/** One of the pairs of a row. */
interface Pair {
  readonly place: Place;
  /** The number of its key in the block. */
  readonly k: Index;
  /** Whether there is such a key; null where there surely is. */
  readonly inside: string | null;
}

/** What walks the pairs of a block, row by row; what a pair reads, its products among it, is known before `body` runs. */
function createWalk(writing: StreamWriting, operands: Operands) {
  const { layout, each, batch } = writing;
  const eachRow = createRows(writing);
  const ofKeys = createKeyReads(writing);
  return (block: KeyBlock) => {
    const know = createProducts(writing, operands, block);
    const knowKey = ofKeys(block);
    return (ofRow: (r: Index, eachPair: (body: (pair: Pair) => void) => void) => void): void =>
      eachRow((r, row) =>
        ofRow(r, (body) =>
          each('k', layout.keys, (k) => {
            const place: Place = { batch, row, key: block.keyAt(k) };
            const inside = block.isKey(k);
            know(place, r, k);
            knowKey(place.key, k);
            body({ place, k, inside });
          }),
        ),
      );
  };
}

/** Runs `body` for the rows of the invocation; what a row reads is read before. */
function createRows(writing: StreamWriting) {
  const { layout, each, rowAt } = writing;
  const only = layout.rows === 1 ? rowAt(dims.zero) : null;
  if (only !== null) bindRow(writing, only);
  return (body: (r: Index, row: readonly Index[]) => void): void =>
    each('r', layout.rows, (r) => {
      const row = only ?? rowAt(r);
      if (only === null) bindRow(writing, row);
      body(r, row);
    });
}

/** The weights of a block: one a pair. */
const createWeights = ({ context: { writer }, layout }: StreamWriting): Sums =>
  createSums({ writer, dtype: 'f32' }, { down: layout.rows, across: layout.keys });

/** Where the weight of a pair is held. */
function placeOf({ context: { writer } }: StreamWriting, sums: Sums, r: Index, k: Index): string {
  const [row, key] = [dims.isConstant(r), dims.isConstant(k)];
  return row === null || key === null
    ? sums.atIndex(writer.text(r), writer.text(k))
    : sums.at(row, key);
}

/** Computes the products of a block; gives what makes those of a pair known, before its maps are computed. */
function createProducts(writing: StreamWriting, operands: Operands, block: KeyBlock) {
  const { stream, context } = writing;
  const { writer } = context;
  const sums = operands.products(block);
  return (place: Place, r: Index, k: Index): void =>
    stream.products.forEach((product, i) => {
      const score = writer.bind('score', placeOf(writing, sums[i], r, k));
      writer.remember(keyOfProduct(writing, product, place), score);
    });
}

function plainPairs(writing: StreamWriting, operands: Operands): Pairs {
  const { context, stream } = writing;
  const { writer, read } = context;
  const accumulators = stream.folds.map((fold) =>
    fold.factor === null ? createAccumulators(writing, fold) : null,
  );
  const walk = createWalk(writing, operands);
  return {
    weigh(block) {
      const eachRow = walk(block);
      const weights = accumulators.map((own) => (own === null ? createWeights(writing) : null));
      eachRow((r, eachPair) =>
        eachPair(({ place, k, inside }) => {
          stream.folds.forEach((fold, i) => {
            const { value, index } = fold.element(place);
            const element = read(value, index);
            const sums = weights[i];
            if (sums !== null)
              writer.assign(
                placeOf(writing, sums, r, k),
                inside === null ? element : `select(0.0, ${element}, ${inside})`,
              );
            else
              writer.when(inside, () =>
                accumulators[i]?.add(r, element, writer.text(flatten(place.key, stream.keys))),
              );
          });
        }),
      );
      return weights;
    },
    scale: null,
    finished: (r, i, sum) => sum ?? accumulators[i]?.at(r) ?? '',
    statistics: () => null,
  };
}

const lowest = -3.4028234663852886e38;

function softmaxPairs(writing: StreamWriting, operands: Operands): Pairs {
  const { context, stream, layout, each } = writing;
  const { writer, read } = context;
  const { softmax } = stream;
  if (softmax === null) throw new Error('the stream has no softmax');
  const perRow = (hint: string) => {
    const array = writer.name(hint);
    writer.line(`var ${array}: array<f32, ${layout.rows}>;`);
    return (r: Index): string => `${array}[${writer.text(r)}]`;
  };
  const [largest, total, scale] = [perRow('largest'), perRow('total'), perRow('scale')];
  const none = literal('f32', lowest, writer.call);
  each('r', layout.rows, (r) => writer.assign(largest(r), none));
  const walk = createWalk(writing, operands);
  return {
    weigh(block) {
      const eachRow = walk(block);
      const weights = createWeights(writing);
      eachRow((r, eachPair) => {
        const now = writer.variable('now', 'f32', largest(r));
        eachPair(({ place, k, inside }) => {
          const element = read(softmax.x, softmax.at(place));
          const x = writer.bind(
            'x',
            inside === null
              ? element
              : `select(-${writer.call('infinity')}, ${element}, ${inside})`,
          );
          writer.assign(placeOf(writing, weights, r, k), x);
          writer.assign(now, `max(${now}, ${x})`);
        });
        writer.assign(scale(r), `exp(${largest(r)} - ${now})`);
        writer.assign(largest(r), now);
        const sum = writer.variable('sum', 'f32', '0.0');
        each('k', layout.keys, (k) => {
          const weight = placeOf(writing, weights, r, k);
          const e = writer.bind('e', `exp(${weight} - ${now})`);
          writer.assign(weight, e);
          writer.assign(sum, `${sum} + ${e}`);
        });
        writer.assign(total(r), `${total(r)} * ${scale(r)} + ${sum}`);
      });
      return stream.folds.map(() => weights);
    },
    scale: (r) => scale(dims.constant(r)),
    finished: (r, _, sum) => `${sum ?? ''} / ${total(r)}`,
    statistics: (r) => {
      const isEmpty = `${total(r)} == 0.0`;
      const call = writer.call;
      return {
        largest: `select(${largest(r)}, -${call('infinity')}, ${isEmpty})`,
        total: `select(${total(r)}, ${call('not_a_number')}, ${isEmpty})`,
      };
    },
  };
}
