// What the maps of a stream read from buffers that depends on the row alone or on the key alone, such as the statistics of a softmax: it
// is read once for a row, or once for a key, not for every pair.

import { isName, typeNames } from './expressions.ts';
import { variableKeys, type Index } from './indices.ts';
import { createWalk, elementKey, productOf, type ElementRead } from './network.ts';
import { elementsAt, type Place } from './stream.ts';
import type { KeyBlock, StreamWriting } from './stream-writing.ts';

/** The elements of buffers that the maps read for a pair, besides the products. */
function loadsAt({ context, stream }: StreamWriting, place: Place): ElementRead[] {
  const { network, isLoaded } = context;
  const isProduct = (value: ElementRead['value']): boolean => {
    const node = network.producerOf(value);
    return node !== undefined && productOf(node) !== null;
  };
  const loads: ElementRead[] = [];
  const walk = createWalk(
    network,
    (value) => isLoaded(value) || isProduct(value),
    (value, index) => {
      if (isLoaded(value)) loads.push({ value, index });
    },
  );
  for (const { value, index } of elementsAt(stream, place)) walk(value, index);
  return loads;
}

/** Those of them that do not vary with `index`. */
function without(loads: readonly ElementRead[], index: readonly Index[]): ElementRead[] {
  const names = variableKeys(index);
  return loads.filter((load) => [...variableKeys(load.index)].every((name) => !names.has(name)));
}

/** Reads what a row has for all keys. */
export function bindRow(writing: StreamWriting, row: readonly Index[]): void {
  const { context, batch, somewhere } = writing;
  const { key } = somewhere;
  for (const { value, index } of without(loadsAt(writing, { batch, row, key }), key)) {
    const text = context.read(value, index);
    if (!isName(text))
      context.writer.remember(elementKey(value, index), context.writer.bind('of_row', text));
  }
}

/**
 * Reads what each key of a block has for all rows; gives what makes it known for one of them. An invocation with one row has nothing to
 * save.
 */
export function createKeyReads(
  writing: StreamWriting,
): (block: KeyBlock) => (key: readonly Index[], k: Index) => void {
  const { context, layout, each, batch, somewhere } = writing;
  const { writer, read } = context;
  const { row } = somewhere;
  const loadsOf = (key: readonly Index[]): ElementRead[] =>
    without(loadsAt(writing, { batch, row, key }), row).filter(
      (load) => without([load], key).length === 0,
    );
  const count = layout.rows === 1 ? 0 : loadsOf(somewhere.key).length;
  if (count === 0) return () => () => {};
  return (block) => {
    const arrays = loadsOf(somewhere.key).map(({ value }) => {
      const array = writer.name('of_key');
      writer.line(`var ${array}: array<${typeNames[value.dtype]}, ${layout.keys}>;`);
      return array;
    });
    each('k', layout.keys, (k) =>
      loadsOf(block.keyAt(k)).forEach(({ value, index }, i) =>
        writer.assign(`${arrays[i]}[${writer.text(k)}]`, read(value, index)),
      ),
    );
    return (key, k) =>
      loadsOf(key).forEach(({ value, index }, i) =>
        writer.remember(elementKey(value, index), `${arrays[i]}[${writer.text(k)}]`),
      );
  };
}
