// What a page downloads to run a perceptron 784-256-10 on WebGPU, its weights apart: `npm run bench:size` (after `npm ci --prefix bench`).
// Each app of this folder is bundled and minified by esbuild and compressed by gzip; what it loads only for other backends is left out. Ours
// needs no bundler: the module counts as `dlg build` writes it, with its kernels to be read.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { host } from '../../cli/sources.ts';
import { bundleRuntime } from '../../cli/wgsl-runtime/bundle.mjs';
import { compile, exportWgsl } from '../../compiler/pipeline.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const ort = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));

const apps = [
  { name: 'jax-js', script: 'jax-js.mjs', more: [] },
  { name: 'TensorFlow.js, core and webgpu', script: 'tfjs.mjs', more: [] },
  {
    name: 'onnxruntime-web',
    script: 'ort-web.mjs',
    more: [join(ort, 'ort-wasm-simd-threaded.asyncify.wasm')],
  },
] as const;

const zipped = (data: Uint8Array): number => gzipSync(data, { level: 9 }).length;
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} KB`;

/** The files of our artifact, by name. */
async function artifact(): Promise<ReadonlyMap<string, string>> {
  const text = `import "std/nn"
layer net = MLP(784, 256, 10)
export fn classify(x: [B, 784]) -> y: [B, 10] = net(x)
`;
  const { program } = compile({ path: 'mlp.dlg', text }, host);
  if (program === null) throw new Error('the program does not compile');
  const runtime = await bundleRuntime();
  return exportWgsl(program, { target: { adapter: 'gpu' }, runtime, weights: null });
}

console.log('| app | JavaScript, gzip | and WebAssembly, gzip |');
console.log('| --- | --- | --- |');
const files = await artifact();
const ours = zipped(Buffer.from(files.get('mlp.js') ?? ''));
const whole = [...files.values()].reduce((sum, text) => sum + zipped(Buffer.from(text)), 0);
console.log(
  `| DLG (with the types and the kernels as text: ${kilobytes(whole)}) | ${kilobytes(ours)} | - |`,
);
for (const { name, script, more } of apps) {
  const { outputFiles } = await build({
    entryPoints: [join(here, script)],
    outdir: 'out',
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  });
  const loaded = outputFiles.filter(({ path }) => !basename(path).startsWith('webgl'));
  const bytes = loaded.reduce((sum, { contents }) => sum + zipped(contents), 0);
  const wasm = more.reduce((sum, file) => sum + zipped(readFileSync(file)), 0);
  console.log(`| ${name} | ${kilobytes(bytes)} | ${wasm === 0 ? '-' : kilobytes(wasm)} |`);
}
