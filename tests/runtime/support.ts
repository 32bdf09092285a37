// What the tests of the runtime share: folders that vanish, declarations, results that must or must not be problems.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import type { DataPort } from '../../compiler/program.ts';
import { isProblem, type Problem } from '../../runtime/problem.ts';

/** A folder for one test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dlg-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file for one test. */
export function temporaryFile(name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}

/** The value of a result that must not be a problem. */
export function good<T>(value: T | Problem): T {
  if (isProblem(value)) throw new Error(`${value.code} ${value.file ?? ''} ${value.message}`);
  return value;
}

/** `E0503 FILE message / help` of a result that must be a problem; `folder` is cut from paths. */
export function bad(value: unknown): string {
  if (!isProblem(value)) throw new Error(`no problem: ${JSON.stringify(value)}`);
  const file = value.file === null ? '' : `${value.file.replace(/^.*\//, '')} `;
  const help = value.help === null ? '' : `\n${value.help}`;
  return `${value.code} ${file}${value.message.replaceAll(/\/[\w./-]*\//g, '')}${help}`;
}

/** Sizes by name, the same name the same size: `sizes('B', 784)`. */
export function declare(): (
  name: string,
  shape: readonly (number | string)[],
  base?: DataPort['base'],
  size?: number,
) => DataPort {
  const known = new Map<string, Dim>();
  const dim = (size: number | string): Dim => {
    if (typeof size === 'number') return constant(size);
    const found = known.get(size) ?? dimOf(variable(size));
    known.set(size, found);
    return found;
  };
  return (name, shape, base = 'real', size = undefined) => ({
    name,
    base,
    size: size === undefined ? null : constant(size),
    shape: shape.map(dim),
  });
}
