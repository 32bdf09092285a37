// Diagnostics as text for a terminal: the source lines that matter, in order, with carets under the exact spans. The only
// renderer; the language server and `--json` use the data.

import pc from 'picocolors';

import { lineText, positionOf, type Source, type Span } from '../../grammar/source.ts';
import type { Diagnostic } from './diagnostic.ts';
import { columnsOf, expanded, printable } from './text-width.ts';

export interface RenderOptions {
  readonly color: boolean;
}

type Colors = ReturnType<typeof pc.createColors>;

/** What is underlined in one source line: columns from 0, `to` exclusive; the label follows the underline. */
interface Mark {
  readonly line: number;
  readonly from: number;
  readonly to: number;
  readonly label: string;
  readonly primary: boolean;
}

/** A span of several lines is underlined where it begins and, with its label, where it ends. */
function marksOf(span: Span, label: string, primary: boolean): Mark[] {
  const { source, start } = span;
  const first = positionOf(source, start);
  const last = positionOf(source, Math.max(start, span.end - 1));
  const text = lineText(source, first.line);
  const from = columnsOf(text.slice(0, first.column - 1));
  if (last.line === first.line) {
    const to = columnsOf(text.slice(0, first.column - 1 + Math.max(1, span.end - start)));
    return [{ line: first.line, from, to: Math.max(to, from + 1), label, primary }];
  }
  const ending = lineText(source, last.line);
  const indent = columnsOf(ending.slice(0, ending.length - ending.trimStart().length));
  const to = Math.max(1, columnsOf(ending.slice(0, last.column)));
  return [
    { line: first.line, from, to: Math.max(columnsOf(text), from + 1), label: '', primary },
    { line: last.line, from: Math.min(indent, to - 1), to, label, primary },
  ];
}

/** The marked lines of one source, each once, with the underlines below it. */
function renderMarks(source: Source, marks: readonly Mark[], gutter: number, c: Colors): string[] {
  const lines = [...new Set(marks.map((m) => m.line))].sort((a, b) => a - b);
  const empty = c.blue(`${' '.repeat(gutter)} |`);
  return lines.flatMap((line) => {
    const text = expanded(lineText(source, line)).trimEnd();
    const own = marks.filter((m) => m.line === line).sort((a, b) => a.from - b.from || a.to - b.to);
    return [
      `${c.blue(`${String(line).padStart(gutter)} |`)} ${text}`.trimEnd(),
      ...own.map((m) => {
        const color = m.primary ? c.red : c.blue;
        const underline = (m.primary ? '^' : '-').repeat(m.to - m.from);
        const label = m.label === '' ? '' : ` ${printable(m.label)}`;
        return `${empty} ${' '.repeat(m.from)}${color(underline + label)}`;
      }),
    ];
  });
}

const place = (span: Span): string => {
  const { line, column } = positionOf(span.source, span.start);
  return `${printable(span.source.path)}:${line}:${column}`;
};

/** One diagnostic, without a line break at its end. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions): string {
  const c = pc.createColors(options.color);
  const { span, severity } = diagnostic;
  const color = severity === 'error' ? c.red : c.yellow;
  const head = c.bold(`${color(`${severity}[${diagnostic.code}]`)}: ${diagnostic.title}`);
  const spans = [
    ...(span === null ? [] : [{ span, reason: diagnostic.message, primary: true }]),
    ...diagnostic.related.map((r) => ({ ...r, primary: false })),
  ];
  const sources = new Map<Source, Mark[]>();
  for (const s of spans) {
    const marks = sources.get(s.span.source) ?? [];
    marks.push(...marksOf(s.span, s.reason, s.primary));
    sources.set(s.span.source, marks);
  }
  const lastLine = Math.max(0, ...[...sources.values()].flat().map((m) => m.line));
  const gutter = sources.size === 0 ? 1 : Math.max(2, String(lastLine).length);
  const blocks = [...sources].flatMap(([source, marks]) => {
    const first = spans.find((s) => s.span.source === source);
    const where = first === undefined ? [] : [c.dim(`  ${place(first.span)}`)];
    return [...where, ...renderMarks(source, marks, gutter, c)];
  });
  const remark = (kind: string, text: string): string => {
    const lead = `${' '.repeat(gutter)} = ${kind}: `;
    return printable(text)
      .split('\n')
      .join(`\n${' '.repeat(lead.length)}`)
      .replace(/^/, lead);
  };
  return [
    head,
    ...(span === null ? [`  ${printable(diagnostic.message)}`] : []),
    ...blocks,
    ...diagnostic.notes.map((note) => remark('note', note)),
    ...(diagnostic.help === null ? [] : [remark('help', diagnostic.help)]),
  ].join('\n');
}

/** By source as first met, then by place; what has no place comes first. One code at one span is said once. */
export function inReadingOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const sources: Source[] = [];
  for (const { span } of diagnostics)
    if (span !== null && !sources.includes(span.source)) sources.push(span.source);
  const rank = (d: Diagnostic): number => (d.span === null ? -1 : sources.indexOf(d.span.source));
  const seen = new Set<string>();
  return diagnostics
    .toSorted((a, b) => rank(a) - rank(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0))
    .filter((d) => {
      const key = `${d.code} ${rank(d)} ${d.span?.start} ${d.span?.end} ${d.message}`;
      return !seen.has(key) && seen.add(key);
    });
}

const count = (n: number, noun: string): string[] =>
  n === 0 ? [] : [`${n} ${noun}${n === 1 ? '' : 's'}`];

/** `2 errors, 1 warning`; empty for none. */
export function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((d) => d.severity === 'error').length;
  return [...count(errors, 'error'), ...count(diagnostics.length - errors, 'warning')].join(', ');
}

/** All of them in reading order, blank lines between, and the summary; empty for none. Ends with a line break. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: RenderOptions,
): string {
  const ordered = inReadingOrder(diagnostics);
  if (ordered.length === 0) return '';
  const texts = ordered.map((d) => renderDiagnostic(d, options));
  return `${[...texts, summary(ordered)].join('\n\n')}\n`;
}
