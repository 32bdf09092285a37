// From a file to an array: finds the format by the file's content (gzip opened first), by its name where text is all there is.

import { existsSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { readBytes } from '../files.ts';
import { isProblem, problem, type Problem } from '../problem.ts';
import type { ArrayFile } from './array.ts';
import { readCsv, selectColumns } from './csv.ts';
import { looksLikeIdx, readIdx } from './idx.ts';
import { readJson } from './json.ts';
import { looksLikeNpy, looksLikeZip, readNpy, readNpz } from './npy.ts';
import { looksLikeSafetensors, readSafetensors } from './safetensors.ts';

/** A file, and which of its arrays or columns: `points.npz:train`, `iris.csv:1-4`, `iris.csv:species`. */
export interface Location {
  readonly path: string;
  readonly selector: string | null;
}

/** Splits at the last `:` unless the whole text is a file or the rest looks like a path (`C:\data.csv`). */
export function parseLocation(text: string): Location {
  const at = text.lastIndexOf(':');
  const selector = text.slice(at + 1);
  if (at < 1 || selector === '' || /[\\/]/.test(selector) || existsSync(text))
    return { path: text, selector: null };
  return { path: text.slice(0, at), selector };
}

/** The array at `location`. `wanted` is the input's name: it selects among several arrays where the location does not. */
export function loadArray({ path, selector }: Location, wanted: string): ArrayFile | Problem {
  const bytes = readPlain(path);
  if (isProblem(bytes)) return bytes;
  if (bytes.length === 0) return problem('E0502', path, 'is empty');
  const format = formats.find(({ matches }) => matches(bytes, path));
  if (format === undefined)
    return problem(
      'E0502',
      path,
      'has a format that is not known',
      'IDX, npy, npz, safetensors, CSV and JSON are read, each also compressed by gzip',
    );
  return format.read(path, bytes, selector, wanted);
}

/** The file's bytes, decompressed. */
function readPlain(path: string): Uint8Array | Problem {
  const bytes = readBytes(path);
  if (isProblem(bytes) || bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    return problem(
      'E0502',
      path,
      `is not a whole gzip file: ${error instanceof Error ? error.message : String(error)}`,
      'the file is cut short or damaged; fetch it again',
    );
  }
}

interface Format {
  readonly matches: (bytes: Uint8Array, path: string) => boolean;
  readonly read: (
    path: string,
    bytes: Uint8Array,
    selector: string | null,
    wanted: string,
  ) => ArrayFile | Problem;
}

const named = (path: string, ...suffixes: string[]): boolean =>
  suffixes.some((suffix) => path.toLowerCase().replace(/\.gz$/, '').endsWith(suffix));

/** One array to a file: a selector has nothing to select. */
const single =
  (read: (path: string, bytes: Uint8Array) => ArrayFile | Problem): Format['read'] =>
  (path, bytes, selector) =>
    selector === null
      ? read(path, bytes)
      : problem('E0502', path, `holds one array; :${selector} selects nothing in it`);

/** In the order they are tried; a format that its content shows comes before one that its name says. */
const formats: readonly Format[] = [
  { matches: looksLikeNpy, read: single(readNpy) },
  {
    matches: looksLikeZip,
    read: (path, bytes, selector, wanted) => {
      const arrays = readNpz(path, bytes);
      return isProblem(arrays) ? arrays : choose(path, arrays, selector, wanted);
    },
  },
  {
    matches: (bytes, path) => looksLikeSafetensors(bytes) || named(path, '.safetensors'),
    read: (path, bytes, selector, wanted) => {
      const file = readSafetensors(path, bytes);
      return isProblem(file) ? file : choose(path, file.tensors, selector, wanted);
    },
  },
  { matches: looksLikeIdx, read: single(readIdx) },
  { matches: (_, path) => named(path, '.npy'), read: single(readNpy) },
  { matches: (_, path) => named(path, 'ubyte', '.idx'), read: single(readIdx) },
  {
    matches: (bytes, path) => isText(bytes) && named(path, '.json'),
    read: single((path, bytes) => readJson(path, decode(bytes))),
  },
  {
    matches: (bytes) => isText(bytes),
    read: (path, bytes, selector) => {
      const table = readCsv(path, decode(bytes));
      if (isProblem(table)) return table;
      return selector === null ? table.array : selectColumns(path, table, selector);
    },
  },
];

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8').decode(bytes);

/** Text has no zero bytes; its beginning is enough to tell. */
const isText = (bytes: Uint8Array): boolean => !bytes.subarray(0, 4096).includes(0);

/** The array that the selector names, or the input's namesake, or the only one. */
function choose(
  path: string,
  arrays: ReadonlyMap<string, ArrayFile>,
  selector: string | null,
  wanted: string,
): ArrayFile | Problem {
  const [only] = arrays.size === 1 ? arrays.values() : [];
  const chosen = selector === null ? (arrays.get(wanted) ?? only) : arrays.get(selector);
  if (chosen !== undefined) return chosen;
  const names = [...arrays.keys()];
  return problem(
    'E0502',
    path,
    names.length === 0
      ? 'holds no arrays'
      : `holds no array called ${selector ?? wanted}; it holds ${names.join(', ')}`,
    names.length === 0 ? null : `select one: ${path}:${names[0]}`,
  );
}
