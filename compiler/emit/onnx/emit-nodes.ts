// Writes the nodes of a graph, or of the body of a loop, each by its record's lowering; what concerns neighbours (broadcasts,
// relu, products and what follows them) is decided here.

import { positionOf, textOf } from '../../../grammar/source.ts';
import { isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Graph, Node, Origin, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import type { OnnxResult, OnnxSubgraph } from '../../ir/op.ts';
import { opNamed } from '../../ir/registry.ts';
import { findBroadcasts } from './broadcasts.ts';
import type { OnnxWriter } from './builder.ts';
import type { OnnxAttribute } from './builder-types.ts';
import { fuse } from './fuse.ts';
import type { NodeProto, ValueInfoProto } from './proto.ts';
import { readsOf, valueInfo } from './proto.ts';
import { findRelus } from './relu.ts';
import { alignForBroadcast } from './shapes.ts';

/** Writes every node; the result is the ONNX name of each value, whole. `names`: those of the inputs. */
export function lowerNodes(
  graph: Graph,
  writer: OnnxWriter,
  names: Map<Value, string>,
): (value: Value) => string {
  const broadcasts = findBroadcasts(graph, (op) => opNamed(op).elementwise === 'stretching');
  const relus = findRelus(graph);
  const waiting = new Map<Value, Node>();

  const lower = (node: Node): void => {
    const operands = node.inputs.map((value) => operandName(node, value));
    writer.from(node.origin, sourceText(node.origin));
    const { inputs, outputs, attributes } = node;
    const results = opNamed(node.op).onnx({
      onnx: writer,
      names: operands,
      inputs,
      outputs,
      attributes,
      subgraph: (write) => lowerSubgraph(writer, write),
    });
    outputs.forEach((value, i) => names.set(value, results[i]));
  };
  const nameOf = (value: Value): string => {
    const node = waiting.get(value);
    if (node !== undefined) {
      waiting.delete(value);
      lower(node);
    }
    const name = names.get(value);
    if (name === undefined) throw new Error(`value ${value.id} is read before it is written`);
    return name;
  };
  const operandName = (reader: Node, value: Value): string => {
    const broadcast = broadcasts.avoided(reader, value);
    const axes = attributesIf('broadcast_in_dim', broadcast ?? undefined)?.axes;
    if (broadcast === null || axes === undefined) return nameOf(value);
    const small = nameOf(broadcast.inputs[0]);
    writer.from(broadcast.origin, sourceText(broadcast.origin));
    return alignForBroadcast(writer, small, axes, value.shape.length);
  };
  for (const node of graph.nodes) {
    const relu = relus.get(node);
    if (node.op === 'broadcast_in_dim') waiting.set(node.outputs[0], node);
    else if (relu === undefined) lower(node);
    else {
      const x = nameOf(relu);
      writer.from(node.origin, sourceText(node.origin));
      names.set(node.outputs[0], writer.node('Relu', [x]));
    }
  }
  // Broadcasts that outputs read are still waiting: write them now.
  graph.outputs.forEach(({ value }) => nameOf(value));
  return (value) => names.get(value) ?? '';
}

/** `net.dlg:14: the line's text`. */
function sourceText({ span }: Origin): string {
  if (span === null) return '';
  const text = textOf(span).replaceAll(/\s+/g, ' ');
  const { line } = positionOf(span.source, span.start);
  return `${span.source.path}:${line}: ${text.length > 80 ? `${text.slice(0, 77)}...` : text}`;
}

/** A subgraph with what `write` appends; each result gets a name of its own, made inside. */
function lowerSubgraph(
  outer: OnnxWriter,
  write: (inner: OnnxSubgraph) => readonly OnnxResult[],
): OnnxAttribute {
  const writer = outer.nested();
  const input: ValueInfoProto[] = [];
  const known = new Map<string, readonly Dim[]>();
  const results = write({
    ...writer,
    input(base, { dtype, shape: sizes }) {
      const name = writer.freshName(base);
      writer.own(name);
      input.push(valueInfo(name, dtype, sizes.map(writer.dimText)));
      known.set(name, sizes);
      return name;
    },
    body(graph, names) {
      const inputs = new Map(graph.inputs.map(({ value }, i) => [value, names[i]]));
      const nameOf = lowerNodes(graph, writer, inputs);
      for (const { value } of graph.inputs) known.set(nameOf(value), value.shape);
      for (const [name, shape] of shapes(graph, nameOf)) known.set(name, shape);
      return graph.outputs.map(({ value }) => [nameOf(value), value]);
    },
  });
  const made = new Set(writer.nodeProtos.flatMap(({ output }) => output ?? []));
  const copies: NodeProto[] = [];
  const names = results.map(([result]) => {
    if (made.delete(result)) return result;
    const name = writer.freshName(`${result}/Identity`);
    copies.push({ name, opType: 'Identity', input: [result], output: [name] });
    return name;
  });
  const node = fusedNodes([...writer.nodeProtos, ...copies], names, writer, known);
  const output = results.map(([, { dtype, shape: sizes }], i) =>
    valueInfo(names[i], dtype, sizes.map(writer.dimText)),
  );
  return { kind: 'graph', value: { name: writer.freshName('body'), input, node, output } };
}

/** The nodes that the outputs need, with what can be folded into products folded. */
export function fusedNodes(
  nodes: readonly NodeProto[],
  outputs: readonly string[],
  writer: OnnxWriter,
  shapesByName: ReadonlyMap<string, readonly Dim[]>,
): NodeProto[] {
  const facts = {
    ...writer,
    shapeOf: (name: string) => shapesByName.get(name),
    rankOf: (name: string) => shapesByName.get(name)?.length,
    sizeOf: (name: string, axis: number) =>
      numberOf(shapesByName.get(name)?.[axis]) ?? reshapedSize(writer, name, axis),
  };
  return keepNeeded(fuse(keepNeeded(nodes, outputs), outputs, facts), outputs);
}

/** A size that a Reshape of the emitter's own states. */
function reshapedSize(writer: OnnxWriter, name: string, axis: number): number | undefined {
  const maker = writer.makerOf(name);
  const size = maker?.opType === 'Reshape' ? writer.int64sOf(maker.input?.[1] ?? '')?.[axis] : 0;
  return size !== undefined && size > 0 ? size : undefined;
}

const numberOf = (size: Dim | undefined): number | undefined =>
  size === undefined ? undefined : (isConstant(size) ?? undefined);

/** The shapes of the tensors that are values of the graph, by ONNX name. */
export function shapes(
  graph: Graph,
  nameOf: (value: Value) => string,
): Map<string, readonly Dim[]> {
  const known = new Map<string, readonly Dim[]>();
  for (const { outputs } of graph.nodes)
    for (const value of outputs) known.set(nameOf(value), value.shape);
  return known;
}

/** Without the nodes that no output depends on, such as the comparison inside a relu. */
function keepNeeded(nodes: readonly NodeProto[], outputs: readonly string[]): NodeProto[] {
  const needed = new Set(outputs);
  return nodes
    .toReversed()
    .filter((node) => {
      if (!node.output?.some((name) => needed.has(name))) return false;
      readsOf(node).forEach((name) => needed.add(name));
      return true;
    })
    .reverse();
}
