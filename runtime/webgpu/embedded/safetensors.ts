// Safetensors (https://huggingface.co/docs/safetensors): eight bytes with the length of a header in JSON, the header, the elements.

import type { HostTensor, Shape } from './types.ts';

interface Entry {
  readonly dtype: string;
  readonly shape: Shape;
  readonly data_offsets: readonly [from: number, to: number];
}

/** What the bytes say of their tensors, and where the first begins. */
export function headerOf(
  bytes: Uint8Array,
): readonly [header: Readonly<Record<string, Entry>>, start: number] {
  try {
    const start = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    return [JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))), start];
  } catch {
    throw Error('the weights are no safetensors');
  }
}

/** In the order in which the format's own library writes them. */
const types = [
  ['F32', Float32Array],
  ['U32', Uint32Array],
  ['I32', Int32Array],
  ['BOOL', Uint8Array],
] as const;

/** Tensors by name, and words about them. */
export function safetensors(
  tensors: Readonly<Record<string, HostTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [dtype, View] of types)
    for (const name of Object.keys(tensors).sort()) {
      const { data, shape } = tensors[name];
      if (!(data instanceof View)) continue;
      header[name] = { dtype, shape, data_offsets: [at, (at += data.byteLength)] };
      parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + at).fill(0x20, 8, start);
  new DataView(bytes.buffer).setUint32(0, start - 8, true);
  bytes.set(text, 8);
  let place = start;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}
