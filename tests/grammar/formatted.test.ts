// Every .dlg file of the project is as the formatter prints it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { parse } from '../../grammar/parse.ts';
import { print } from '../../grammar/print.ts';

const files = ['stdlib', 'examples', 'bench/train-step'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.dlg'))
    .map((name) => join(folder, name)),
);

test('there are files to look at', () => expect(files.length).toBeGreaterThan(10));

test.each(files)('%s is formatted', (path) => {
  const text = readFileSync(path, 'utf8');
  expect(print(parse({ path, text }).file)).toBe(text);
});
