// The WGSL module of one kernel: what it computes in comments, its buffers, the helpers it calls, and its body.

import type { Atom, Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { wgslNames, type Feature, type Target } from './adapter.ts';
import { createElements } from './elements.ts';
import { storedTypes, type Stored } from './expressions.ts';
import { helperText } from './helpers.ts';
import type { Kernel, KernelKind } from './kernel.ts';
import type { KernelContext, KernelFrame } from './kernel-context.ts';
import { readsOf } from './kernel-reads.ts';
import { comments, nameOfKernel, titleOf, type KernelTitle } from './kernel-title.ts';
import { writeMapKernel } from './map-kernel.ts';
import { uniqueNames } from './names.ts';
import { writeProductKernel } from './product-kernel.ts';
import { writeRowKernel } from './row-kernel.ts';
import type { Schedule } from './schedule.ts';
import { writeStreamKernel } from './stream-kernel.ts';
import { createWriter, type WrittenCode } from './writer.ts';

export interface EmittedKernel {
  readonly name: string;
  /** A WGSL module with the one entry point `name`. */
  readonly code: string;
  /** What is bound, in the order of the binding numbers; the sizes come after, where `readsSizes`. */
  readonly buffers: readonly { readonly value: Value; readonly access: 'read' | 'read_write' }[];
  readonly readsSizes: boolean;
  /** How many workgroups run; above 65,535 they are folded into rows of so many. */
  readonly groups: Dim;
  readonly title: KernelTitle;
  readonly kernel: Kernel;
  /** What it takes beyond plain WebGPU. */
  readonly features: readonly Feature[];
  /** Of a product: how it is computed. */
  readonly variant: string | null;
  /** The values that are stored. */
  readonly written: readonly Value[];
  /** Those of the values in buffers that lie there in half precision. */
  readonly halves: ReadonlySet<Value>;
  /** What is computed, for listings: in topological order. */
  readonly nodes: readonly Node[];
  /** Of a loop in one kernel: what it runs, and how often. */
  readonly turns?: { readonly count: Dim; readonly kernels: readonly EmittedKernel[] };
}

const bodies: Readonly<
  Record<Exclude<KernelKind, 'loop'>, (context: KernelContext) => KernelFrame>
> = {
  map: writeMapKernel,
  rows: writeRowKernel,
  product: writeProductKernel,
  stream: writeStreamKernel,
};

export interface KernelNames {
  /** The name of a value, as its array is called. */
  readonly ofValue: (value: Value) => string;
  /** What its elements are there. */
  readonly storedAs: (value: Value) => Stored;
  /** The member of `dims` that holds a size. */
  readonly ofSize: (size: Atom) => string;
  /** Every member of `dims`, in order. */
  readonly sizes: readonly string[];
}

/** The names that a kernel's text uses. */
export interface Naming {
  /** A name not used yet. */
  readonly unique: (hint: string) => string;
  readonly ofBuffer: (value: Value) => string;
}

export interface Buffer {
  readonly name: string;
  readonly access: 'read' | 'read_write';
}

/** What a kernel computes, before it is a module. */
export interface KernelText {
  readonly title: KernelTitle;
  readonly frame: KernelFrame;
  readonly written: WrittenCode;
  /** What is bound. */
  readonly bound: readonly (readonly [Value, Buffer])[];
  /** The values that are stored. */
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
}

export function emitKernel(
  schedule: Schedule,
  kernel: Kernel,
  names: KernelNames,
  uniqueName: (hint: string) => string,
  target: Target,
): EmittedKernel {
  const unique = uniqueNames();
  const ofBuffer = (value: Value): string => unique(names.ofValue(value));
  const text = writeKernel(schedule, kernel, names, { unique, ofBuffer }, target);
  const { title, frame, written, bound, outputs, nodes } = text;
  const name = nameOfModule(nameOfKernel(title), unique, uniqueName);
  return {
    name,
    code: moduleOf(name, text, names),
    buffers: bound.map(([value, { access }]) => ({ value, access })),
    readsSizes: written.sizes.size > 0,
    groups: frame.groups,
    title,
    kernel,
    variant: frame.variant ?? null,
    written: outputs,
    halves: halvesAmong([...bound.map(([value]) => value), ...outputs], names),
    features: featuresOf(text, names),
    nodes,
  };
}

export const halvesAmong = (
  values: readonly Value[],
  { storedAs }: KernelNames,
): ReadonlySet<Value> => new Set(values.filter((value) => storedAs(value) === 'f16'));

export function featuresOf(
  { frame, bound }: Pick<KernelText, 'frame' | 'bound'>,
  { storedAs }: KernelNames,
): readonly Feature[] {
  const hasHalves = bound.some(([value]) => storedAs(value) === 'f16');
  return [...(frame.features ?? []), ...(hasHalves ? (['shader-f16'] as const) : [])];
}

/** A name that no other kernel has, and no array in this one. */
export function nameOfModule(
  hint: string,
  unique: Naming['unique'],
  uniqueName: (hint: string) => string,
): string {
  let name = uniqueName(hint);
  while (unique(name) !== name) name = uniqueName(hint);
  return name;
}

export function writeKernel(
  { network, isStored, bufferOf: holderOf }: Schedule,
  kernel: Kernel,
  names: KernelNames,
  { unique, ofBuffer }: Naming,
  target: Target,
): KernelText {
  if (kernel.kind === 'loop') throw new Error('a loop is no kernel of its own');
  const own = new Set(kernel.values);
  const isLoaded = (value: Value): boolean =>
    network.isInput(value) || (isStored(value) && !own.has(value));
  const reads = readsOf(network, kernel, isLoaded);
  if (reads === null) throw new Error('the values of a kernel do not fit together');
  const outputs = kernel.values.filter(isStored);
  const buffers = nameBuffers([...reads.buffers], outputs.map(holderOf), ofBuffer);
  const nodes = new Set(kernel.values.flatMap((value) => network.producerOf(value) ?? []));
  kernel.stream?.products.forEach(({ node }) => nodes.add(node));
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
  const { storedAs } = names;
  const read = createElements({ network, writer, isLoaded, bufferOf, storedAs, onNode });
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
    storedAs,
  });
  writer.text(frame.groups);
  const ordered = network.graph.nodes.filter((node) => nodes.has(node));
  return {
    title: titleOf(network, kernel, ordered),
    frame,
    written: writer.finish(),
    // A branch that is never taken is not written, nor bound what it alone would read.
    bound: [...buffers].filter(([value]) => used.has(value)),
    outputs,
    nodes: ordered,
  };
}

