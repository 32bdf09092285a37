// Elements of values as expressions inside a kernel: loaded where a value lies in a buffer, else computed on the spot from elements of
// what it is made of, by the lowerings of the operations. What is needed twice gets a name.

import type { Node, Value } from '../../ir/graph.ts';
import { isName, literal, type Stored } from './expressions.ts';
import { flatten, type Index } from './indices.ts';
import { elementKey, loweringOf, uniformValue, type Network } from './network.ts';
import type { Writer } from './writer.ts';

/** The expression of an element. */
export type ReadElement = (value: Value, index: readonly Index[]) => string;

export interface ElementSource {
  readonly network: Network;
  readonly writer: Writer;
  /** Whether the value is read from a buffer here. */
  readonly isLoaded: (value: Value) => boolean;
  /** The name of the array that holds the value, and what it is there. */
  readonly bufferOf: (value: Value) => string;
  readonly storedAs: (value: Value) => Stored;
  /** Hears of every node that is computed. */
  readonly onNode: (node: Node) => void;
}

/** Longer expressions get a name even if they are used once. */
const longest = 48;

export function createElements({
  network,
  writer,
  isLoaded,
  bufferOf,
  storedAs,
  onNode,
}: ElementSource): ReadElement {
  const read: ReadElement = (value, index) => {
    const key = elementKey(value, index);
    const known = writer.recall(key);
    if (known !== undefined) return known;
    const tensor = network.literalOf(value);
    const uniform = tensor === null ? null : uniformValue(tensor);
    const isShared = network.usersOf(value).length > 1;
    const named = (expression: string, hint: string): string => {
      const isLong = expression.length > longest;
      const result =
        (isShared || isLong) && !isName(expression) ? writer.bind(hint, expression) : expression;
      writer.remember(key, result);
      return result;
    };
    if (uniform !== null && !isLoaded(value)) return literal(value.dtype, uniform, writer.call);
    if (isLoaded(value) || tensor !== null) {
      const buffer = bufferOf(value);
      const position = flatten(index, value.shape);
      const load = (): string => loadOf(buffer, storedAs(value), writer.position(position));
      return named(writer.outside(lastWord(buffer), position, load), lastWord(buffer));
    }
    return named(compute(value, index), hintOf(network, value));
  };
  const compute: ReadElement = (value, index) => {
    const node = network.producerOf(value);
    const lowering = node === undefined ? null : loweringOf(node);
    if (node === undefined || lowering?.kind !== 'map')
      throw new Error(`value ${value.id} (${node?.op ?? 'an input'}) cannot be computed here`);
    onNode(node);
    const results = lowering.element({
      inputs: node.inputs,
      outputs: node.outputs,
      attributes: node.attributes,
      index,
      read: (operand, at) => read(node.inputs[operand], at),
      code: writer,
    });
    // The other results of the node, for whoever asks next.
    node.outputs.forEach((output, i) => {
      if (output !== value) writer.remember(elementKey(output, index), results[i]);
    });
    return results[node.outputs.indexOf(value)];
  };
  return read;
}

/** How an element that is another type in memory is read and written. */
const conversions: Readonly<
  Partial<Record<Stored, { readonly load: (x: string) => string; readonly store: string }>>
> = {
  bool: { load: (x) => `${x} != 0u`, store: 'u32' },
  f16: { load: (x) => `f32(${x})`, store: 'f16' },
};

function loadOf(buffer: string, stored: Stored, position: string): string {
  const element = `${buffer}[${position}]`;
  return conversions[stored]?.load(element) ?? element;
}

/** An element as it is written. */
export function storedText(stored: Stored, expression: string): string {
  const conversion = conversions[stored];
  return conversion === undefined ? expression : `${conversion.store}(${expression})`;
}

/** `W` for `net_l1_W`. */
const lastWord = (name: string): string => /[^\W\d_][^\W_]*(_\d+)?$/.exec(name)?.[0] ?? 'x';

const hints: Readonly<Record<string, string>> = {
  add: 'sum',
  subtract: 'difference',
  multiply: 'product',
  divide: 'quotient',
  compare: 'holds',
  select: 'chosen',
  exponential: 'e',
  negate: 'opposite',
  broadcast_in_dim: 'x',
  reshape: 'x',
  transpose: 'x',
  slice: 'x',
  take: 'x',
  dim_value: 'size',
};

const hintOf = (network: Network, value: Value): string => {
  const op = network.producerOf(value)?.op ?? 'x';
  return hints[op] ?? op;
};
