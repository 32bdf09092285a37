// What `dlg build --explain` prints: the kernels of a program as a table, or as data.

import { showDim } from '../compiler/dims/show.ts';
import type { Dim } from '../compiler/dims/dim.ts';
import type { Explanation, KernelCost } from '../compiler/emit/wgsl/explain.ts';
import { count, plural } from '../runtime/problem.ts';

/** The programs one after another, and what the numbers mean. */
export const kernelTables = (programs: readonly Explanation[]): string =>
  [...programs.map(tableOf), legend].join('\n\n');

const legend = `Operations: on reals; a term of a product is two. Reads: every element that a kernel needs, once; what its workgroups read
again is not counted. Least: every contraction reads its operands once and writes its result once, every other input is
read once, every other output written once, and whatever lies between is computed on the way. Where a
stream computes several contractions at once, as of attention, or a pool takes what a convolution gives before it is stored, less
is moved than that.`;

interface Column {
  readonly head: string;
  readonly cell: (cost: KernelCost, number: number) => string;
  readonly isNumber?: boolean;
}

const columns: readonly Column[] = [
  { head: '', cell: (_, number) => String(number), isNumber: true },
  { head: 'kernel', cell: titleText },
  { head: 'kind', cell: ({ kind, variant }) => variant ?? kind },
  { head: 'runs over', cell: domainText },
  { head: 'operations', cell: ({ operations }) => amount(operations), isNumber: true },
  { head: 'reads', cell: ({ read }) => bytes(read), isNumber: true },
  { head: 'writes', cell: ({ written }) => bytes(written), isNumber: true },
  { head: 'line', cell: ({ title: { line } }) => line?.place ?? '' },
  { head: '', cell: ({ title: { line } }) => clipped(line?.text ?? '') },
];

function tableOf(program: Explanation): string {
  const { name, kernels, total, least, ratio } = program;
  const rows = [
    columns.map(({ head }) => head),
    ...kernels.map((cost, i) => columns.map(({ cell }) => cell(cost, i + 1))),
  ];
  const widths = columns.map((_, c) => Math.max(...rows.map((row) => [...row[c]].length)));
  const lines = rows.map((row) =>
    row
      .map((text, c) =>
        columns[c].isNumber === true ? text.padStart(widths[c]) : text.padEnd(widths[c]),
      )
      .join('  ')
      .trimEnd(),
  );
  const often = total.runs === kernels.length ? '' : `, dispatched ${count(total.runs)} times`;
  return [
    `${name}${sizesText(program)}: ${plural(kernels.length, 'kernel')}${often}`,
    '',
    ...lines,
    '',
    `${amount(total.operations)} operations; ${bytes(total.read + total.written)} moved, ` +
      `${ratio.toFixed(2)} times the least, ${bytes(least)}`,
  ].join('\n');
}

const sizesText = ({ sizes }: Explanation): string => {
  const known = Object.entries(sizes).map(([size, value]) => `${size} = ${value}`);
  return known.length === 0 ? '' : ` with ${known.join(', ')}`;
};

function titleText({ title: { path, ops }, runs, isInside }: KernelCost): string {
  const text = [path, ops.join(' .. ')].filter((part) => part !== '').join('  ');
  return runs > 1 ? `${text}  (${count(runs)} times${isInside ? ' inside one' : ''})` : text;
}

/** `[B, 64] of 128` for rows that are reduced, else the shape. */
function domainText({ kind, domain, axes }: KernelCost): string {
  const shape = (of: readonly number[]): string => shapeText(of.map((axis) => domain[axis]));
  const all = domain.map((_, axis) => axis);
  if (kind !== 'rows') return shape(all);
  return `${shape(all.filter((axis) => !axes.includes(axis)))} of ${shape(axes)}`;
}

const shapeText = (shape: readonly Dim[]): string => `[${shape.map(showDim).join(', ')}]`;

const longest = 60;

const clipped = (text: string): string =>
  text.length > longest ? `${text.slice(0, longest - 1)}…` : text;

const scales: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** `1.33 G`. */
export function amount(n: number): string {
  const [scale, letter] = scales.find(([size]) => n >= size) ?? [1, ''];
  return scale === 1 ? String(n) : `${(n / scale).toPrecision(3)} ${letter}`;
}

const bytes = (n: number): string => `${amount(n)}${n >= 1000 ? '' : ' '}B`;

/** The same as data. */
export const kernelData = ({ name, sizes, kernels, total, least, ratio }: Explanation) => ({
  name,
  sizes,
  kernels: kernels.map((cost) => ({
    name: cost.name,
    path: cost.title.path,
    line: cost.title.line,
    kind: cost.kind,
    variant: cost.variant,
    domain: cost.domain.map(showDim),
    reduced: cost.axes,
    runs: cost.runs,
    operations: cost.operations,
    read: cost.read,
    written: cost.written,
  })),
  total,
  least,
  ratio,
});
