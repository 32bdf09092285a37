// The repository's own programs, and what has to hold of the compiler's answer to any text whatever.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { toJson } from '../../compiler/diagnostics/json.ts';
import { renderDiagnostics } from '../../compiler/diagnostics/render.ts';
import { compile, type Host } from '../../compiler/pipeline.ts';
import type { Source, Span } from '../../grammar/source.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.dlg'))
    .map((path) => `${folder}/${path}`)
    .sort();

/** Texts by path: every example and every file of the library. */
export const programs: ReadonlyMap<string, string> = new Map(
  [...filesBelow('examples'), ...filesBelow('stdlib')].map((path) => [
    path,
    readFileSync(root + path, 'utf8'),
  ]),
);

export const host: Host = {
  read: (path) => programs.get(path.replace(/^std\//, 'stdlib/')) ?? null,
};

/** What must never be seen in a message: traces, and values that slipped through a template. */
const leaks = /\n\s+at .*[:(]\d+|\bnode_modules\b|\[object |\bundefined\b|\bNaN\b/;

function spanFailures(where: string, { source, start, end }: Span): string[] {
  const inside = 0 <= start && start <= end && end <= source.text.length;
  return inside ? [] : [`${where} ${start}..${end} outside ${source.path}`];
}

function failuresOf(diagnostic: Diagnostic): string[] {
  const { code, span, related, fix } = diagnostic;
  const spans: readonly [string, Span][] = [
    ...(span === null ? [] : [['the span', span] as [string, Span]]),
    ...related.map((r): [string, Span] => ['a related span', r.span]),
    ...fix.map((edit): [string, Span] => ['an edit', edit.span]),
  ];
  const rendered = renderDiagnostics([diagnostic], { color: false });
  const data = JSON.stringify(toJson(diagnostic));
  return [
    ...spans.flatMap(([where, s]) => spanFailures(where, s)),
    ...(leaks.test(rendered) ? [`leaks: ${rendered}`] : []),
    ...(data === undefined ? ['no data'] : []),
  ].map((failure) => `${code}: ${failure}`);
}

export interface Verdict {
  /** What is wrong with the compiler's answer; empty if nothing is. */
  readonly failures: readonly string[];
  readonly outcome: 'errors' | 'checked' | 'compiled';
  /** CPU time, so that other work on the machine does not count. */
  readonly milliseconds: number;
}

const cpuTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Checks a text, compiles it if it has no errors, and looks at every diagnostic. */
export function judge(source: Source): Verdict {
  const start = cpuTime();
  const spent = (): number => cpuTime() - start;
  try {
    const stages = new Set<string>();
    const { program, diagnostics } = compile(source, host, {
      onStage: (stage) => stages.add(stage),
    });
    const silent = program === null && !diagnostics.some((d) => d.severity === 'error');
    const outcome = stages.has('elaborate') ? 'checked' : 'errors';
    return {
      failures: [
        ...diagnostics.flatMap(failuresOf),
        ...(silent ? ['neither a program nor an error'] : []),
      ],
      outcome: program === null ? outcome : 'compiled',
      milliseconds: spent(),
    };
  } catch (error) {
    const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { failures: [`throws: ${told}`], outcome: 'errors', milliseconds: spent() };
  }
}
