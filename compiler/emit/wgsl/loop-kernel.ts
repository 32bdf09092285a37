// A loop in one kernel: where the body is small, one workgroup runs all of its kernels over and over, with a barrier after each, and what the
// loop carries never leaves the GPU's cache. A dispatch a kernel and a step would cost more than what it computes. The kernels of the body
// stay as they are written: each becomes a function of a workgroup and a lane, called for every one that it would have had.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import type { Target } from './adapter.ts';
import {
  featuresOf,
  halvesAmong,
  moduleOf,
  nameOfModule,
  writeKernel,
  type Buffer,
  type EmittedKernel,
  type KernelNames,
  type KernelText,
  type Naming,
} from './emit-kernel.ts';
import type { Kernel } from './kernel.ts';
import { nameOfKernel } from './kernel-title.ts';
import { uniqueNames } from './names.ts';
import { mostBuffers } from './network.ts';
import type { Schedule } from './schedule.ts';
import { createWriter, type Writer } from './writer.ts';

/** How many invocations a kernel of the body may have: a few rounds of the workgroup. */
const mostInvocations = 1024;

/** On a software adapter as many as run in step, so that none waits at a barrier. */
const workgroupSizes = { gpu: 256, software: 4 } as const;

export interface LoopOfKernels {
  readonly kernel: Kernel;
  readonly node: Node;
  readonly count: Dim;
  readonly body: Schedule;
  /** The kernels of the body, each in a module of its own. */
  readonly apart: readonly EmittedKernel[];
  /** The value in whose buffer a value lies. */
  readonly holderOf: (value: Value) => Value;
}

/** The loop's kernel; null where the body is not small, or more than one workgroup or the bindings can do. */
export function emitLoopKernel(
  { kernel, node, count, body, apart, holderOf }: LoopOfKernels,
  names: KernelNames,
  uniqueName: (hint: string) => string,
  target: Target,
): EmittedKernel | null {
  if (body.kernels.some(({ kind }) => kind === 'loop')) return null;
  // Most large bodies show by the number of their workgroups alone: they are not written a second time.
  if (apart.some(({ groups }) => numberOf(groups) > mostInvocations)) return null;
  const naming = sharedNaming(names, holderOf);
  const texts: KernelText[] = [];
  for (const part of body.kernels) {
    const text = writeKernel(body, part, names, naming, target);
    if (!isSmall(text)) return null;
    texts.push(text);
  }
  const bound = boundTogether(texts, holderOf);
  if (bound.length > mostBuffers) return null;
  const writer = createWriter((size) => `dims.${names.ofSize(size)}`, naming.unique);
  const workgroupSize = workgroupSizes[target.adapter];
  const functions: string[] = [];
  const { stopped } = body.network.body;
  const isOver = stopped === null ? null : naming.unique('is_over');
  writer.steps('turn', { from: '0u', to: count, step: 1 }, () => {
    if (stopped !== null && isOver !== null) leaveWhen(writer, isOver, naming.ofBuffer(stopped));
    for (const text of texts) {
      const name = naming.unique(nameOfKernel(text.title));
      functions.push(...text.written.functions, functionText(name, text));
      callForAll(writer, name, text.frame, workgroupSize);
    }
  });
  const { lines, sizes } = writer.finish();
  const together = <T>(of: (text: KernelText) => Iterable<T>): Set<T> =>
    new Set(texts.flatMap((text) => [...of(text)]));
  const written = {
    lines,
    functions,
    helpers: together((text) => text.written.helpers),
    sizes: new Set([...sizes, ...together((text) => text.written.sizes)]),
  };
  const nodes = [...together((text) => text.nodes)];
  const line = texts.map(({ title }) => title.line).find((found) => found !== null) ?? null;
  const title = { path: node.origin.path, ops: ['loop'], line };
  const name = nameOfModule(nameOfKernel(title), naming.unique, uniqueName);
  const shared = isOver === null ? [] : [`var<workgroup> ${isOver}: u32;`];
  const frame = { workgroupSize, groups: dims.one, shared };
  const outputs = [...together((text) => text.outputs)];
  return {
    name,
    code: moduleOf(name, { frame, written, bound, nodes }, names),
    buffers: bound.map(([value, { access }]) => ({ value, access })),
    readsSizes: written.sizes.size > 0,
    groups: dims.one,
    title,
    kernel,
    variant: null,
    written: outputs,
    halves: halvesAmong([...bound.map(([value]) => value), ...outputs], names),
    features: featuresOf({ frame, bound }, names),
    nodes,
  };
}

/** Names for all kernels of the body: a buffer has one, whichever value of it is meant. */
function sharedNaming(names: KernelNames, holderOf: LoopOfKernels['holderOf']): Naming {
  const unique = uniqueNames();
  const buffers = new Map<Value, string>();
  return {
    unique,
    ofBuffer(value) {
      const holder = holderOf(value);
      const name = buffers.get(holder) ?? unique(names.ofValue(value));
      buffers.set(holder, name);
      return name;
    },
  };
}

/** Whether one workgroup does it in a few rounds, with no barriers of its own. */
const isSmall = ({ frame }: KernelText): boolean =>
  frame.shared.length === 0 &&
  (frame.features?.size ?? 0) === 0 &&
  invocationsOf(frame) <= mostInvocations;

const invocationsOf = ({ groups, workgroupSize }: KernelText['frame']): number =>
  numberOf(groups) * workgroupSize;

/** Infinity where it depends on a free size. */
const numberOf = (groups: Dim): number => dims.isConstant(groups) ?? Infinity;

function boundTogether(
  texts: readonly KernelText[],
  holderOf: LoopOfKernels['holderOf'],
): (readonly [Value, Buffer])[] {
  const bound = new Map<Value, readonly [Value, Buffer]>();
  for (const [value, buffer] of texts.flatMap((text) => text.bound)) {
    const known = bound.get(holderOf(value));
    if (known === undefined || buffer.access === 'read_write')
      bound.set(holderOf(value), [value, buffer]);
  }
  return [...bound.values()];
}

const functionText = (name: string, { written }: KernelText): string =>
  [`fn ${name}(group: vec3u, lane: u32) {`, ...written.lines, '}'].join('\n');

/** Calls a kernel's function for all of its invocations; after the barrier, what they have stored may be read. */
function callForAll(
  writer: Writer,
  name: string,
  frame: KernelText['frame'],
  workgroupSize: number,
): void {
  const all = dims.constant(invocationsOf(frame));
  writer.steps('at', { from: 'lane', to: all, step: workgroupSize }, (at) => {
    const [own, size] = [writer.text(at), `${frame.workgroupSize}u`];
    writer.line(`${name}(vec3u(${own} / ${size}, 0u, 0u), ${own} % ${size});`);
  });
  writer.line('storageBarrier();');
}

/** Ends the loop where its test has held. All lanes must see the same, which the barrier in `workgroupUniformLoad` sees to. */
function leaveWhen(writer: Writer, isOver: string, stopped: string): void {
  writer.block('if (lane == 0u)', () => writer.line(`${isOver} = ${stopped}[0];`));
  writer.block(`if (workgroupUniformLoad(&${isOver}) != 0u)`, () => writer.line('break;'));
}
