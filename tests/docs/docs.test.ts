// The documents are true: their programs check, their links resolve, and the commands they show have the options they use.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { host } from '../../cli/sources.ts';
import { check } from '../../compiler/check/check.ts';
import { renderDiagnostics } from '../../compiler/diagnostics/render.ts';

const root = join(import.meta.dirname, '..', '..');

const documents: readonly { readonly path: string; readonly text: string }[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
]
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Every fenced block of the documents with this language, and where it begins. */
const blocks = (language: string): readonly { readonly place: string; readonly text: string }[] =>
  documents.flatMap(({ path, text }) =>
    [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map((match) => ({
      place: `${path}:${text.slice(0, match.index).split('\n').length}`,
      text: match[1],
    })),
  );

test.each(blocks('dlg'))('the program at $place checks', ({ place, text }) => {
  const { diagnostics } = check({ path: place, text }, host);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  expect(renderDiagnostics(errors, { color: false })).toBe('');
});

test('there are programs in the documents', () => {
  expect(blocks('dlg').length).toBeGreaterThan(3);
});

/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (path: string): ReadonlySet<string> =>
  new Set(
    [...readFileSync(join(root, path), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      anchorOf(heading),
    ),
  );

test('every internal link resolves', () => {
  const broken = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
      .filter(([, target, anchor]) => {
        const file = target === '' ? path : join(dirname(path), target);
        if (!existsSync(join(root, file))) return true;
        return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor);
      })
      .map(([link]) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

// ---- command lines ------------------------------------------------------------------------------------------------

interface CommandLine {
  readonly place: string;
  readonly command: string;
  readonly rest: string;
}

/** `dlg build FILE --out DIR` in backticks or indented, also as `node dist/dlg.js ...` and `npx tsx cli/main.ts ...`. */
const commandLines: readonly CommandLine[] = documents.flatMap(({ path, text }) =>
  [
    ...text.matchAll(
      /(?:(?<=`)dlg|^ {4}dlg|node dist\/dlg\.js|npx tsx cli\/main\.ts) ([a-z]+)\b([^`\n]*)/gm,
    ),
  ].map(([, command, rest]) => ({ place: path, command, rest })),
);

/** The options of each command, read from where they are declared. */
const options: ReadonlyMap<string, ReadonlySet<string>> = (() => {
  const source = readFileSync(join(root, 'cli', 'main.ts'), 'utf8');
  const shared: Readonly<Record<string, readonly string[]>> = {
    jsonOption: ['--json'],
    deviceOption: ['--device'],
    threadsOption: ['--threads'],
    mapOption: ['--map'],
    targetOption: ['--target'],
    adapterOption: ['--adapter'],
  };
  return new Map(
    source
      .split(/\bprogram\s*\.command\(|\n {2}\.command\(/)
      .slice(1)
      .map((part): [string, ReadonlySet<string>] => {
        const declared = [...part.matchAll(/'(--[a-z-]+)[^']*'/g)].map(([, option]) => option);
        const used = Object.entries(shared).flatMap(([name, of]) =>
          part.includes(`${name}()`) ? of : [],
        );
        return [/'(\w+)'/.exec(part)?.[1] ?? '', new Set([...declared, ...used, '--help'])];
      }),
  );
})();

test('the commands are known', () => {
  expect([...options.keys()].toSorted()).toEqual(
    ['build', 'check', 'explain', 'fmt', 'grad', 'run', 'train'].toSorted(),
  );
  expect(commandLines.length).toBeGreaterThan(10);
});

test('every command line names a command and options that exist', () => {
  const wrong = commandLines.flatMap(({ place, command, rest }) => {
    const known = options.get(command);
    if (known === undefined) return [`${place}: dlg ${command}`];
    return [...rest.matchAll(/(?<![\w-])--[a-z-]+/g)]
      .filter(([option]) => !known.has(option))
      .map(([option]) => `${place}: dlg ${command} ${option}`);
  });
  expect(wrong).toEqual([]);
});

test('every option of every command is described in docs/cli.md', () => {
  const page = documents.find(({ path }) => path === 'docs/cli.md')?.text ?? '';
  const silent = [...options].flatMap(([command, names]) =>
    [...names].filter((name) => !page.includes(name)).map((name) => `${command} ${name}`),
  );
  expect(silent).toEqual([]);
});

test('every file of the repository that a command line names exists', () => {
  const missing = commandLines.flatMap(({ place, rest }) =>
    [...rest.matchAll(/(?:^|[\s=])((?:examples|stdlib|tests|bench)\/[\w./-]+)/g)]
      .filter(([, path]) => !existsSync(join(root, path)))
      .map(([, path]) => `${place}: ${path}`),
  );
  expect(missing).toEqual([]);
});
