// What the three ways of running a kernel share while its text is written: reading and storing elements, axes, and the position of the
// workgroup. The number of workgroups a dimension is limited to 65,535, so more are folded into a second one.

import * as dims from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { Feature, Target } from './adapter.ts';
import type { ReadElement } from './elements.ts';
import { storedText } from './elements.ts';
import { isName, type Stored } from './expressions.ts';
import { flatten, sizeOf, unflatten, type Index } from './indices.ts';
import { indexIn, type Kernel } from './kernel.ts';
import { elementKey, type Network } from './network.ts';
import type { Writer } from './writer.ts';

export interface KernelContext {
  readonly network: Network;
  readonly target: Target;
  readonly kernel: Kernel;
  readonly writer: Writer;
  readonly read: ReadElement;
  /** Whether the kernel reads a value from a buffer. */
  readonly isLoaded: (value: Value) => boolean;
  /** The kernel's values that are stored. */
  readonly outputs: readonly Value[];
  readonly bufferOf: (value: Value) => string;
  readonly storedAs: (value: Value) => Stored;
}

/** What the body of a kernel leaves to be written around it. */
export interface KernelFrame {
  readonly workgroupSize: number;
  /** How many workgroups run. */
  readonly groups: Dim;
  /** Declarations in workgroup memory. */
  readonly shared: readonly string[];
  /** Features of WGSL that the kernel takes. */
  readonly features?: ReadonlySet<Feature>;
  /** Of a product: the name of the variant. */
  readonly variant?: string;
}

export const mostGroups = 65535;

/** The number of the invocation, over all workgroups. */
export const invocation = (workgroupSize: number): string =>
  `group.x * ${workgroupSize}u + group.y * ${mostGroups * workgroupSize}u + lane`;

/** The number of the workgroup. */
export const workgroup = `group.x + group.y * ${mostGroups}u`;

/**
 * Ends invocations whose position is beyond the last: workgroups are folded into a rectangle, which may be larger than their number. By the
 * number of the workgroup all of its invocations leave together, so that barriers may follow.
 */
export const leaveBeyond = (writer: Writer, position: string, total: Dim): void =>
  writer.block(`if (${position} >= ${writer.text(total)})`, () => writer.line('return;'));

export const ceilDivide = (a: Dim, b: number): Dim =>
  dims.floorDivide(dims.add(a, dims.constant(b - 1)), dims.constant(b));

/**
 * An index variable an axis, taken from a position in row-major order when something needs it. What is read at that very position is
 * read at `position` again.
 */
export function axesOf(
  writer: Writer,
  shape: readonly Dim[],
  position: Index,
  name: string,
): Index[] {
  const taken = unflatten(position, shape);
  const long = shape.filter((size) => !dims.equal(size, dims.one));
  if (long.length <= 1)
    return shape.map((size) => (dims.equal(size, dims.one) ? dims.zero : position));
  const axes = shape.map((size, axis) =>
    dims.equal(size, dims.one)
      ? dims.zero
      : dims.dimOf(writer.declare(axisName(size, axis), size, () => writer.text(taken[axis]))),
  );
  writer.abbreviate(flatten(axes, shape), name);
  return axes;
}

/** Runs `body` along an axis for `count` elements from `first` on, in a loop where they are not all; those left over one by one. */
export function inSteps(
  writer: Writer,
  hint: string,
  size: Dim,
  most: number,
  body: (first: Index, count: number) => void,
): void {
  const known = dims.isConstant(size);
  if (known !== null && known <= most) return body(dims.zero, known);
  const step = dims.constant(most);
  const whole = dims.multiply(dims.floorDivide(size, step), step);
  writer.steps(hint, { from: '0u', to: whole, step: most, together: most }, (first) =>
    body(first, most),
  );
  if (!dims.equal(whole, size))
    writer.steps(hint, { from: writer.text(whole), to: size, step: 1 }, (first) => body(first, 1));
}

const letters = ['i', 'j', 'k', 'l', 'm', 'n', 'o', 'p'];

/** `b` for an axis of size B, else a letter by position. */
function axisName(size: Dim, axis: number): string {
  const [term] = size.terms;
  const atom =
    size.terms.length === 1 && term.coefficient === 1 ? term.factors[0]?.atom : undefined;
  const isNamed = atom?.kind === 'variable' && /^[A-Za-z]\w*$/.test(atom.name);
  return isNamed ? atom.name.toLowerCase() : (letters[axis] ?? `i${axis}`);
}

/**
 * Stores the values' elements that belong to element `full` of the domain. All are computed before any is stored: a value may lie
 * in the buffer of one that others still read.
 */
export function storeAll(
  context: KernelContext,
  values: readonly Value[],
  full: readonly Index[],
): void {
  const { network, kernel, writer, read } = context;
  const elements = values.map((value) => {
    const index = indexIn(kernel, value, full);
    const expression = read(value, index);
    if (values.length === 1 || isName(expression)) return { value, index, text: expression };
    const text = writer.bind('result', expression);
    writer.remember(elementKey(value, index), text);
    return { value, index, text };
  });
  const { step, rows } = network.body;
  for (const { value, index, text } of elements) {
    const own = flatten(index, value.shape);
    const isRow = step !== null && rows.includes(value);
    const position = isRow
      ? writer.text(dims.add(rowStart(read, writer, step, value), own))
      : writer.position(own);
    store(context, value, position, text);
  }
}

/** Writes an element to its place in the buffer. */
export function store(
  { writer, bufferOf, storedAs }: KernelContext,
  value: Value,
  position: string,
  text: string,
): void {
  const stored = storedAs(value);
  // WGSL refuses the f16 of a literal that is beyond the largest; of a name it becomes infinity.
  const element = stored === 'f16' && /^-?\d/.test(text) ? writer.bind('x', text) : text;
  writer.line(`${bufferOf(value)}[${position}] = ${storedText(stored, element)};`);
}

/** Where row t begins of what a loop stacks. */
const rowStart = (read: ReadElement, writer: Writer, step: Value, row: Value): Index =>
  dims.multiply(
    writer.index('t', `u32(${read(step, [])})`, dims.constant(2 ** 31)),
    sizeOf(row.shape),
  );
