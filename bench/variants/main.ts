// Which variant computes which product, measured: `npm run bench:variants` on a machine with a GPU writes compiler/emit/wgsl/product-table.ts.
//
//     npm run bench:variants -- --only-prepare       writes out/bench-variants, to be carried to a machine with a GPU
//     npm run bench:variants -- --software           on SwiftShader, small shapes, into out/bench-variants: to try the command

import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { swiftShader } from '../../tests/gpu/unpack.ts';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const [folder, committed] = [at('out/bench-variants'), at('compiler/emit/wgsl/product-table.ts')];
const options = process.argv.slice(2);

await build({
  entryPoints: [at('bench/variants/measure.ts')],
  outfile: `${folder}/measure.mjs`,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['webgpu'],
  logLevel: 'error',
});
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): void =>
  void execFileSync(process.execPath, [`${folder}/measure.mjs`, ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
if (options.includes('--software')) {
  const { icd, loader } = await swiftShader();
  const rest = options.filter((option) => option !== '--software');
  const small = rest.includes('--most') ? rest : [...rest, '--most', '100000'];
  run([`${folder}/product-table.ts`, '--software', ...small], {
    VK_ICD_FILENAMES: icd,
    LD_LIBRARY_PATH: dirname(loader),
  });
} else if (!options.includes('--only-prepare')) run([committed, ...options]);
