// What a kernel is called, and the source lines that it says it computes.

import { lineText, positionOf } from '../../../grammar/source.ts';
import type { Node } from '../../ir/graph.ts';
import type { Kernel } from './kernel.ts';
import { identifier } from './names.ts';
import { isFolded, type Network } from './network.ts';

/** `net_l1_dot_general_select`: where it is from, what it folds, if anything, and what it ends with. */
export function nameOfKernel(network: Network, kernel: Kernel, nodes: readonly Node[]): string {
  const telling = nodes.filter(({ op }) => !silent.has(op));
  const all = telling.length > 0 ? telling : nodes;
  const folded = kernel.values.find((value) => isFolded(network, value));
  const main = (folded && network.producerOf(folded)) ?? all[0];
  const last = all.at(-1) ?? main;
  const path = main.origin.path === '' ? commonPath(nodes) : main.origin.path;
  const ops = main.op === last.op ? [main.op] : [main.op, last.op];
  return identifier([path, ...ops].filter((part) => part !== '').join('_'));
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
  for (const { origin, op } of nodes) {
    if (origin.span === null || silent.has(op)) continue;
    const { source, start } = origin.span;
    const { line } = positionOf(source, start);
    const key = `${source.path}:${line}`;
    const path = origin.path === '' ? '' : `${origin.path}: `;
    if (!lines.has(key)) lines.set(key, `// ${path}${lineText(source, line).trim()}   (${key})`);
  }
  const all = [...lines.values()];
  const shown = all.slice(0, mostLines);
  return [
    ...shown,
    ...(all.length > mostLines ? [`// and ${all.length - mostLines} lines more`] : []),
  ].join('\n');
}
