// The ONNX emitter: a graph becomes a model of ordinary ai.onnx operators that any ONNX runtime runs. Each node is written
// by its record's lowering; what concerns neighbours (broadcasts, relu) is decided here.

import { positionOf, textOf } from '../../../grammar/source.ts';
import { isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Graph, Node, Origin, Port, Value } from '../../ir/graph.ts';
import { attributesIf } from '../../ir/node-attributes.ts';
import { opNamed } from '../../ir/registry.ts';
import { sizeSources } from '../../ir/sizes.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { findBroadcasts } from './broadcasts.ts';
import type { OnnxWriter } from './builder.ts';
import { createOnnxWriter } from './builder.ts';
import { fuse } from './fuse.ts';
import type { FunctionProto, NodeProto } from './proto.ts';
import { irVersion, ModelProto, opsetImport, tensorProto, valueInfo } from './proto.ts';
import { findRelus } from './relu.ts';
import { alignForBroadcast } from './shapes.ts';
import { dimParams } from './sizes.ts';

export interface EmitOptions {
  /** Inputs whose values are written into the model: parameters of an artifact that is not trained further. */
  readonly initialisers?: ReadonlyMap<string, Tensor>;
  /** Further metadata entries. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The metadata entry that says what each port is for; the executors and other people's training loops read it. */
const portsKey = 'dlg.ports';

/** `graph` as the bytes of an ONNX model. Ports keep their names; gradient markers must have been expanded. */
export function emitOnnx(
  graph: Graph,
  { initialisers = new Map(), metadata = {} }: EmitOptions = {},
): Uint8Array {
  const functions = new Map<string, FunctionProto>();
  const ports = [...graph.inputs, ...graph.outputs].map(({ name }) => name);
  const writer = createOnnxWriter(ports, sizeSources(graph.inputs), functions);
  const nameOf = lowerNodes(graph, writer);
  const inputs = graph.inputs.filter(({ name }) => !initialisers.has(name));
  const { identities, rename } = nameOutputs(graph, writer, nameOf);
  const lowered = [...writer.nodeProtos.map((node) => renamed(node, rename)), ...identities];
  const results = graph.outputs.map(({ name }) => name);
  const shapeOf = shapes(graph, (value) => rename.get(nameOf(value)) ?? nameOf(value));
  const facts = {
    ...writer,
    rankOf: (name: string) => shapeOf(name)?.length,
    sizeOf: (name: string, axis: number) => numberOf(shapeOf(name)?.[axis]),
  };
  const nodes = keepNeeded(fuse(keepNeeded(lowered, results), results, facts), results);
  const read = new Set(nodes.flatMap(({ input }) => input ?? []));
  const baked = graph.inputs.flatMap(({ name }) => {
    const value = initialisers.get(name);
    return value === undefined ? [] : [tensorProto(name, value)];
  });
  const dims = dimParams();
  const info = ({ name, value }: Pick<Port, 'name' | 'value'>) =>
    valueInfo(name, value.dtype, value.shape.map(dims));
  const inner = innerValues(graph, nameOf).map(info);
  const written = new Set(nodes.flatMap(({ output }) => output ?? []));
  return ModelProto.encode({
    irVersion,
    opsetImport,
    producerName: 'dlg',
    functions: [...functions.values()],
    metadataProps: Object.entries({ [portsKey]: describePorts(graph, inputs), ...metadata }).map(
      ([key, value]) => ({ key, value }),
    ),
    graph: {
      name: graph.name,
      input: inputs.map(info),
      output: graph.outputs.map(info),
      valueInfo: inner.filter(({ name }) => written.has(name ?? '')),
      initializer: [...baked, ...writer.initialisers.filter(({ name }) => read.has(name ?? ''))],
      node: nodes,
    },
  }).finish();
}

/** Writes every node; the result is the ONNX name of each value, whole. */
function lowerNodes(graph: Graph, writer: OnnxWriter): (value: Value) => string {
  const names = new Map<Value, string>(graph.inputs.map(({ name, value }) => [value, name]));
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

/** Results take their ports' names; one that is an input, or two ports at once, is copied. */
function nameOutputs(
  graph: Graph,
  writer: OnnxWriter,
  nameOf: (value: Value) => string,
): { identities: NodeProto[]; rename: ReadonlyMap<string, string> } {
  const produced = new Set(writer.nodeProtos.flatMap(({ output }) => output ?? []));
  const rename = new Map<string, string>();
  const identities: NodeProto[] = [];
  for (const { name, value } of graph.outputs) {
    const inner = nameOf(value);
    if (produced.has(inner) && !rename.has(inner)) rename.set(inner, name);
    else
      identities.push({
        name: `${name}/Identity`,
        opType: 'Identity',
        input: [rename.get(inner) ?? inner],
        output: [name],
      });
  }
  return { identities, rename };
}

const renamed = (node: NodeProto, rename: ReadonlyMap<string, string>): NodeProto => ({
  ...node,
  input: node.input?.map((name) => rename.get(name) ?? name),
  output: node.output?.map((name) => rename.get(name) ?? name),
});

const numberOf = (size: Dim | undefined): number | undefined =>
  size === undefined ? undefined : (isConstant(size) ?? undefined);

/** The shapes of the tensors that are values of the graph, by ONNX name. */
function shapes(
  graph: Graph,
  nameOf: (value: Value) => string,
): (name: string) => readonly Dim[] | undefined {
  const known = new Map<string, readonly Dim[]>();
  for (const { outputs } of graph.nodes)
    for (const value of outputs) known.set(nameOf(value), value.shape);
  for (const { name, value } of [...graph.inputs, ...graph.outputs]) known.set(name, value.shape);
  return (name) => known.get(name);
}

/** Without the nodes that no output depends on, such as the comparison inside a relu. */
function keepNeeded(nodes: readonly NodeProto[], outputs: readonly string[]): NodeProto[] {
  const needed = new Set(outputs);
  return nodes
    .toReversed()
    .filter((node) => {
      if (!node.output?.some((name) => needed.has(name))) return false;
      node.input?.forEach((name) => needed.add(name));
      return true;
    })
    .reverse();
}

/** The values between inputs and outputs under their ONNX names, each name once. */
function innerValues(
  graph: Graph,
  nameOf: (value: Value) => string,
): { name: string; value: Value }[] {
  const found = new Map<string, Value>();
  for (const value of graph.nodes.flatMap(({ outputs }) => outputs)) {
    const name = nameOf(value);
    if (name !== '') found.set(name, value);
  }
  for (const { name } of [...graph.inputs, ...graph.outputs]) found.delete(name);
  return [...found].map(([name, value]) => ({ name, value }));
}

/** What a caller must know to drive the model: the role of each port, and which output is which input's next value. */
function describePorts(graph: Graph, inputs: readonly Port[]): string {
  const dims = dimParams();
  const describe = ({ name, role, value }: Port) => ({
    name,
    role,
    dtype: value.dtype,
    dims: value.shape.map(dims),
  });
  const next = inputs
    .filter(({ name }) => graph.outputs.some((output) => output.name === `${name}.next`))
    .map(({ name }) => [`${name}.next`, name]);
  return JSON.stringify({
    inputs: inputs.map(describe),
    outputs: graph.outputs.map(describe),
    feedback: Object.fromEntries(next),
  });
}
