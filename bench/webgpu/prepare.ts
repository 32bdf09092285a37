// Writes what the race needs into one folder: a folder for each task, the contenders bundled, and race.mjs itself. Nothing else but
// Node and the package `webgpu` is needed there, so that it can be carried to a machine with a GPU.

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, type Plugin } from 'esbuild';

import { writeTask } from '../tasks.ts';
import { tasks } from './tasks.ts';
import { wgslOf } from './wgsl.ts';

const bench = fileURLToPath(new URL('..', import.meta.url));

export async function prepare(
  folder: string,
  { software, wanted }: { readonly software: boolean; readonly wanted: readonly string[] },
): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const chosen = tasks(software).filter(({ kind }) => wanted.length === 0 || wanted.includes(kind));
  for (const [i, task] of chosen.entries()) {
    const at = join(folder, 'tasks', `${i}`);
    await writeTask(task, at);
    writeFileSync(join(at, 'wgsl.json'), wgslOf(task, software ? 'software' : 'gpu'));
  }
  writeFileSync(join(folder, 'tasks.json'), JSON.stringify(chosen.map((_, i) => `tasks/${i}`)));
  await build({
    entryPoints: [
      ...['dawn', 'adapter', 'dlg', 'jax-js', 'tfjs', 'ort-web'].map((name) =>
        join(bench, 'peers', `${name}.mjs`),
      ),
      join(bench, 'webgpu', 'race.ts'),
    ],
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // TensorFlow.js's entry for Node lacks the WebGPU backend.
    mainFields: ['module', 'main'],
    external: ['webgpu', 'onnxruntime-node'],
    // The CommonJS packages in the bundles call `require` for Node's own modules.
    banner: {
      js: "import { createRequire as benchRequire } from 'node:module';\nconst require = benchRequire(import.meta.url);",
    },
    plugins: [asItIs('onnxruntime-web/webgpu', `./${ortFiles[0]}`)],
    logLevel: 'error',
  });
  const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  for (const file of ortFiles) copyFileSync(join(ort, file), join(folder, file));
}

const ortFiles = ['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'] as const;

/** Has a bundle import `file` where the source says `name`: onnxruntime-web is a bundle already, and breaks in another. */
const asItIs = (name: string, file: string): Plugin => ({
  name: 'as it is',
  setup(esbuild) {
    esbuild.onResolve({ filter: new RegExp(`^${name}$`) }, () => ({ path: file, external: true }));
  },
});
