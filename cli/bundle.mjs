// Bundles the command line into dist/dlg.js with esbuild. What a command does not need stays in chunks of its own, so that
// `dlg check` starts without the ONNX encoder; onnxruntime-node and webgpu are native code and stay packages.
//
//     node cli/bundle.mjs [FOLDER]      the folder lies beside stdlib/, where the command looks for the library

import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundleRuntime } from './wgsl-runtime/bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const outdir = join(root, process.argv[2] ?? 'dist');

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: { dlg: join(root, 'cli', 'main.ts') },
  outdir,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  // All in one folder, so that ../stdlib is the library wherever code lands.
  chunkNames: '[name]-[hash]',
  external: ['onnxruntime-node', 'webgpu'],
  define: {
    'process.env.DLG_VERSION': JSON.stringify(version),
    'process.env.DLG_WGSL_RUNTIME': JSON.stringify(JSON.stringify(await bundleRuntime())),
  },
  // The CommonJS packages in the bundle call `require` for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as dlgRequire } from 'node:module';\nconst require = dlgRequire(import.meta.url);",
  },
  // A third of the text to compile at every start.
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
});
chmodSync(join(outdir, 'dlg.js'), 0o755);
