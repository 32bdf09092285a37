// Where a read of index notation goes: which places of its target it meets, and by which indices. Undone, the read becomes the
// left side `x[.., (i, u), ..] = ...` with the same indices.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import {
  add,
  equal,
  isConstant,
  multiply,
  negate,
  one,
  subtract,
  zero,
} from '../../dims/arithmetic.ts';
import { proveEqual } from '../../dims/prove.ts';
import type { Dim } from '../../dims/dim.ts';
import { isIndex, linearOf } from '../bounds.ts';
import { newIndex } from '../trials.ts';
import type { Index, Local, ReadSlot, TypedExpression } from '../typed.ts';
import { sizeOf, indexOf, apply, type Frame, type Writer } from './construct.ts';
import type { Course } from './course.ts';
import { movedBatch } from './terms.ts';

export type ReadExpression = Extract<TypedExpression, { kind: 'read' }>;

/** The places `from..from+extent-1` of one axis, met once each by a group of indices. */
interface AxisPlaces {
  readonly group: readonly Index[];
  readonly from: Dim;
  readonly extent: Dim;
  /** The index that runs from the end, to be replaced by `by`. */
  readonly backwards: { readonly index: Index; readonly by: (w: Writer) => TypedExpression } | null;
}

export interface Places {
  readonly target: Local;
  readonly axes: Frame;
  /** The axis that is met in part. */
  readonly cut: { readonly axis: number; readonly from: Dim; readonly to: Dim } | null;
  readonly backwards: readonly NonNullable<AxisPlaces['backwards']>[];
}

export const isDiagnostic = (value: object): value is Diagnostic => 'code' in value;

const same = (course: Course, a: Dim, b: Dim): boolean =>
  proveEqual(a, b, course.context.assumptions).kind === 'proved';

const unknownPlaces = (at: TypedExpression): Diagnostic =>
  report(bijectors.E0480, { span: at.span, data: { at: textOf(at.span) } });

/** One number of the axis: `x[b, 0]`. */
const single = (from: Dim): AxisPlaces => ({
  group: [newIndex('one', one)],
  from,
  extent: one,
  backwards: null,
});

/** `i * p + u + k`, with u < p: the indices in order, the slowest first; null for other sums. */
function mixedRadix(
  course: Course,
  terms: readonly (readonly [Index, Dim])[],
): { readonly group: readonly Index[]; readonly extent: Dim } | null {
  const group: Index[] = [];
  let extent: Dim = one;
  const left = [...terms];
  while (left.length > 0) {
    const at = left.findIndex(([, coefficient]) => same(course, coefficient, extent));
    if (at < 0) return null;
    const [[index]] = left.splice(at, 1);
    group.unshift(index);
    extent = multiply(extent, index.range);
  }
  return { group, extent };
}

function placesAt(course: Course, at: TypedExpression): AxisPlaces | Diagnostic {
  const { constant, terms } = linearOf(at);
  const entries = [...terms].flatMap(([atom, coefficient]): [Index, Dim][] =>
    isIndex(atom) ? [[atom, coefficient]] : [],
  );
  if (entries.length < terms.size) return unknownPlaces(at);
  if (entries.length === 0) return single(constant);
  const [[index, coefficient]] = entries;
  if (entries.length === 1 && equal(coefficient, negate(one))) {
    const mirror = newIndex(index.name, index.range);
    const by = (w: Writer): TypedExpression =>
      apply(w, 'subtract', sizeOf(w, subtract(index.range, one)), indexOf(w, mirror));
    const from = add(subtract(constant, index.range), one);
    return { group: [mirror], from, extent: index.range, backwards: { index, by } };
  }
  const radix = mixedRadix(course, entries);
  return radix === null ? unknownPlaces(at) : { ...radix, from: constant, backwards: null };
}

function placesOfSlot(course: Course, slot: ReadSlot): AxisPlaces | Diagnostic | null {
  if (slot.kind === 'at') return placesAt(course, slot.at);
  if (slot.kind === 'pack')
    return { group: [slot.index], from: zero, extent: slot.index.range, backwards: null };
  if (slot.kind !== 'group') return null;
  const group: Index[] = [];
  for (const { at } of slot.items) {
    if (at.kind !== 'index') return unknownPlaces(at);
    group.push(at.index);
  }
  const extent = group.map((index) => index.range).reduce(multiply, one);
  return { group, from: zero, extent, backwards: null };
}

/** Every index of the left side reads once, or the target is repeated or met on a diagonal. */
function misused(
  course: Course,
  is: ReadExpression,
  frame: Frame,
  axes: readonly AxisPlaces[],
): Diagnostic | null {
  const name = textOf(is.target.span);
  const used = axes.map(({ group, backwards }) => (backwards === null ? group : [backwards.index]));
  for (const index of frame.flat()) {
    const times = used.flat().filter((other) => other === index).length;
    if (times > 1)
      return report(bijectors.E0475, {
        span: is.span,
        data: { what: `all but the diagonal of \`${name}\` along \`${index.name}\`` },
      });
    if (times === 0 && isConstant(index.range) !== 1)
      return report(bijectors.E0476, {
        span: is.span,
        data: { what: `\`${name}\`, which is repeated along \`${index.name}\`,` },
      });
  }
  const moved = course.batch.some((_, i) => {
    const [read, left] = [used[i] ?? [], frame[i]];
    return read.length !== 1 || left.length !== 1 || read[0] !== left[0];
  });
  return moved ? movedBatch(course, is) : null;
}

/** The places that `is` meets, for the indices of `frame`; a refusal where they are not known or not each met once. */
export function placesOf(course: Course, is: ReadExpression, frame: Frame): Places | Diagnostic {
  const { target } = is;
  if (target.kind !== 'local' || target.type.kind !== 'tensor')
    return report(bijectors.E0474, {
      span: target.span,
      data: { what: textOf(target.span), why: 'it is computed anew for every index' },
      help: 'compute it on a line of its own, and read that',
    });
  const axes: AxisPlaces[] = [];
  for (const slot of is.slots) {
    const places = placesOfSlot(course, slot);
    if (places === null) return unknownPlaces(is);
    if (isDiagnostic(places)) return places;
    axes.push(places);
  }
  const wrong = misused(course, is, frame, axes);
  if (wrong !== null) return wrong;
  const { shape } = target.type;
  const partial = axes.flatMap(({ from, extent }, axis) => {
    const along = shape[axis];
    if (along.kind === 'pack' || same(course, along.size, extent)) return [];
    return [{ axis, from, to: add(from, extent) }];
  });
  if (partial.length > 1)
    return report(bijectors.E0474, {
      span: is.span,
      data: { what: textOf(is.span), why: 'it reads a part of two axes at once' },
      help: 'cut one axis, name the parts, and cut those',
    });
  return {
    target: target.local,
    axes: axes.map(({ group }) => group),
    cut: partial[0] ?? null,
    backwards: axes.flatMap(({ backwards }) => backwards ?? []),
  };
}
