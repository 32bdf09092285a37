// Results that `dlg run` writes to files instead of printing: pictures (`--png`) and arrays (`--npy`).

import type { Tensor } from '../compiler/ir/tensor.ts';
import type { CompiledFunction } from '../compiler/program.ts';
import { npyOf } from '../runtime/data/npy.ts';
import { writeAtomic } from '../runtime/files.ts';
import { problem, type Problem } from '../runtime/problem.ts';
import { picturesIn, pngOf } from './pictures.ts';

/** Results by name, and the files for them. */
type Files = ReadonlyMap<string, string>;

export interface ResultFiles {
  readonly png?: Files;
  readonly npy?: Files;
  /** Pictures in a row of the grid. */
  readonly columns?: number;
}

/** What is to be written has to be a result; what is to be drawn needs axes for it. */
export function checkResultFiles(
  { results }: CompiledFunction,
  { png = new Map(), npy = new Map() }: ResultFiles,
): Problem | null {
  for (const name of [...png.keys(), ...npy.keys()]) {
    const port = results.find((result) => result.name === name);
    const known = results.map((result) => result.name).join(', ');
    if (port === undefined)
      return problem('E0517', null, `there is no result ${name}`, `the results are ${known}`);
    if (png.has(name) && (port.shape.length < 2 || port.shape.length > 4)) return notPictures(name);
  }
  return null;
}

const notPictures = (name: string): Problem =>
  problem(
    'E0520',
    null,
    `the result ${name} holds no pictures`,
    'pictures are [H, W], [n, H, W], [n, H, W, c] or [n, c, H, W], with c = 1 or 3',
  );

/** Writes a result to the files it is to go to, and returns their paths. */
export function writeResult(
  name: string,
  value: Tensor,
  { png, npy, columns }: ResultFiles,
): readonly string[] | Problem {
  const files: (readonly [string, Uint8Array])[] = [];
  const picture = png?.get(name);
  if (picture !== undefined) {
    const pictures = picturesIn(value.shape);
    if (pictures === null) return notPictures(name);
    files.push([picture, pngOf(value, pictures, columns ?? null)]);
  }
  const array = npy?.get(name);
  if (array !== undefined) files.push([array, npyOf(value)]);
  for (const [path, bytes] of files) {
    const wrong = writeAtomic(path, bytes);
    if (wrong !== null) return wrong;
  }
  return files.map(([path]) => path);
}
