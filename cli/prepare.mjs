// Runs before `npm test` and `npm run demo`, with nothing installed yet, so it imports only Node: installs the packages of
// package-lock.json if node_modules lacks any, and bundles the command line into dist/ if its sources are newer.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => join(root, ...parts);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`DLG needs Node 20.19 or later; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Whether node_modules holds the versions that the lock file names. Optional packages may be left out by npm. */
function isInstalled() {
  const installed = at('node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const found = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, devOptional, peer }]) =>
      path === '' ||
      found[path]?.version === version ||
      (!found[path] && (optional || devOptional || peer)),
  );
}

/** The newest change of any file below `folder`, in milliseconds. */
function newest(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (latest, { parentPath, name }) => Math.max(latest, statSync(join(parentPath, name)).mtimeMs),
      0,
    );
}

function isBuilt() {
  const bundle = at('dist', 'dlg.js');
  if (!existsSync(bundle)) return false;
  const sources = ['grammar', 'compiler', 'runtime', 'cli'].map((folder) => newest(at(folder)));
  return (
    statSync(bundle).mtimeMs >= Math.max(...sources, statSync(at('package-lock.json')).mtimeMs)
  );
}

function run(command, args) {
  console.log(`> ${[command, ...args].join(' ')}`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (error) console.error(`${command} could not be started: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

if (!isInstalled()) run('npm', ['ci', '--no-audit', '--no-fund']);
if (!isBuilt()) run(process.execPath, [at('cli', 'bundle.mjs')]);
