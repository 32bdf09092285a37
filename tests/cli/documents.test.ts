// What the documents show is true: README's program compiles, and the commands they name exist.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { host } from '../../cli/sources.ts';
import { files } from '../../compiler/diagnostics/data.ts';
import { compile } from '../../compiler/pipeline.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the program in README compiles without a warning', () => {
  const text = /```dlg\n([^]*?)```/.exec(read('README.md'))?.[1] ?? '';
  const { program, diagnostics } = compile({ path: 'digits.dlg', text }, host);
  expect(diagnostics).toEqual([]);
  expect(program?.functions.map(({ name }) => name)).toEqual(['classify']);
  expect(program?.trains.map(({ name }) => name)).toEqual(['digits']);
});

test('every npm script that the documents name is there', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs')).map((f) => `docs/${f}`),
  ];
  const named = documents.flatMap((path) =>
    [...read(path).matchAll(/npm (?:run )?([a-z][a-z:]*)/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(5);
  const own = new Set([...Object.keys(scripts), 'ci', 'install', 'package', 'packages']);
  expect(named.filter((name) => !own.has(name))).toEqual([]);
});

test('every dependency has its line in docs/dependencies.md, and no other has', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
  const listed = [...read('docs/dependencies.md').matchAll(/^\| ([^|]+) \|/gm)]
    .flatMap(([, names]) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => !/^(at run time|for development|-+)$/.test(name));
  expect(listed.toSorted()).toEqual(
    Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).toSorted(),
  );
});

test('every diagnostic of files and runs is reported somewhere', () => {
  const texts = ['runtime', 'cli'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(join(folder, name))),
  );
  const silent = Object.keys(files).filter((code) => !texts.some((t) => t.includes(`'${code}'`)));
  expect(silent).toEqual([]);
});