/** The module of a kernel: what it computes, its bindings, and its entry point `name`. */
export function moduleOf(
  name: string,
  { frame, written, bound, nodes }: Omit<KernelText, 'title' | 'outputs'>,
  names: KernelNames,
): string {
  const { lines, functions, helpers, sizes } = written;
  const enabled = featuresOf({ frame, bound }, names);
  return moduleText([
    comments(nodes),
    enabled.map((feature) => `enable ${wgslNames[feature]};`).join('\n'),
    [...declarations(bound, names, sizes.size > 0), ...frame.shared].join('\n'),
    helperText(helpers),
    ...functions,
    entryPoint(name, frame, lines),
  ]);
}

/** What is read and what is written; a buffer that is both is bound once. */
function nameBuffers(
  reads: readonly Value[],
  writes: readonly Value[],
  nameOf: (value: Value) => string,
): ReadonlyMap<Value, Buffer> {
  const buffers = new Map<Value, Buffer>();
  for (const value of reads) buffers.set(value, { name: nameOf(value), access: 'read' });
  for (const value of writes) {
    const name = buffers.get(value)?.name ?? nameOf(value);
    buffers.set(value, { name, access: 'read_write' });
  }
  return buffers;
}

/** The bindings in their order, and last the free sizes where they are read. */
function declarations(
  bound: readonly (readonly [Value, Buffer])[],
  { storedAs, sizes }: KernelNames,
  readsSizes: boolean,
): string[] {
  const arrays = bound.map(
    ([value, { name, access }], i) =>
      `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${storedTypes[storedAs(value)]}>;`,
  );
  if (!readsSizes) return arrays;
  const members = sizes.map((size) => `${size}: u32`).join(', ');
  return [
    `struct Dims { ${members} }`,
    ...arrays,
    `@group(0) @binding(${bound.length}) var<uniform> dims: Dims;`,
  ];
}

const moduleText = (parts: readonly string[]): string =>
  `${parts.filter((part) => part !== '').join('\n\n')}\n`;

/** What a kernel is told about itself. */
const told = ['@builtin(workgroup_id) group: vec3u', '@builtin(local_invocation_index) lane: u32'];
const toldOf: Readonly<Record<Feature, readonly string[]>> = {
  subgroups: [
    '@builtin(subgroup_size) subgroup_lanes: u32',
    '@builtin(subgroup_invocation_id) subgroup_lane: u32',
  ],
  'shader-f16': [],
};

const entryPoint = (
  name: string,
  { workgroupSize, features = new Set() }: KernelFrame,
  lines: readonly string[],
): string =>
  [
    `@compute @workgroup_size(${workgroupSize})`,
    `fn ${name}(${[...told, ...[...features].flatMap((of) => toldOf[of])].join(', ')}) {`,
    ...lines,
    '}',
  ].join('\n');
