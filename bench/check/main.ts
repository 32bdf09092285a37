// How long `dlg check` takes on a file of 1,000 lines beyond what Node takes to start, and `dlg build` for a layer of deep
// networks. Run with `npm run bench:check`, which bundles first.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { deep, library } from './generate.ts';

const dlg = join(import.meta.dirname, '..', '..', 'dist', 'dlg.js');
const folder = mkdtempSync(join(tmpdir(), 'dlg-bench-'));

/** The least of some runs, in milliseconds: what else the machine does only adds. */
function best(runs: number, args: readonly string[]): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return performance.now() - start;
  });
  return Math.min(...times);
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const text = library(1000);
const start = best(10, ['-e', '0']);
const check = best(10, [dlg, 'check', file('library.dlg', text)]);
console.log(`node -e 0: ${start.toFixed(0)} ms`);
console.log(
  `dlg check, ${text.split('\n').length} lines: ${(check - start).toFixed(0)} ms more (aim: 200)`,
);

for (const depth of [125, 250, 500]) {
  const path = file(`deep${depth}.dlg`, deep(depth));
  const build = best(2, [dlg, 'build', path, '--out', folder]);
  console.log(
    `dlg build, ${depth} blocks: ${build.toFixed(0)} ms, ${((build - start) / depth).toFixed(2)} ms a block`,
  );
}
