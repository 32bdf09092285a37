// Our data as ONNX's messages: tensors, types, attributes. Everything here is a plain function over onnx-proto's interfaces.

import onnxProto from 'onnx-proto';

import { attributeKey } from '../../ir/attributes.ts';
import type { DType, Tensor } from '../../ir/tensor.ts';
import type { OnnxAttribute } from './builder-types.ts';

const { onnx } = onnxProto;
export const { ModelProto } = onnx;

export type AttributeProto = onnxProto.onnx.IAttributeProto;
export type FunctionProto = onnxProto.onnx.IFunctionProto;
export type NodeProto = onnxProto.onnx.INodeProto;
export type TensorProto = onnxProto.onnx.ITensorProto;
export type ValueInfoProto = onnxProto.onnx.IValueInfoProto;

/** The domain of a model's own functions. */
export const localDomain = 'dlg';
/** Opset 21 with IR version 10: raise them together, with the runtimes that read the files. */
export const irVersion = 10;
export const opsetImport = [
  { domain: '', version: 21 },
  { domain: localDomain, version: 1 },
];

const { DataType } = onnx.TensorProto;
const dataTypes: Readonly<Record<DType, number>> = {
  f32: DataType.FLOAT,
  i32: DataType.INT32,
  u32: DataType.UINT32,
  bool: DataType.BOOL,
};

const storage: Readonly<Record<DType, (data: Tensor['data']) => ArrayBufferView>> = {
  f32: (data) => (data instanceof Float32Array ? data : Float32Array.from(data)),
  i32: (data) => (data instanceof Int32Array ? data : Int32Array.from(data)),
  u32: (data) => (data instanceof Uint32Array ? data : Uint32Array.from(data)),
  bool: (data) => (data instanceof Uint8Array ? data : Uint8Array.from(data)),
};

/** Raw data is little-endian by the format, as is every machine that runs JavaScript today. */
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const tensorProto = (name: string, { dtype, shape, data }: Tensor): TensorProto => ({
  name,
  dims: [...shape],
  dataType: dataTypes[dtype],
  rawData: bytesOf(storage[dtype](data)),
});

export const int64Proto = (
  name: string,
  dims: readonly number[],
  values: readonly number[],
): TensorProto => ({
  name,
  dims: [...dims],
  dataType: DataType.INT64,
  rawData: bytesOf(BigInt64Array.from(values, BigInt)),
});

/** `dims`: a number for a fixed size, a text for one that is free. */
export const valueInfo = (
  name: string,
  dtype: DType | 'i64',
  dims: readonly (number | string)[],
  docString?: string,
): ValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType: dtype === 'i64' ? DataType.INT64 : dataTypes[dtype],
      shape: { dim: dims.map((d) => (typeof d === 'number' ? { dimValue: d } : { dimParam: d })) },
    },
  },
  ...(docString === undefined ? {} : { docString }),
});

const { AttributeType } = onnx.AttributeProto;

export function attributeProto(name: string, attribute: OnnxAttribute): AttributeProto {
  switch (attribute.kind) {
    case 'int':
      return { name, type: AttributeType.INT, i: attribute.value };
    case 'ints':
      return { name, type: AttributeType.INTS, ints: [...attribute.value] };
    case 'float':
      return { name, type: AttributeType.FLOAT, f: attribute.value };
    case 'string':
      return { name, type: AttributeType.STRING, s: new TextEncoder().encode(attribute.value) };
    case 'graph':
      return { name, type: AttributeType.GRAPH, g: attribute.value };
  }
}

/** The names a node reads, with those that its subgraphs read of the graphs around. */
export function readsOf(node: NodeProto): readonly string[] {
  const bodies = (node.attribute ?? []).flatMap(({ g }) => (g ? [g] : []));
  if (bodies.length === 0) return node.input ?? [];
  return [...(node.input ?? []), ...bodies.flatMap(readsFromAround)];
}

function readsFromAround({ input, node, output }: onnxProto.onnx.IGraphProto): string[] {
  const own = new Set(input?.map(({ name }) => name ?? ''));
  const outside = new Set<string>();
  const read = (name: string): unknown => own.has(name) || outside.add(name);
  for (const inner of node ?? []) {
    readsOf(inner).forEach(read);
    inner.output?.forEach((name) => own.add(name));
  }
  output?.forEach(({ name }) => read(name ?? ''));
  return [...outside];
}

/** The node reading and writing other names; those of its subgraphs too. */
export const renamed = (node: NodeProto, rename: ReadonlyMap<string, string>): NodeProto => ({
  ...node,
  input: node.input?.map((name) => rename.get(name) ?? name),
  output: node.output?.map((name) => rename.get(name) ?? name),
  attribute: node.attribute?.map((attribute) =>
    attribute.g
      ? {
          ...attribute,
          g: { ...attribute.g, node: attribute.g.node?.map((inner) => renamed(inner, rename)) },
        }
      : attribute,
  ),
});

/** The node that makes a constant, where there are no initialisers: in a function. */
export const constantProto = (value: TensorProto): NodeProto => ({
  opType: 'Constant',
  output: [value.name ?? ''],
  attribute: [{ name: 'value', type: AttributeType.TENSOR, t: value }],
});

/** Equal keys for equal tensors; see `attributeKey`. */
export const tensorKey = (value: Tensor): string => attributeKey({ value });
