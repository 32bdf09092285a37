// The operands of a stream for GPUs: what a row multiplies lies in registers, what the keys have in workgroup memory, a tile of keys at a
// time. An operand that is both factor of a product and folded, as the keys in the gradient of the queries, lies there once.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import { sizeOf, unflatten, type Index } from './indices.ts';
import { elementKey, loweringOf, type ElementRead } from './network.ts';
import { axesNear } from './product-places.ts';
import { createSums } from './product-blocks.ts';
import { divides } from './product-task.ts';
import { countOf } from './stream-layout.ts';
import { depthOf, factorsAt, type ShortProduct, type StreamFold } from './stream.ts';
import {
  indexOfProduct,
  packed,
  packing,
  type Operands,
  type StreamWriting,
} from './stream-writing.ts';

/** What each key has along an inner space: the terms of a product, or the columns of a fold. */
interface Side {
  readonly array: string;
  readonly inner: readonly Dim[];
  readonly element: (key: readonly Index[], inner: readonly Index[]) => ElementRead;
}

export function tiledOperands(writing: StreamWriting): Operands {
  const { context, stream, layout, spaces, batch, somewhere, rowAt } = writing;
  const { writer, read } = context;
  const size = sizeOf(stream.keys);
  const isWhole = divides(layout.tile, size);
  const { sides, ofProduct, ofFold } = sidesOf(writing);
  const row = rowAt(dims.zero);
  const held = stream.products.map((product) => {
    const { width, packs, type } = packing(countOf(depthOf(product)));
    const index = indexOfProduct(writing, product, { ...somewhere, batch, row });
    const array = writer.name('of_row');
    writer.line(`var ${array}: array<${type}, ${packs}>;`);
    for (let pack = 0; pack < packs; pack++) {
      const elements = Array.from({ length: width }, (_, i) => {
        const term = unflatten(dims.constant(pack * width + i), depthOf(product));
        const { row: factor } = factorsAt(product, index, term);
        return read(factor.value, factor.index);
      });
      writer.line(`${array}[${pack}] = ${packed(elements)};`);
    }
    return array;
  });
  const at = (side: Side, key: Index, pack: Index): string => {
    const { packs } = packing(countOf(side.inner));
    const position = dims.add(dims.multiply(key, dims.constant(packs)), pack);
    return `${side.array}[${writer.text(position)}]`;
  };
  return {
    shared: sides.map(({ array, inner }) => {
      const { packs, type } = packing(countOf(inner));
      return `var<workgroup> ${array}: array<${type}, ${packs * layout.tile}>;`;
    }),
    alongKeys(body) {
      writer.steps('first', { from: '0u', to: size, step: layout.tile }, (first) => {
        writer.line('workgroupBarrier();');
        for (const side of sides) loadSide(writing, side, writer.text(first));
        writer.line('workgroupBarrier();');
        const range = {
          from: '0u',
          to: dims.constant(layout.tile),
          step: layout.keys,
          together: layout.keys,
        };
        writer.steps('n', range, (n) => {
          const start = writer.bind('start', `${writer.text(first)} + ${writer.text(n)}`);
          const position = (k: Index): string =>
            dims.isConstant(k) === 0 ? start : `${start} + ${writer.text(k)}`;
          body({
            keyAt: (k) => axesNear(spaces, 'sum', position(k), isWhole),
            isKey: (k) => (isWhole ? null : `${position(k)} < ${writer.text(size)}`),
            first: n,
          });
        });
      });
    },
    products: (block) =>
      stream.products.map((product, i) => {
        const { width, packs } = packing(countOf(depthOf(product)));
        const sums = createSums({ writer, dtype: 'f32' }, { down: 1, across: layout.keys });
        for (let pack = 0; pack < packs; pack++) {
          const terms = Array.from({ length: layout.keys }, (_, k) => {
            const key = dims.add(block.first, dims.constant(k));
            const [a, b] = [`${held[i]}[${pack}]`, at(ofProduct[i], key, dims.constant(pack))];
            return width === 4 ? `dot(${a}, ${b})` : `${a} * ${b}`;
          });
          writer.line(`${sums.registers[0]} += ${packed(terms)};`);
        }
        return sums;
      }),
    factor: (fold, block, k, pack) => {
      const side = ofFold.get(fold);
      if (side === undefined) throw new Error('a reduction has no factor');
      return at(side, dims.add(block.first, dims.constant(k)), pack);
    },
  };
}

/** What lies in workgroup memory, and what uses it. */
function sidesOf(writing: StreamWriting) {
  const { context, stream, batch, somewhere } = writing;
  const { network, writer } = context;
  const known = new Map<string, Side>();
  const sideOf = (inner: readonly Dim[], element: Side['element'], hint: string): Side => {
    const source = throughViews(writing, element(somewhere.key, network.indexOver(inner, 'inner')));
    const name = `${elementKey(source.value, source.index)} ${inner.map(({ key }) => key).join()}`;
    const side = known.get(name) ?? { array: writer.name(hint), inner, element };
    known.set(name, side);
    return side;
  };
  const ofProduct = stream.products.map((product: ShortProduct) =>
    sideOf(
      depthOf(product),
      (key, term) =>
        factorsAt(product, indexOfProduct(writing, product, { ...somewhere, batch, key }), term)
          .key,
      'of_keys',
    ),
  );
  const ofFold = new Map<StreamFold, Side>();
  for (const fold of stream.folds) {
    const { factor, columns } = fold;
    if (factor !== null)
      ofFold.set(
        fold,
        sideOf(columns, (key, column) => factor(batch, key, column), 'factors'),
      );
  }
  return { sides: [...known.values()], ofProduct, ofFold };
}

/** Where an element that views alone pass on comes from. */
function throughViews(
  { context: { network, isLoaded } }: StreamWriting,
  read: ElementRead,
): ElementRead {
  let at = read;
  for (;;) {
    const node = isLoaded(at.value) ? undefined : network.producerOf(at.value);
    const lowering = node === undefined ? null : loweringOf(node);
    if (node === undefined || lowering?.kind !== 'map' || lowering.cost !== 'free') return at;
    const reads = network.elementReads(node, at.index);
    if (reads.length !== 1) return at;
    [at] = reads;
  }
}

/** Fills a tile with the keys from `first` on; 0 where there are no more. */
function loadSide(
  { context, layout, spaces, stream }: StreamWriting,
  { array, inner, element }: Side,
  first: string,
): void {
  const { writer, read } = context;
  const { width, packs, type } = packing(countOf(inner));
  const size = sizeOf(stream.keys);
  const isWhole = divides(layout.tile, size);
  const total = layout.tile * packs;
  const at = writer.name('at');
  const step = layout.workgroupSize;
  writer.block(`for (var ${at} = lane; ${at} < ${total}u; ${at} += ${step}u)`, () => {
    const number = writer.bind('number', `${first} + ${at} / ${packs}u`);
    const key = axesNear(spaces, 'sum', number, isWhole);
    const pack =
      packs === 1 ? dims.zero : writer.index('pack', `${at} % ${packs}u`, dims.constant(packs));
    const elements = Array.from({ length: width }, (_, i) => {
      const position = dims.add(dims.multiply(pack, dims.constant(width)), dims.constant(i));
      const { value, index } = element(key, unflatten(position, inner));
      return read(value, index);
    });
    const all = packed(elements);
    const guarded = isWhole
      ? all
      : `select(${type}(0.0), ${all}, ${number} < ${writer.text(size)})`;
    writer.line(`${array}[${at}] = ${guarded};`);
  });
}
