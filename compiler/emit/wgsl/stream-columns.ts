// The sums of a stream's fold: for each row of an invocation, all its columns.

import * as dims from '../../dims/arithmetic.ts';
import { divide, modulo, type Index } from './indices.ts';
import type { Sums } from './product-blocks.ts';
import { countOf } from './stream-layout.ts';
import type { StreamFold } from './stream.ts';
import { packing, type StreamWriting } from './stream-writing.ts';

export interface Columns {
  /** Adds what the keys of a block weigh. `scale`: what row r's sums are multiplied by first. */
  readonly add: (
    weights: Sums,
    scale: ((r: number) => string) | null,
    factor: (k: number, pack: Index) => string,
  ) => void;
  readonly pack: (r: Index, pack: Index) => string;
  readonly at: (r: Index, column: Index) => string;
}

export function createColumns(
  { context: { writer }, layout, each }: StreamWriting,
  fold: StreamFold,
): Columns {
  const { width, packs, type } = packing(countOf(fold.columns));
  const array = writer.name('folded');
  writer.line(`var ${array}: array<${type}, ${layout.rows * packs}>;`);
  const place = (r: Index, pack: Index): string =>
    `${array}[${writer.text(dims.add(dims.multiply(r, dims.constant(packs)), pack))}]`;
  return {
    add(weights, scale, factor) {
      each('c', packs, (pack) => {
        const factors = Array.from({ length: layout.keys }, (_, k) =>
          writer.bind('b', factor(k, pack)),
        );
        for (let r = 0; r < layout.rows; r++) {
          const own = place(dims.constant(r), pack);
          const before = scale === null ? own : `${own} * ${scale(r)}`;
          const terms = factors.map((b, k) => `${weights.at(r, k)} * ${b}`);
          // The block's own sum first: fewer numbers are added one by one to a sum that grows large.
          writer.assign(own, `${before} + (${terms.join(' + ')})`);
        }
      });
    },
    pack: place,
    at(r, column) {
      if (width === 1) return place(r, column);
      const four = dims.constant(width);
      return `${place(r, divide(column, four))}[${writer.text(modulo(column, four))}]`;
    },
  };
}
