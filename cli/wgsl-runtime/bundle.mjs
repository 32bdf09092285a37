// The runtime that artifacts of `dlg build --target wgsl` carry, as minified text.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';
import { minify } from 'terser';

const folder = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  'runtime',
  'webgpu',
  'embedded',
);

async function bundle(name) {
  const { outputFiles } = await build({
    entryPoints: [join(folder, name)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  });
  const { code } = await minify(outputFiles[0].text, {
    module: true,
    ecma: 2020,
    compress: { passes: 3, unsafe_arrows: true },
  });
  return code;
}

export const bundleRuntime = async () => ({
  least: await bundle('load.ts'),
  all: await bundle('load-all.ts'),
});
