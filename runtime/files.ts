// Reading and writing files. A reader never sees half a file: writing goes to a temporary name in the same folder, is forced to
// the disk, and takes its final name in one step.

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { problem, type Problem } from './problem.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'a file of that name is in the way',
};

/** Why the file system refused, in words. Rethrows what the file system did not throw. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  return reasons[String(error.code)] ?? error.message;
}

/** The file's bytes. */
export function readBytes(path: string): Uint8Array | Problem {
  try {
    return readFileSync(path);
  } catch (error) {
    return problem('E0501', path, `cannot be read: ${reasonOf(error)}`);
  }
}

const temporary = /^\.(.+)\.(\d+)\.partial$/;

/** Writes `content` so that the path holds either all of it or what it held before. Makes missing folders. */
export function writeAtomic(path: string, content: Uint8Array | string): Problem | null {
  const folder = dirname(path);
  const partial = join(folder, `.${basename(path)}.${process.pid}.partial`);
  try {
    mkdirSync(folder, { recursive: true });
    const file = openSync(partial, 'w');
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
    syncFolder(folder);
    return null;
  } catch (error) {
    removeQuietly(partial);
    return problem('E0514', path, `cannot be written: ${reasonOf(error)}`);
  }
}

/** After a failure, which is the one to tell of. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    reasonOf(error);
  }
}

/** Makes a new name in the folder survive a power cut; some systems (Windows) cannot open folders, and need no more. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    reasonOf(error);
  }
}

/** Removes what processes that were killed left half-written in `folder`. */
export function removeLeftovers(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    reasonOf(error);
    return;
  }
  for (const name of names) {
    const writer = temporary.exec(name)?.[2];
    if (writer !== undefined && !isRunning(Number(writer)))
      rmSync(join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
