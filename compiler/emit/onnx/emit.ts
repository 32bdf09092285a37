// The ONNX emitter: a graph becomes a model of ordinary ai.onnx operators that any ONNX runtime runs. Each node is written
// by its record's lowering (emit-nodes.ts); here it gets its ports, their names and what a caller must know.

import type { Dim } from '../../dims/dim.ts';
import type { Graph, Port, Value } from '../../ir/graph.ts';
import { sizeSources } from '../../ir/sizes.ts';
import type { Tensor } from '../../ir/tensor.ts';
import type { OnnxWriter } from './builder.ts';
import { createOnnxWriter } from './builder.ts';
import { fusedNodes, lowerNodes, shapes } from './emit-nodes.ts';
import type { FunctionProto, NodeProto } from './proto.ts';
import {
  irVersion,
  ModelProto,
  opsetImport,
  readsOf,
  renamed,
  tensorProto,
  valueInfo,
} from './proto.ts';

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
  const names = new Map(graph.inputs.map(({ name, value }) => [value, name]));
  const nameOf = lowerNodes(graph, writer, names);
  const inputs = graph.inputs.filter(({ name }) => !initialisers.has(name));
  const results = graph.outputs.map(({ name }) => name);
  const { identities, rename } = nameOutputs(graph, writer, nameOf);
  const lowered = [...writer.nodeProtos.map((node) => renamed(node, rename)), ...identities];
  const shapesByName = shapes(graph, (value) => rename.get(nameOf(value)) ?? nameOf(value));
  for (const { name, value } of [...graph.inputs, ...graph.outputs])
    shapesByName.set(name, value.shape);
  const nodes = fusedNodes(lowered, results, writer, shapesByName);
  const read = new Set(nodes.flatMap(readsOf));
  const baked = graph.inputs.flatMap(({ name }) => {
    const value = initialisers.get(name);
    return value === undefined ? [] : [tensorProto(name, value)];
  });
  const info = ({ name, value }: Pick<Port, 'name' | 'value'>) =>
    valueInfo(name, value.dtype, value.shape.map(writer.dimText));
  const inner = innerValues(graph, nameOf).map(info);
  const written = new Set(nodes.flatMap(({ output }) => output ?? []));
  return ModelProto.encode({
    irVersion,
    opsetImport,
    producerName: 'dlg',
    functions: [...functions.values()],
    metadataProps: Object.entries({
      [portsKey]: describePorts(graph, inputs, writer.dimText),
      ...metadata,
    }).map(([key, value]) => ({ key, value })),
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
function describePorts(
  graph: Graph,
  inputs: readonly Port[],
  dims: (dim: Dim) => number | string,
): string {
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
