// What the parts of a stream's kernel share while it is written.

import { typeNames } from './expressions.ts';
import type { Index } from './indices.ts';
import type { KernelContext } from './kernel-context.ts';
import { elementKey } from './network.ts';
import type { Sums } from './product-blocks.ts';
import type { Spaces } from './product-task.ts';
import type { StreamLayout } from './stream-layout.ts';
import {
  elementsAt,
  readsFrom,
  type Place,
  type ShortProduct,
  type Stream,
  type StreamFold,
} from './stream.ts';

export interface StreamWriting {
  readonly context: KernelContext;
  readonly stream: Stream;
  readonly layout: StreamLayout;
  readonly spaces: Spaces;
  readonly batch: readonly Index[];
  /** A pair of nowhere, for what does not depend on the row, or not on the key. */
  readonly somewhere: Place;
  /** Row `r` of the invocation, or the last one where there are no more. */
  readonly rowAt: (r: Index) => readonly Index[];
  /** Whether there is a row `r`; null where there surely is. */
  readonly isRow: (r: Index) => string | null;
  /**
   * Runs `body` for so many: in a loop, or, for GPUs, again and again in the text, since their compilers keep an array in registers only
   * where its places are known.
   */
  readonly each: (hint: string, count: number, body: (i: Index) => void) => void;
}

/** Keys that are computed at a time. */
export interface KeyBlock {
  readonly keyAt: (k: Index) => readonly Index[];
  /** Whether there is a key `k`; null where there surely is. */
  readonly isKey: (k: Index) => string | null;
  /** Where the block begins among the keys in workgroup memory. */
  readonly first: Index;
}

/** Where the factors of the products come from. */
export interface Operands {
  /** Declarations in workgroup memory. */
  readonly shared: readonly string[];
  readonly alongKeys: (body: (block: KeyBlock) => void) => void;
  /** The products of all pairs of the invocation's rows and the block's keys. */
  readonly products: (block: KeyBlock) => readonly Sums[];
  /** What key `k` has for the columns of a pack. */
  readonly factor: (fold: StreamFold, block: KeyBlock, k: number, pack: Index) => string;
}

/** Columns or terms that are held together: by fours where their number allows. */
export function packing(count: number): {
  readonly width: 1 | 4;
  readonly packs: number;
  readonly type: string;
} {
  const width = count % 4 === 0 ? 4 : 1;
  return { width, packs: count / width, type: width === 4 ? 'vec4<f32>' : typeNames.f32 };
}

export const packed = (elements: readonly string[]): string =>
  elements.length === 1 ? elements[0] : `vec4<f32>(${elements.join(', ')})`;

/** Where in a product the pair lies. */
export function indexOfProduct(
  { context: { network }, stream }: StreamWriting,
  { value }: ShortProduct,
  place: Place,
): readonly Index[] {
  const found = readsFrom(network, stream.isInside, elementsAt(stream, place)).find(
    (read) => read.value === value,
  );
  if (found === undefined) throw new Error('a stream does not read its product');
  return found.index;
}

/** The key of the product's element that belongs to a pair. */
export const keyOfProduct = (writing: StreamWriting, product: ShortProduct, place: Place): string =>
  elementKey(product.value, indexOfProduct(writing, product, place));
