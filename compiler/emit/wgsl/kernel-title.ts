// What a kernel is called, and the source lines that it says it computes.

import { lineText, positionOf } from '../../../grammar/source.ts';
import type { Node } from '../../ir/graph.ts';
import type { Kernel } from './kernel.ts';
import { identifier } from './names.ts';
import { isFolded, type Network } from './network.ts';

export interface KernelTitle {
  /** The module path, `net.l1`. */
  readonly path: string;
  /** What it folds, if anything, and what it ends with. */
  readonly ops: readonly string[];
  /** Where its main operation is written. */
  readonly line: SourceLine | null;
}

export interface SourceLine {
  readonly text: string;
  /** `std/nn.dlg:12`. */
  readonly place: string;
}

export function titleOf(network: Network, kernel: Kernel, nodes: readonly Node[]): KernelTitle {
  const telling = nodes.filter(({ op }) => !silent.has(op));
  const all = telling.length > 0 ? telling : nodes;
  const folds = kernel.values.filter((value) => isFolded(network, value));
  const makers = folds.flatMap((value) => network.producerOf(value) ?? []);
  const main = makers.find(({ op }) => op !== 'reduce') ?? makers[0] ?? all[0];
  const last = all.at(-1) ?? main;
  const ops = main.op === last.op ? [main.op] : [main.op, last.op];
  return {
    path: main.origin.path === '' ? commonPath(nodes) : main.origin.path,
    ops: kernel.stream === undefined ? ops : ['streamed', ...ops],
    line: lineOf(main),
  };
}

/** `net_l1_dot_general_select`. */
export const nameOfKernel = ({ path, ops }: KernelTitle): string =>
  identifier([path, ...ops].filter((part) => part !== '').join('_'));

function lineOf({ origin: { span } }: Node): SourceLine | null {
  if (span === null) return null;
  const { line } = positionOf(span.source, span.start);
  return { text: lineText(span.source, line).trim(), place: `${span.source.path}:${line}` };
}

/** The longest path that all nodes with a path lie in. */
function commonPath(nodes: readonly Node[]): string {
  const paths = nodes.map(({ origin }) => origin.path).filter((path) => path !== '');
  const [first, ...rest] = paths.map((path) => path.split('.'));
  if (first === undefined) return '';
  const same = first.findIndex((part, i) => rest.some((other) => other[i] !== part));
  return (same < 0 ? first : first.slice(0, same)).join('.');
}

const silent = new Set([
  'constant',
  'broadcast_in_dim',
  'reshape',
  'transpose',
  'dim_value',
  'iota',
]);

const mostLines = 8;

/** The source lines that the kernel computes, with the paths they are of. */
export function comments(nodes: readonly Node[]): string {
  const lines = new Map<string, string>();
  for (const node of nodes) {
    const line = silent.has(node.op) ? null : lineOf(node);
    if (line === null || lines.has(line.place)) continue;
    const path = node.origin.path === '' ? '' : `${node.origin.path}: `;
    lines.set(line.place, `// ${path}${line.text}   (${line.place})`);
  }
  const all = [...lines.values()];
  const shown = all.slice(0, mostLines);
  return [
    ...shown,
    ...(all.length > mostLines ? [`// and ${all.length - mostLines} lines more`] : []),
  ].join('\n');
}
