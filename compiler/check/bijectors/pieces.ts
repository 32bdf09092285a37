// Values put together again from what equations say of them: as a whole, field by field, or piece by piece along one axis.

import { bijectors } from '../../diagnostics/bijectors.ts';
import { report } from '../../diagnostics/diagnostic.ts';
import { subtract, zero } from '../../dims/arithmetic.ts';
import { proveEqual } from '../../dims/prove.ts';
import type { Dim } from '../../dims/dim.ts';
import { showDim } from '../../dims/show.ts';
import type { Span } from '../../../grammar/source.ts';
import type { Local, TypedExpression } from '../typed.ts';
import {
  apply,
  comprehension,
  indicesOf,
  localOf,
  readAt,
  tupleOf,
  type Writer,
} from './construct.ts';
import { undoLoop } from './loops.ts';
import { usedTwice } from './refusals.ts';
import {
  define,
  hold,
  partialOf,
  writerOf,
  type Course,
  type Outcome,
  type Piece,
} from './course.ts';

/** A local of the body has the value `value`; `at` is where the result got it. */
export function determine(course: Course, local: Local, value: TypedExpression, at: Span): Outcome {
  const partial = course.partial.get(local);
  if (course.known.has(local) || (partial !== undefined && !isEmpty(partial)))
    return usedTwice(`\`${local.name}\``, at);
  return settle(course, local, value);
}

const isEmpty = ({ pieces, fields }: { pieces: readonly Piece[]; fields: Map<number, Local> }) =>
  pieces.length === 0 && fields.size === 0;

function settle(course: Course, local: Local, value: TypedExpression): Outcome {
  const definition = course.definitions.get(local);
  if (definition === undefined && local !== course.input)
    return settleProduced(course, local, value);
  const isVariable = definition?.kind === 'variable';
  define(course, local, isVariable ? { ...definition, value } : value);
  if (definition === undefined) return 'done';
  const known = localOf(writerOf(course, value), local);
  const is = isVariable ? definition.value : definition;
  course.agenda.push({ known, is, frame: null });
  return 'done';
}

/** A local that a whole statement gives its value. */
function settleProduced(course: Course, local: Local, value: TypedExpression): Outcome {
  const producer = course.producers.get(local);
  if (producer?.kind !== 'for') {
    const data = { what: local.name, why: 'it is computed in another statement' };
    return report(bijectors.E0474, { span: local.span, data });
  }
  const outcome = undoLoop(course, producer, value);
  if (outcome === 'done') define(course, local, value);
  return outcome;
}

/** The parts of a local are all known: now it is known as a whole. */
function complete(course: Course, local: Local, known: TypedExpression, span: Span): Outcome {
  course.partial.delete(local);
  course.agenda.push({
    known,
    is: { ...localOf(writerOf(course, known), local), span },
    frame: null,
  });
  return 'done';
}

/** One field of a tuple is known. */
export function determineField(
  course: Course,
  local: Local,
  field: number,
  value: TypedExpression,
  at: Span,
): Outcome {
  const { type } = local;
  if (type.kind !== 'tuple') return 'done';
  const { fields } = partialOf(course, local);
  if (course.known.has(local) || fields.has(field)) return usedTwice('this part', at);
  fields.set(field, hold(course, value, type.fields[field].name ?? local.name));
  const w = writerOf(course, value);
  const all = type.fields.flatMap((_, i) => fields.get(i) ?? []);
  if (all.length < type.fields.length) return 'done';
  const items = all.map((item) => localOf(w, item));
  return complete(course, local, tupleOf(w, items, type), at);
}

/** The places `from..to-1` along `axis` are known; `axis` null for all of it. */
export function determinePiece(
  course: Course,
  local: Local,
  place: { readonly axis: number; readonly from: Dim; readonly to: Dim },
  value: TypedExpression,
  at: Span,
): Outcome {
  const { pieces } = partialOf(course, local);
  if (course.known.has(local)) return usedTwice(`\`${local.name}\``, at);
  if (pieces.some((piece) => piece.axis !== place.axis)) {
    const data = { what: local.name, why: 'it is cut along two axes at once' };
    return report(bijectors.E0474, {
      span: at,
      data,
      help: 'cut one axis, name the parts, and cut those',
    });
  }
  const piece: Piece = { ...place, value: hold(course, value, local.name), span: at };
  pieces.push(piece);
  const chain = chainOf(course, local, pieces);
  if (chain.kind === 'twice') return usedTwice(`a part of \`${local.name}\``, at);
  if (chain.kind === 'gap') return 'done';
  const w = writerOf(course, value);
  const parts = chain.pieces.map((p) => localOf(w, p.value));
  return complete(course, local, joined(w, parts, place.axis), at);
}

const same = (course: Course, a: Dim, b: Dim): boolean =>
  proveEqual(a, b, course.context.assumptions).kind === 'proved';

function sizeAlong({ type }: Local, axis: number): Dim {
  const found = type.kind === 'tensor' ? type.shape[axis] : undefined;
  if (found?.kind !== 'size') throw new Error('a pack is not cut');
  return found.size;
}

/** The pieces in order from 0 to the end of the axis; `until` where it stops, if it does. */
function chainOf(
  course: Course,
  local: Local,
  pieces: readonly Piece[],
):
  | { readonly kind: 'whole'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'twice' }
  | { readonly kind: 'gap'; readonly until: Dim } {
  const chain: Piece[] = [];
  let until = zero;
  for (;;) {
    const next = pieces.filter((p) => same(course, p.from, until));
    if (next.length > 1) return { kind: 'twice' };
    if (next.length === 0) break;
    chain.push(next[0]);
    until = next[0].to;
  }
  const size = sizeAlong(local, pieces[0].axis);
  if (!same(course, until, size)) return { kind: 'gap', until };
  return chain.length < pieces.length ? { kind: 'twice' } : { kind: 'whole', pieces: chain };
}

/** Concatenation along any axis: the axis goes last, and back. */
function joined(w: Writer, parts: readonly TypedExpression[], axis: number): TypedExpression {
  const [first] = parts;
  if (parts.length === 1) return first;
  const rank = first.type.kind === 'tensor' ? first.type.shape.length : 0;
  if (axis === rank - 1) return apply(w, 'concat', ...parts);
  const moved = parts.map((part) => {
    const axes = indicesOf(part.type.kind === 'tensor' ? part.type.shape : []).map((i) => [i]);
    const last = [...axes.slice(0, axis), ...axes.slice(axis + 1), axes[axis]];
    return comprehension(w, last, readAt(w, part, axes));
  });
  const all = apply(w, 'concat', ...moved);
  const axes = indicesOf(all.type.kind === 'tensor' ? all.type.shape : []).map((i) => [i]);
  const back = [...axes.slice(0, axis), axes[rank - 1], ...axes.slice(axis, rank - 1)];
  return comprehension(w, back, readAt(w, all, axes));
}

/** What is missing of a value that is known in part, in words. */
export function missingPart(course: Course, local: Local): string {
  const partial = course.partial.get(local);
  if (partial === undefined || isEmpty(partial)) return 'nothing';
  if (partial.fields.size > 0) return 'a part';
  const chain = chainOf(course, local, partial.pieces);
  if (chain.kind !== 'gap') return 'a part';
  const rest = partial.pieces.filter((p) => !same(course, p.from, chain.until));
  const size = sizeAlong(local, partial.pieces[0].axis);
  const next = rest.find((p) => subtract(p.from, chain.until).terms.length > 0);
  const to = next !== undefined && chain.until.terms.length === 0 ? next.from : size;
  return `the part ${showDim(chain.until)}:${showDim(to)}`;
}
