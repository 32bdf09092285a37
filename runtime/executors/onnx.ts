// The ONNX Runtime executor: runs an emitted model in onnxruntime-node. The library is loaded with the first program, so
// that whoever only compiles does not need it.

import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';

import type { DType, Tensor } from '../../compiler/ir/tensor.ts';
import type { PortInfo, Program } from '../program.ts';
import { misfit } from '../program.ts';

export interface OnnxOptions {
  /** Threads inside an operator, default 2. Tests use 1. */
  readonly threads?: number;
}

type Ort = typeof import('onnxruntime-node');
type Ports = { readonly inputs: readonly PortInfo[]; readonly outputs: readonly PortInfo[] };

/** A program that runs `model`, as emitOnnx writes it. Rejects with an Error where ONNX Runtime is missing or refuses it. */
export async function onnxProgram(
  model: Uint8Array,
  { threads = 2 }: OnnxOptions = {},
): Promise<Program> {
  const ort = await loadRuntime();
  const { inputs, outputs } = await readPorts(model);
  const session = await ort.InferenceSession.create(model, sessionOptions(threads)).catch(
    (cause: unknown) => {
      throw new Error(`ONNX Runtime does not accept the model: ${textOf(cause)}`, { cause });
    },
  );
  return {
    inputs,
    outputs,
    async run(feeds) {
      const problem = misfit(inputs, feeds);
      if (problem !== null) throw new Error(problem);
      const given = inputs.map(({ name }) => [name, toOrt(ort, feeds[name])] as const);
      const results = await session.run(Object.fromEntries(given)).catch((cause: unknown) => {
        throw new Error(`ONNX Runtime failed: ${textOf(cause)}`, { cause });
      });
      return Object.fromEntries(
        outputs.map(({ name, dtype }) => [name, fromOrt(dtype, results[name])]),
      );
    },
    dispose: () => session.release(),
  };
}

/**
 * Threads that do not spin: with them, two sessions or a busy machine cost 2 to 6 times as much (measured with 1.30.0). No
 * `set_denormal_as_zero`: it would flush JavaScript's own denormals as well.
 */
const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  executionMode: 'sequential',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});

async function loadRuntime(): Promise<Ort> {
  return import('onnxruntime-node').catch((cause: unknown) => {
    throw new Error(
      'onnxruntime-node is not installed for this platform: npm install onnxruntime-node',
      { cause },
    );
  });
}

/** The ports as the emitter described them in the model's metadata. */
async function readPorts(model: Uint8Array): Promise<Ports> {
  const { default: proto } = await import('onnx-proto');
  // Of a Buffer, the reader of protobufjs 6 (in onnx-proto 8) makes empty fields by `new Buffer`, of which Node warns.
  const bytes = new Uint8Array(model.buffer, model.byteOffset, model.byteLength);
  const entry = decoded(() => proto.onnx.ModelProto.decode(bytes)).metadataProps.find(
    ({ key }) => key === 'dlg.ports',
  )?.value;
  if (entry === undefined || entry === null)
    throw new Error('the model was not written by dlg: it does not describe its ports');
  return JSON.parse(entry) as Ports;
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new Error(`this is not an ONNX model: ${textOf(cause)}`, { cause });
  }
}

const ortTypes = { f32: 'float32', i32: 'int32', u32: 'uint32', bool: 'bool' } as const;

const toOrt = (ort: Ort, { dtype, shape, data }: Tensor): OrtTensor =>
  new ort.Tensor(
    ortTypes[dtype],
    data instanceof Float64Array ? Float32Array.from(data) : data,
    shape,
  );

const fromOrt = (dtype: DType, { dims, data }: OrtTensor): Tensor => {
  const values = data as Exclude<typeof data, string[]>;
  return { dtype, shape: dims, data: values as Tensor['data'] };
};

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
