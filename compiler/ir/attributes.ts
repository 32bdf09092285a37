// Attributes as data: what kind of value one is, and a key by which equal ones compare (common subexpressions, sharing of
// constants). Used by the builder, the printer and the passes.

import type { Dim } from '../dims/dim.ts';
import type { Attribute, Attributes, Graph, Value } from './graph.ts';
import type { Tensor } from './tensor.ts';

export function isDim(attribute: Attribute): attribute is Dim {
  return (
    isRecord(attribute) && 'kind' in attribute && attribute.kind === 'dim' && 'terms' in attribute
  );
}

export function isTensor(attribute: Attribute): attribute is Tensor {
  return isRecord(attribute) && 'data' in attribute && ArrayBuffer.isView(attribute.data);
}

export function isGraph(attribute: Attribute): attribute is Graph {
  return isRecord(attribute) && 'nodes' in attribute && 'outputs' in attribute;
}

/** Whether a node with these attributes has a body. */
export const hasBody = (attributes: Attributes): boolean => Object.values(attributes).some(isGraph);

const isRecord = (
  attribute: Attribute,
): attribute is Exclude<Attribute, number | string | boolean> => typeof attribute === 'object';

/**
 * Equal keys exactly when the attributes are equal, but for large tensors and graphs, which compare by identity: reading
 * megabytes to share a weight that is written once is not worth it.
 */
export function attributeKey(attributes: Attributes): string {
  return Object.keys(attributes)
    .sort()
    .map((name) => `${name}=${keyOf(attributes[name])}`)
    .join(';');
}

/** Every dimension among the attributes, at any depth; not those inside graphs. */
export function dimsIn(attributes: Attributes): readonly Dim[] {
  return Object.values(attributes).flatMap(dimsOf);
}

function dimsOf(attribute: Attribute): readonly Dim[] {
  if (!isRecord(attribute) || isTensor(attribute) || isGraph(attribute)) return [];
  if (isDim(attribute)) return [attribute];
  return isList(attribute) ? attribute.flatMap(dimsOf) : dimsIn(attribute);
}

const largestComparedByContent = 1024;

function keyOf(attribute: Attribute | undefined): string {
  if (attribute === undefined) return '';
  if (typeof attribute === 'string') return JSON.stringify(attribute);
  if (typeof attribute === 'number') return Object.is(attribute, -0) ? '-0' : String(attribute);
  if (typeof attribute === 'boolean') return String(attribute);
  if (isDim(attribute)) return `{${attribute.key}}`;
  if (isTensor(attribute)) return tensorKey(attribute);
  if (isGraph(attribute)) return graphKey(attribute);
  if (isList(attribute)) return `[${attribute.map(keyOf).join(',')}]`;
  return `(${attributeKey(attribute)})`;
}

/** `Array.isArray` does not narrow readonly arrays. */
const isList = (attribute: Attribute): attribute is readonly Attribute[] =>
  Array.isArray(attribute);

function tensorKey(value: Tensor): string {
  const head = `${value.dtype}[${value.shape.join(',')}]`;
  if (value.data.length > largestComparedByContent) return `${head}#${identityOf(value.data)}`;
  const elements = Array.from(value.data, (x) => (Object.is(x, -0) ? '-0' : String(x)));
  return `${head}:${elements.join(',')}`;
}

const largestGraphCompared = 300;
const graphKeys = new WeakMap<Graph, string>();

/** What a body computes, with its values numbered in order. */
function graphKey(graph: Graph): string {
  if (graph.nodes.length > largestGraphCompared) return `graph${identityOf(graph)}`;
  const known = graphKeys.get(graph);
  if (known !== undefined) return known;
  const numbers = new Map<Value, number>();
  const number = (value: Value): number => numbers.set(value, numbers.size).size;
  const types = graph.inputs.map(({ value }) => {
    number(value);
    return `${value.dtype}[${value.shape.map(({ key }) => key).join(',')}]`;
  });
  const nodes = graph.nodes.map(({ op, inputs, attributes, outputs }) => {
    outputs.forEach(number);
    const operands = inputs.map((value) => numbers.get(value)).join(',');
    return `${op}(${operands})${attributeKey(attributes)}`;
  });
  const outputs = graph.outputs.map(({ value }) => numbers.get(value));
  const key = `graph(${types.join(';')}){${nodes.join(';')}}${outputs.join(',')}`;
  graphKeys.set(graph, key);
  return key;
}

const identities = new WeakMap<object, number>();
let lastIdentity = 0;

function identityOf(value: object): number {
  let identity = identities.get(value);
  if (identity === undefined) {
    identity = ++lastIdentity;
    identities.set(value, identity);
  }
  return identity;
}
