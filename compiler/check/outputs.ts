// What a loop stacks: `y[:, t] = e` gives one round's part of y, which is whole after the loop.

import type { Expression, Identifier, Slot, Target } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { loops } from '../diagnostics/loops.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Dim } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import { assign, sameType, sizeNotes } from './assign.ts';
import { checkComprehension } from './comprehensions.ts';
import { isBroken, unknownType, type Context, type LoopBody } from './context.ts';
import { tensor } from './convert.ts';
import { describe, showType } from './show.ts';
import { declare } from './signatures.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';
import type { TensorType, Type } from './types.ts';
import { singleLayer } from './values.ts';

const isIndex = (slot: Slot, name: string): boolean =>
  slot.kind === 'at' && slot.value.kind === 'name' && slot.value.text === name;

/** `:` and `..`: axes of the value as they come. */
const keeps = (slot: Slot): boolean =>
  slot.kind === 'ellipsis' || (slot.kind === 'range' && slot.from === null && slot.to === null);

/** Whether the target is an output of the loop around: one of its slots is the loop's index. */
export const isOutput = ({ index }: LoopBody, { slots }: Target): boolean =>
  index !== null && slots !== null && slots.some((slot) => isIndex(slot, index.name));

/** The index of a loop further out that a slot names. */
function outerIndex({ around }: LoopBody, slots: readonly Slot[]): string | null {
  for (let loop = around; loop !== null; loop = loop.around) {
    const { index } = loop;
    if (index !== null && slots.some((slot) => isIndex(slot, index.name))) return index.name;
  }
  return null;
}

/** What follows the loop knows the output by its name, and by its type where that is known. */
function giveUp({ stacked }: LoopBody, name: Identifier, type: Type = unknownType): void {
  const after: Local = { name: name.text, type, span: name.span };
  stacked.push({ output: { element: after, before: [], after }, name });
}

/** Reports an output of a loop further out: each loop stacks along its own index. */
export function refuseOuter(context: Context, loop: LoopBody, target: Target): boolean {
  const name = target.slots === null ? null : outerIndex(loop, target.slots);
  if (name === null) return false;
  const reason = `\`${name}\` counts the loop around this one`;
  const help = `stack a row here, and after this loop that row: \`${target.name.text}[${name}] = row\``;
  context.report(report(loops.E0453, { span: target.span, data: { reason }, help }));
  // Known by name after each of the loops, so that its absence is not reported as well.
  for (let at: LoopBody | null = loop; at !== null; at = at.around) giveUp(at, target.name);
  return true;
}

/** The slots without that of the index, and where it stood; null after a report. */
function withoutIndex(
  context: Context,
  target: Target,
  name: string,
): { readonly rest: readonly Slot[]; readonly place: number } | null {
  const slots = target.slots ?? [];
  const place = slots.findIndex((slot) => isIndex(slot, name));
  const rest = slots.toSpliced(place, 1);
  if (!rest.some((slot) => isIndex(slot, name))) return { rest, place };
  const reason = `\`${name}\` stands twice`;
  context.report(report(loops.E0453, { span: target.span, data: { reason } }));
  return null;
}

/** The number of axes of the value before that of the index, by the slots around it; null where it has too few axes. */
function axesBefore(slots: readonly Slot[], place: number, rank: number): number | null {
  const dots = slots.findIndex((slot) => slot.kind === 'ellipsis');
  const needed = slots.length - (dots < 0 ? 0 : 1);
  if (rank < needed) return null;
  return dots >= 0 && dots < place ? rank - (slots.length - place) : place;
}

const withAxis = (shape: Shape, at: number, size: Dim): Shape =>
  shape.toSpliced(at, 0, { kind: 'size', size });

/** One part of an output; its local is not visible in the body. */
export function checkOutput(
  context: Context,
  loop: LoopBody,
  target: Target,
  node: Expression,
  declared: Type | null,
): readonly TypedStatement[] {
  const { name } = target;
  const give = (type: Type): void => giveUp(loop, name, type);
  const parts = loop.index === null ? null : withoutIndex(context, target, loop.index.name);
  if (parts === null || loop.index === null) {
    give(unknownType);
    return [];
  }
  const { rest, place } = parts;
  const whole = declared?.kind === 'tensor' ? declared : null;
  const wanted = whole === null ? null : elementType(whole, rest, place);
  const value = rest.every(keeps)
    ? singleLayer(context, context.session.rules.expression(context, node, wanted))
    : checkComprehension(context, rest, node, wanted, { ...target.span, end: node.span.end });
  const fitted = wanted === null ? value : assign(context, value, wanted, complain(context, value));
  if (isBroken(fitted) || fitted.type.kind !== 'tensor') {
    if (!isBroken(fitted)) complain(context, fitted)(fitted.type, tensor({ kind: 'real' }));
    give(whole ?? unknownType);
    return [];
  }
  const { base, shape } = fitted.type;
  const at = axesBefore(rest, place, shape.length);
  if (at === null) {
    const reason = `the left side names ${rest.length + 1} axes, and this is ${describe(fitted.type)}`;
    context.report(report(loops.E0453, { span: node.span, data: { reason } }));
    give(whole ?? unknownType);
    return [];
  }
  const type = tensor(base, withAxis(shape, at, loop.index.count));
  if (whole !== null && !sameType(type, whole, context.assumptions))
    context.report(
      report(types.E0131, {
        span: target.span,
        data: { found: describe(type), declared: showType(whole) },
        notes: sizeNotes(context, type, whole),
      }),
    );
  const element: Local = { name: name.text, type: fitted.type, span: name.span };
  const after: Local = { name: name.text, type: whole ?? type, span: name.span };
  if (!declare(context, name, { kind: 'stacked', span: name.span })) return [];
  loop.stacked.push({ output: { element, before: shape.slice(0, at), after }, name });
  return [{ kind: 'let', local: element, value: fitted, span: target.span }];
}

const complain =
  (context: Context, value: TypedExpression) =>
  (found: Type, wanted: Type): void =>
    context.report(
      report(types.E0131, {
        span: value.span,
        data: { found: describe(found), declared: showType(wanted) },
        notes: sizeNotes(context, found, wanted),
      }),
    );

/** The declared type without the axis of the index. */
function elementType(
  { base, shape }: TensorType,
  rest: readonly Slot[],
  place: number,
): TensorType | null {
  const at = axesBefore(rest, place, shape.length - 1);
  return at === null || at >= shape.length ? null : tensor(base, shape.toSpliced(at, 1));
}
