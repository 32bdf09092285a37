// The WGSL module of one kernel: what it computes in comments, its buffers, the helpers it calls, and its body.

import { lineText, positionOf } from '../../../grammar/source.ts';
import type { Atom, Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import type { Target } from './adapter.ts';
import { createElements } from './elements.ts';
import { storedTypes } from './expressions.ts';
import { helperText } from './helpers.ts';
import type { Kernel, KernelKind } from './kernel.ts';
import type { KernelContext, KernelFrame } from './kernel-context.ts';
import { readsOf } from './kernel-reads.ts';
import { writeMapKernel } from './map-kernel.ts';
import { identifier, uniqueNames } from './names.ts';
import { writeProductKernel } from './product-kernel.ts';
import { writeRowKernel } from './row-kernel.ts';
import type { Schedule } from './schedule.ts';
import { createWriter } from './writer.ts';

export interface EmittedKernel {
  readonly name: string;
  /** A WGSL module with the one entry point `name`. */
  readonly code: string;
  /** What is bound, in the order of the binding numbers; the sizes come after, where `readsSizes`. */
  readonly buffers: readonly { readonly value: Value; readonly access: 'read' | 'read_write' }[];
  readonly readsSizes: boolean;
  /** How many workgroups run; above 65,535 they are folded into rows of so many. */
  readonly groups: Dim;
  /** What is computed, for listings. */
  readonly nodes: readonly Node[];
}

const bodies: Readonly<
  Record<Exclude<KernelKind, 'loop'>, (context: KernelContext) => KernelFrame>
> = {
  map: writeMapKernel,
  rows: writeRowKernel,
  product: writeProductKernel,
};

export interface KernelNames {
  /** The name of a value, as its array is called. */
  readonly ofValue: (value: Value) => string;
  /** The member of `dims` that holds a size. */
  readonly ofSize: (size: Atom) => string;
  /** Every member of `dims`, in order. */
  readonly sizes: readonly string[];
}

export function emitKernel(
  { network, isStored, bufferOf: holderOf }: Schedule,
  kernel: Kernel,
  names: KernelNames,
  uniqueName: (hint: string) => string,
  target: Target,
): EmittedKernel {
  if (kernel.kind === 'loop') throw new Error('a loop is no kernel of its own');
  const own = new Set(kernel.values);
  const isLoaded = (value: Value): boolean =>
    network.isInput(value) || (isStored(value) && !own.has(value));
  const reads = readsOf(network, kernel, isLoaded);
  if (reads === null) throw new Error('the values of a kernel do not fit together');
  const outputs = kernel.values.filter(isStored);
  const unique = uniqueNames();
  const buffers = new Map<
    Value,
    { readonly name: string; readonly access: 'read' | 'read_write' }
  >();
  for (const value of reads.buffers)
    buffers.set(value, { name: unique(names.ofValue(value)), access: 'read' });
  for (const value of outputs.map(holderOf)) {
    const name = buffers.get(value)?.name ?? unique(names.ofValue(value));
    buffers.set(value, { name, access: 'read_write' });
  }
  const nodes = new Set(kernel.values.flatMap((value) => network.producerOf(value) ?? []));
  const writer = createWriter((size) => `dims.${names.ofSize(size)}`, unique);
  const used = new Set<Value>();
  const bufferOf = (value: Value): string => {
    const holder = own.has(value) ? holderOf(value) : value;
    const buffer = buffers.get(holder);
    if (buffer === undefined) throw new Error(`value ${value.id} is not bound`);
    used.add(holder);
    return buffer.name;
  };
  const onNode = (node: Node): void => void nodes.add(node);
  const read = createElements({ network, writer, isLoaded, bufferOf, onNode });
  const { stopped } = network.body;
  if (stopped !== null && buffers.get(stopped)?.access === 'read')
    writer.block(`if (${bufferOf(stopped)}[0] != 0u)`, () => writer.line('return;'));
  const frame = bodies[kernel.kind]({
    network,
    target,
    kernel,
    writer,
    read,
    isLoaded,
    outputs,
    bufferOf,
  });
  writer.text(frame.groups);
  const { lines, functions, helpers, sizes } = writer.finish();
  const ordered = network.graph.nodes.filter((node) => nodes.has(node));
  const name = unique(uniqueName(nameOfKernel(ordered)));
  // A branch that is never taken is not written, nor bound what it alone would read.
  const bound = [...buffers].filter(([value]) => used.has(value));
  const readsSizes = sizes.size > 0;
  const code = moduleText([
    comments(ordered),
    [
      ...(readsSizes
        ? [`struct Dims { ${names.sizes.map((size) => `${size}: u32`).join(', ')} }`]
        : []),
      ...bound.map(
        ([{ dtype }, { name: array, access }], i) =>
          `@group(0) @binding(${i}) var<storage, ${access}> ${array}: array<${storedTypes[dtype]}>;`,
      ),
      ...(readsSizes ? [`@group(0) @binding(${bound.length}) var<uniform> dims: Dims;`] : []),
      ...frame.shared,
    ].join('\n'),
    helperText(helpers),
    ...functions,
    entryPoint(name, frame.workgroupSize, lines),
  ]);
  return {
    name,
    code,
    buffers: bound.map(([value, { access }]) => ({ value, access })),
    readsSizes,
    groups: frame.groups,
    nodes: ordered,
  };
}

const moduleText = (parts: readonly string[]): string =>
  `${parts.filter((part) => part !== '').join('\n\n')}\n`;

const entryPoint = (name: string, workgroupSize: number, lines: readonly string[]): string =>
  [
    `@compute @workgroup_size(${workgroupSize})`,
    `fn ${name}(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {`,
    ...lines,
    '}',
  ].join('\n');

/** `net_l1_dot_general_select`: where it is from, what it starts with and what it ends with. */
function nameOfKernel(nodes: readonly Node[]): string {
  const telling = nodes.filter(({ op }) => !silent.has(op));
  const [first] = telling.length > 0 ? telling : nodes;
  const last = telling.at(-1) ?? first;
  const path = commonPath(nodes.map(({ origin }) => origin.path).filter((path) => path !== ''));
  const ops = first.op === last.op ? [first.op] : [first.op, last.op];
  return identifier([path, ...ops].filter((part) => part !== '').join('_'));
}

const silent = new Set([
  'constant',
  'broadcast_in_dim',
  'reshape',
  'transpose',
  'dim_value',
  'iota',
]);

/** The longest path that all lie in. */
function commonPath(paths: readonly string[]): string {
  const [first, ...rest] = paths.map((path) => path.split('.'));
  if (first === undefined) return '';
  const same = first.findIndex((part, i) => rest.some((other) => other[i] !== part));
  return (same < 0 ? first : first.slice(0, same)).join('.');
}

const mostLines = 8;

/** The source lines that the kernel computes, with the paths they are of. */
function comments(nodes: readonly Node[]): string {
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
