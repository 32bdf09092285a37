// Which results `dlg run --png` draws, and the refusals of what holds no pictures.

import type { Tensor } from '../compiler/ir/tensor.ts';
import type { CompiledFunction } from '../compiler/program.ts';
import { writeAtomic } from '../runtime/files.ts';
import { problem, type Problem } from '../runtime/problem.ts';
import { picturesIn, pngOf } from './pictures.ts';

export interface DrawingOptions {
  /** Results to draw, by name, and the files for them. */
  readonly png?: ReadonlyMap<string, string>;
  /** Pictures in a row of the grid. */
  readonly columns?: number;
}

/** What is to be drawn has to be a result with axes for it. */
export function checkPictures(
  { results }: CompiledFunction,
  { png = new Map() }: DrawingOptions,
): Problem | null {
  for (const name of png.keys()) {
    const port = results.find((result) => result.name === name);
    const known = results.map((result) => result.name).join(', ');
    if (port === undefined)
      return problem('E0517', null, `there is no result ${name}`, `the results are ${known}`);
    if (port.shape.length < 2 || port.shape.length > 4) return notPictures(name);
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

/** Writes a picture; a problem where there is none in the tensor, or the file cannot be written. */
export function draw(
  name: string,
  value: Tensor,
  path: string,
  { columns }: DrawingOptions,
): Problem | null {
  const pictures = picturesIn(value.shape);
  if (pictures === null) return notPictures(name);
  return writeAtomic(path, pngOf(value, pictures, columns ?? null));
}
