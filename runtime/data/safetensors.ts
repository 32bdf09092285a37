// safetensors (https://huggingface.co/docs/safetensors): a u64 length, a JSON header, the tensors' bytes, all little-endian. The
// header gives each tensor's dtype, shape and place; together they cover the rest of the file without gap or overlap.

import { sizeOf, type DType, type Tensor } from '../../compiler/ir/tensor.ts';
import { plural, problem, showSizes, type Problem } from '../problem.ts';
import { codecs, elementsOf, halfBits, viewOf, type ArrayFile, type StoredType } from './array.ts';

export interface SafetensorsFile {
  readonly kind: 'safetensors';
  readonly tensors: ReadonlyMap<string, ArrayFile>;
  readonly metadata: Readonly<Record<string, string>>;
}

const types: Readonly<Record<string, StoredType>> = {
  BOOL: 'bool',
  U8: 'uint8',
  I8: 'int8',
  U16: 'uint16',
  I16: 'int16',
  U32: 'uint32',
  I32: 'int32',
  U64: 'uint64',
  I64: 'int64',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  F64: 'float64',
};

type Written = DType | 'f16';

/** `order`: which type the format's own library writes first. */
const written: Readonly<
  Record<Written, { readonly name: string; readonly bytes: number; readonly order: number }>
> = {
  f32: { name: 'F32', bytes: 4, order: 0 },
  u32: { name: 'U32', bytes: 4, order: 1 },
  i32: { name: 'I32', bytes: 4, order: 2 },
  f16: { name: 'F16', bytes: 2, order: 3 },
  bool: { name: 'BOOL', bytes: 1, order: 4 },
};

const maximumHeader = 100_000_000;

export function looksLikeSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 9 || bytes[8] !== 0x7b) return false;
  return viewOf(bytes).getBigUint64(0, true) <= BigInt(maximumHeader);
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && Number(n) >= 0;

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: at } = value as Partial<Record<keyof Entry, unknown>>;
  return (
    typeof dtype === 'string' &&
    Array.isArray(shape) &&
    shape.every(isCount) &&
    Array.isArray(at) &&
    at.length === 2 &&
    at.every(isCount)
  );
}

/** The header's object and the tensors' bytes. */
function split(
  path: string,
  bytes: Uint8Array,
): { header: Readonly<Record<string, unknown>>; body: Uint8Array } | Problem {
  const broken = (why: string): Problem =>
    problem('E0502', path, `is not a whole safetensors file: ${why}`);
  if (bytes.length < 8) return broken('it is shorter than its first number');
  const length = Number(viewOf(bytes).getBigUint64(0, true));
  if (length > maximumHeader) return broken('its header is longer than the format allows');
  if (bytes.length < 8 + length) return broken('it ends inside its header');
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)),
    );
  } catch {
    return broken('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    return broken('its header is not an object');
  return { header: header as Record<string, unknown>, body: bytes.subarray(8 + length) };
}

export function readSafetensors(path: string, bytes: Uint8Array): SafetensorsFile | Problem {
  const parts = split(path, bytes);
  if ('kind' in parts) return parts;
  const { header, body } = parts;
  const broken = (why: string): Problem =>
    problem('E0502', path, `is not a whole safetensors file: ${why}`);
  const entries: (Entry & { readonly name: string })[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (!isEntry(entry)) return broken(`the header's entry for ${name} is malformed`);
    entries.push({ ...entry, name });
  }
  const tensors = new Map<string, ArrayFile>();
  let end = 0;
  for (const { name, dtype, shape, data_offsets } of entries.toSorted(
    (a, b) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  )) {
    const type = types[dtype];
    if (type === undefined)
      return problem('E0502', path, `${name} has type ${dtype}, which is not read`);
    const length = elementsOf(shape);
    const [from, to] = data_offsets;
    if (from !== end || to - from !== length * codecs[type].bytes)
      return broken(`${name}, ${showSizes(shape)} of ${dtype}, has no room at ${from}..${to}`);
    if (to > body.length) return broken(`it ends inside ${name}`);
    const data = codecs[type].read(viewOf(body.subarray(from, to)), length, true);
    tensors.set(name, { kind: 'array', type, shape, data });
    end = to;
  }
  if (end !== body.length) return broken(`${plural(body.length - end, 'byte')} follow its tensors`);
  return { kind: 'safetensors', tensors, metadata: metadataOf(header.__metadata__) };
}

function metadataOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  const texts = Object.entries(value).filter(
    (e): e is [string, string] => typeof e[1] === 'string',
  );
  return Object.fromEntries(texts);
}

/**
 * The file's bytes, in the order of the format's own library: widest elements first, so that every tensor is aligned, and then
 * by name. Those that `halved` names are rounded to half precision.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
  halved: ReadonlySet<string> = new Set(),
): Uint8Array {
  const sorted = [...tensors]
    .map(([name, tensor]) => ({
      ...tensor,
      name,
      type: halved.has(name) ? ('f16' as const) : tensor.dtype,
    }))
    .sort(
      (a, b) =>
        written[a.type].order - written[b.type].order ||
        (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
    );
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let at = 0;
  for (const { name, type, shape } of sorted) {
    const to = at + sizeOf(shape) * written[type].bytes;
    header[name] = { dtype: written[type].name, shape, data_offsets: [at, to] };
    at = to;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + padded + at);
  const view = viewOf(out);
  view.setBigUint64(0, BigInt(padded), true);
  out.fill(0x20, 8, 8 + padded);
  out.set(json, 8);
  let place = 8 + padded;
  for (const { type, data } of sorted) place = writeElements(view, place, type, data);
  return out;
}

/** Writes the elements from `place` on; the place after them. */
function writeElements(view: DataView, place: number, type: Written, data: Tensor['data']): number {
  const set: Readonly<Record<Written, (at: number, value: number) => void>> = {
    f16: (at, value) => view.setUint16(at, halfBits(value), true),
    f32: (at, value) => view.setFloat32(at, value, true),
    i32: (at, value) => view.setInt32(at, value, true),
    u32: (at, value) => view.setUint32(at, value, true),
    bool: (at, value) => view.setUint8(at, value),
  };
  const { bytes } = written[type];
  for (let i = 0; i < data.length; i++) set[type](place + i * bytes, data[i]);
  return place + data.length * bytes;
}
