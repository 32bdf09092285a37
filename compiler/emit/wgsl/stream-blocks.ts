// The operands of a stream straight from buffers, without barriers: blocks of rows by keys, as in product-blocks.ts.

import * as dims from '../../dims/arithmetic.ts';
import { sizeOf, unflatten, type Index } from './indices.ts';
import { axesNear } from './product-places.ts';
import { createSums, eachTerm } from './product-blocks.ts';
import { divides } from './product-task.ts';
import { countOf } from './stream-layout.ts';
import { depthOf, factorsAt } from './stream.ts';
import {
  indexOfProduct,
  packed,
  packing,
  type KeyBlock,
  type Operands,
  type StreamWriting,
} from './stream-writing.ts';

export function directOperands(writing: StreamWriting): Operands {
  const { context, stream, layout, spaces, batch, somewhere, rowAt } = writing;
  const { writer, read } = context;
  const size = sizeOf(stream.keys);
  const isWhole = divides(layout.keys, size);
  const places = Array.from({ length: layout.rows }, (_, r) => rowAt(dims.constant(r)));
  const keysOf = (block: KeyBlock): (readonly Index[])[] =>
    Array.from({ length: layout.keys }, (_, k) => block.keyAt(dims.constant(k)));
  return {
    shared: [],
    alongKeys(body) {
      const range = {
        from: '0u',
        to: size,
        step: layout.keys,
        together: isWhole ? layout.keys : 1,
      };
      writer.steps('first', range, (first) => {
        const position = (k: Index): string =>
          dims.isConstant(k) === 0
            ? writer.text(first)
            : `${writer.text(first)} + ${writer.text(k)}`;
        body({
          keyAt: (k) => axesNear(spaces, 'sum', position(k), isWhole),
          isKey: (k) => (isWhole ? null : `${position(k)} < ${writer.text(size)}`),
          first: dims.zero,
        });
      });
    },
    products: (block) =>
      stream.products.map((product) => {
        const ofRows = places.map((row) =>
          indexOfProduct(writing, product, { ...somewhere, batch, row }),
        );
        const ofKeys = keysOf(block).map((key) =>
          indexOfProduct(writing, product, { ...somewhere, batch, key }),
        );
        const sums = createSums(
          { writer, dtype: 'f32' },
          { down: layout.rows, across: layout.keys },
        );
        eachTerm({ writer, sum: depthOf(product) }, 2, (terms) =>
          sums.add(
            terms.map((term) => {
              const [a, b] = [
                ofRows.map((index) => factorsAt(product, index, term).row),
                ofKeys.map((index) => factorsAt(product, index, term).key),
              ];
              return {
                a: a.map(({ value, index }) => writer.bind('a', read(value, index))),
                b: sums.packed(b.map(({ value, index }) => read(value, index))),
              };
            }),
          ),
        );
        return sums;
      }),
    factor({ factor, columns }, block, k, pack) {
      if (factor === null) throw new Error('a reduction has no factor');
      const { width } = packing(countOf(columns));
      const key = block.keyAt(dims.constant(k));
      const elements = Array.from({ length: width }, (_, i) => {
        const column = dims.add(dims.multiply(pack, dims.constant(width)), dims.constant(i));
        const { value, index } = factor(batch, key, unflatten(column, columns));
        return read(value, index);
      });
      const inside = block.isKey(dims.constant(k));
      const all = packed(elements);
      return inside === null ? all : `select(${packing(width).type}(0.0), ${all}, ${inside})`;
    },
  };
}
