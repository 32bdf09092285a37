// Weights as bytes of safetensors (https://huggingface.co/docs/safetensors), of the element types that DLG writes, and where they come
// from.

import type { HostTensor } from './types.ts';

/** A URL or a path, bytes, or none. */
export type WeightsSource = string | URL | ArrayBuffer | Uint8Array;

/** In the order in which the format's own library writes them. */
const types = [
  ['F32', Float32Array],
  ['U32', Uint32Array],
  ['I32', Int32Array],
  ['BOOL', Uint8Array],
] as const;

export async function bytesOf(source: WeightsSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  // Node reads files, which its fetch does not.
  const files = globalThis.process?.getBuiltinModule?.('fs');
  if (files && !/^(https?|data|blob):/.test(String(source))) return files.readFileSync(source);
  const response = await fetch(source);
  if (!response.ok) throw new Error(`no weights at ${source}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function decode(bytes: Uint8Array): Record<string, HostTensor> {
  try {
    const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header: Record<string, Entry> = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, start)),
    );
    delete header['__metadata__'];
    const read = ({ dtype, shape, data_offsets: [from, to] }: Entry): HostTensor => {
      const View = types.find(([name]) => name === dtype)?.[1] ?? Uint8Array;
      // A copy, since a view must begin at a multiple of its elements' size.
      return { data: new View(bytes.slice(start + from, start + to).buffer), shape };
    };
    return Object.fromEntries(Object.entries(header).map(([name, of]) => [name, read(of)]));
  } catch (cause) {
    throw new Error('the weights are not a whole safetensors file', { cause });
  }
}

export function encode(tensors: Readonly<Record<string, HostTensor>>): Uint8Array {
  const header: Record<string, Entry> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [dtype, View] of types)
    for (const name of Object.keys(tensors).sort()) {
      const { data, shape } = tensors[name];
      if (!(data instanceof View)) continue;
      header[name] = { dtype, shape, data_offsets: [at, (at += data.byteLength)] };
      parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + at).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  parts.reduce((place, part) => (bytes.set(part, place), place + part.length), start);
  return bytes;
}
