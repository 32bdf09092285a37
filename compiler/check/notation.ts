// Index notation: left sides and binders. The text of one is read twice: once to find the range of every index (all
// bare reads give equations, solved together, so their order never matters), and once to check it with the ranges known.

import type {
  BinderExpression,
  BinderIndex,
  Expression,
  Identifier,
  Slot,
} from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { walk } from '../../grammar/walk.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import {
  add,
  dimOf,
  equal,
  multiply,
  numelOf,
  one,
  substitute,
  subtract,
  variable,
} from '../dims/arithmetic.ts';
import type { Dim, DimVar } from '../dims/dim.ts';
import { sizesOf } from '../dims/linear.ts';
import { proveEqual } from '../dims/prove.ts';
import { showDim } from '../dims/show.ts';
import type { Axis, Shape } from '../dims/shape.ts';
import { solve } from '../dims/solve.ts';
import { binderResult, keepsIndex } from './binders.ts';
import {
  broken,
  isBroken,
  lookUp,
  newScope,
  type Context,
  type KnownRange,
  type Notation,
  type RangeOrigin,
  type Trial,
  type TrialEquation,
} from './context.ts';
import { tensor } from './convert.ts';
import { toSize } from './dimensions.ts';
import { describe } from './show.ts';
import type { BoundIndex, Index, TypedExpression } from './typed.ts';
import type { TensorType } from './types.ts';

let lastIndex = 0;

const newIndex = (name: string, range: Dim, pack: Index['pack'] = null): Index => ({
  id: ++lastIndex,
  name,
  range,
  pack,
});

// ---- left sides ---------------------------------------------------------------------------------------------------

interface LeftIndex {
  readonly name: Identifier;
  readonly bound: Expression | null;
  readonly inclusive: boolean;
}

type LeftSlot =
  | { readonly kind: 'dots'; readonly span: Span }
  | { readonly kind: 'group'; readonly items: readonly LeftIndex[]; readonly span: Span };

/** `i`, `u < p`; null for anything else. */
function leftIndex(node: Expression): LeftIndex | null {
  if (node.kind === 'name') return { name: node, bound: null, inclusive: false };
  if (node.kind !== 'compare' || node.operands.length !== 2) return null;
  const [name, bound] = node.operands;
  const [relation] = node.relations;
  if (name.kind !== 'name' || (relation !== '<' && relation !== '<=')) return null;
  return { name, bound, inclusive: relation === '<=' };
}

/** The axes of a left side; null after a report. */
function leftSlots(context: Context, slots: readonly Slot[]): readonly LeftSlot[] | null {
  const result: LeftSlot[] = [];
  for (const slot of slots) {
    if (slot.kind === 'ellipsis') {
      if (result.some((other) => other.kind === 'dots')) {
        context.report(
          report(indices.E0307, {
            span: slot.span,
            data: { reason: '`..` stands twice on the left side' },
          }),
        );
        return null;
      }
      result.push({ kind: 'dots', span: slot.span });
      continue;
    }
    const nodes =
      slot.kind === 'range' ? [] : slot.value.kind === 'tuple' ? slot.value.items : [slot.value];
    const items = nodes.map(leftIndex);
    const known = items.filter((item) => item !== null);
    if (known.length === 0 || known.length !== items.length) {
      if (!nodes.some((node) => node.kind === 'error'))
        context.report(
          report(indices.E0313, { span: slot.span, data: { found: textOf(slot.span) } }),
        );
      return null;
    }
    result.push({ kind: 'group', items: known, span: slot.span });
  }
  return result;
}

/** Reports an index bound twice on one left side. */
function distinct(context: Context, slots: readonly LeftSlot[]): boolean {
  const seen = new Map<string, Identifier>();
  for (const slot of slots) {
    if (slot.kind === 'dots') continue;
    for (const { name } of slot.items) {
      const first = seen.get(name.text);
      if (first !== undefined) {
        context.report(
          report(indices.E0306, {
            span: name.span,
            data: { name: name.text },
            related: [{ span: first.span, reason: 'here first' }],
          }),
        );
        return false;
      }
      seen.set(name.text, name);
    }
  }
  return true;
}

/** The axes of the declared shape that each slot of the left side stands for; null where it cannot be told. */
function declaredAxes(slots: readonly LeftSlot[], shape: Shape | null): readonly Shape[] | null {
  if (shape === null) return null;
  const groups = slots.filter((slot) => slot.kind === 'group').length;
  const dots = shape.length - groups;
  if (dots < 0 || (groups === slots.length && dots !== 0)) return null;
  let at = 0;
  return slots.map((slot) => {
    const from = at;
    at += slot.kind === 'dots' ? dots : 1;
    return shape.slice(from, at);
  });
}

function boundSize(context: Context, bound: Expression, inclusive: boolean): Dim | null {
  const size = toSize(context, bound);
  return size === null || !inclusive ? size : add(size, one);
}

/** The size that bounds the index of a binder; null after a report. */
function binderBound(
  context: Context,
  name: Identifier,
  bound: Expression,
  inclusive: boolean,
): Dim | null {
  const value = bound.kind === 'name' ? lookUp(context.scope, bound.text) : null;
  const size = boundSize(value?.kind === 'local' ? silent(context) : context, bound, inclusive);
  if (size === null && value?.kind === 'local')
    context.report(
      report(indices.E0309, {
        span: bound.span,
        data: { name: name.text, bound: textOf(bound.span) },
      }),
    );
  return size;
}

// ---- trials -------------------------------------------------------------------------------------------------------

const newTrial = (dots: Trial['dots']): Trial => ({
  unknowns: new Set(),
  equations: [],
  dots,
  ranges: new Map(),
  fallbacks: [],
  affine: [],
  isBroken: false,
});

const notationOf = (trial: Trial | null): Notation => ({
  trial,
  ranges: new Map(),
  dots: null,
  bounds: new Map(),
  origins: new Map(),
  conflict: { reported: false },
  trialIsBroken: false,
});

/** A fresh index whose range is to be found. */
function trialIndex(trial: Trial, name: Identifier): Index {
  const range = variable(name.text);
  trial.unknowns.add(range);
  trial.ranges.set(name, range);
  return newIndex(name.text, dimOf(range));
}

/** What the reads that tile an axis say of ranges that are still unknown, given those that are known. */
function tilings(context: Context, trial: Trial, known: ReadonlyMap<DimVar, Dim>): TrialEquation[] {
  const isOpen = (d: Dim): boolean => sizesOf(d).some((v) => trial.unknowns.has(v));
  return trial.affine.flatMap(({ terms, size, origin }): TrialEquation[] => {
    const ranges = terms.map(({ range, coefficient }) => ({
      range: substitute(range, known),
      coefficient,
    }));
    const open = ranges.filter(({ range }) => isOpen(range));
    const [only] = open;
    if (open.length !== 1 || only === undefined) return [];
    const others = ranges.filter((term) => term !== only);
    const reach = others
      .map(({ range, coefficient }) => multiply(coefficient, subtract(range, one)))
      .reduce(add, one);
    return proveEqual(reach, only.coefficient, context.assumptions).kind === 'proved'
      ? [{ left: multiply(only.coefficient, only.range), right: size, origin }]
      : [];
  });
}

/** The ranges that a trial's equations give. */
function rangesOf(context: Context, trial: Trial): Map<Identifier, KnownRange> {
  const equations = [...trial.equations];
  let solution = solve(equations, trial.unknowns, context.assumptions);
  for (const more of [
    (): TrialEquation[] => tilings(context, trial, solution.bindings),
    (): TrialEquation[] => trial.fallbacks,
  ]) {
    if (solution.undetermined.length === 0) break;
    equations.push(...more());
    solution = solve(equations, trial.unknowns, context.assumptions);
  }
  return new Map(
    [...trial.ranges].map(([name, range]): [Identifier, KnownRange] => {
      const found = solution.bindings.get(range) ?? null;
      const bare = trial.equations.find((e) => equal(e.left, dimOf(range)));
      const mention = trial.equations.find((e) => e.left.key.includes(`#${range.id}`));
      return [name, { range: found, origin: (bare ?? mention)?.origin ?? null }];
    }),
  );
}

const silent = (context: Context): Context => ({ ...context, report: () => {} });

/** Binds an index with the range that the trial found; where it found none, null, and the index's uses are silent. */
function bindKnown(context: Context, notation: Notation, name: Identifier): Index | null {
  const known = notation.ranges.get(name);
  if (known?.range == null) {
    context.scope.names.set(name.text, { kind: 'broken', span: name.span });
    return null;
  }
  const index = newIndex(name.text, known.range);
  if (known.origin !== null) notation.origins.set(index, known.origin);
  context.scope.names.set(name.text, { kind: 'index', index, span: name.span });
  return index;
}

/**
 * Checks a body and reports indices without a range, unless a mistake in the body, or one elsewhere that already broke
 * what it reads, is the likelier cause.
 */
function checkBody(
  context: Context,
  missing: readonly Identifier[],
  trialIsBroken: boolean,
  check: (context: Context) => TypedExpression,
): TypedExpression {
  let reported = false;
  const value = check({
    ...context,
    report: (diagnostic) => {
      reported ||= diagnostic.severity === 'error';
      context.report(diagnostic);
    },
  });
  const elsewhere =
    trialIsBroken && context.session.diagnostics.some((d) => d.severity === 'error');
  if (!reported && !elsewhere)
    for (const name of missing)
      context.report(report(indices.E0305, { span: name.span, data: { name: name.text } }));
  return value;
}

// ---- comprehensions -----------------------------------------------------------------------------------------------

/** What `..` on the left stands for, as indices: one for each axis or pack. */
const dotIndices = (shape: Shape): Index[] =>
  shape.map((axis) =>
    axis.kind === 'pack'
      ? newIndex('..', numelOf(axis.pack), axis.pack)
      : newIndex('..', axis.size),
  );

function tryComprehension(
  context: Context,
  slots: readonly LeftSlot[],
  axes: readonly Shape[] | null,
  body: Expression,
): Trial {
  const dotsAt = slots.findIndex((slot) => slot.kind === 'dots');
  const trial = newTrial(dotsAt < 0 ? 'none' : (axes?.[dotsAt] ?? 'unknown'));
  const inside: Context = {
    ...silent(context),
    scope: newScope('notation', context.scope),
    notation: notationOf(trial),
  };
  for (const [at, slot] of slots.entries()) {
    if (slot.kind === 'dots') continue;
    const items = slot.items.map(({ name, bound, inclusive }) => {
      const index = trialIndex(trial, name);
      inside.scope.names.set(name.text, { kind: 'index', index, span: name.span });
      const size = bound === null ? null : boundSize(silent(context), bound, inclusive);
      if (size !== null && bound !== null)
        trial.equations.push({
          left: index.range,
          right: size,
          origin: { span: bound.span, reason: `\`${name.text}\` runs to ${showDim(size)} here` },
        });
      return index;
    });
    const axis: Axis | undefined = axes?.[at]?.[0];
    if (axis?.kind === 'size')
      trial.equations.push({
        left: items.map((index) => index.range).reduce(multiply, one),
        right: axis.size,
        origin: { span: slot.span, reason: `the result has size ${showDim(axis.size)} here` },
      });
  }
  trial.isBroken = isBroken(context.session.rules.expression(inside, body, null));
  return trial;
}

/**
 * `y[.., (i, j), o] = body` as a tensor; `declared` is the type of `y` where it is known. A mistake is reported, and
 * the result broken.
 */
export function checkComprehension(
  context: Context,
  left: readonly Slot[],
  body: Expression,
  declared: TensorType | null,
  span: Span,
): TypedExpression {
  const slots = leftSlots(context, left);
  if (slots === null || !distinct(context, slots)) return broken(span);
  const axes = declaredAxes(slots, declared?.shape ?? null);
  const trial = tryComprehension(context, slots, axes, body);
  const dots = typeof trial.dots === 'string' ? [] : dotIndices(trial.dots);
  const notation: Notation = {
    ...notationOf(null),
    ranges: rangesOf(context, trial),
    dots: trial.dots === 'none' ? null : dots,
    trialIsBroken: trial.isBroken,
  };
  const inside: Context = { ...context, scope: newScope('notation', context.scope), notation };
  if (trial.dots === 'unknown') {
    const at = slots.find((slot) => slot.kind === 'dots')?.span ?? span;
    context.report(
      report(indices.E0307, {
        span: at,
        data: { reason: 'nothing on the right side shows which axes `..` stands for' },
      }),
    );
    return broken(span);
  }
  const missing: Identifier[] = [];
  const groups = slots.map((slot): readonly Index[] | null => {
    if (slot.kind === 'dots') return null;
    const items = slot.items.map(({ name, bound, inclusive }) => {
      const index = bindKnown(inside, notation, name);
      if (index === null) missing.push(name);
      const size = bound === null ? null : boundSize(context, bound, inclusive);
      if (index !== null && size !== null && bound !== null)
        expectRange(context, notation, index, size, bound.span);
      return index;
    });
    return items.filter((index) => index !== null);
  });
  const value = checkBody(inside, missing, notation.trialIsBroken, (c) =>
    c.session.rules.expression(c, body, null),
  );
  const complete = slots.every(
    (slot, i) => slot.kind === 'dots' || groups[i]?.length === slot.items.length,
  );
  if (isBroken(value) || !complete) return broken(span);
  if (value.type.kind !== 'tensor' || value.type.shape.length > 0) {
    context.report(
      report(indices.E0314, { span: body.span, data: { found: describe(value.type) } }),
    );
    return broken(span);
  }
  const result = groups.flatMap((group) =>
    group === null ? dots.map((index) => [index]) : [group],
  );
  return {
    kind: 'comprehension',
    axes: result,
    body: value,
    type: tensor(value.type.base, result.map(axisOfGroup)),
    span,
  };
}

const axisOfGroup = (group: readonly Index[]): Axis => {
  const [first] = group;
  if (group.length === 1 && first.pack !== null) return { kind: 'pack', pack: first.pack };
  return { kind: 'size', size: group.map((index) => index.range).reduce(multiply, one) };
};

/** An explicit bound beside what reads and the declared type say. */
function expectRange(
  context: Context,
  notation: Notation,
  index: Index,
  size: Dim,
  span: Span,
): void {
  if (proveEqual(index.range, size, context.assumptions).kind === 'proved') return;
  if (notation.conflict.reported) return;
  notation.conflict.reported = true;
  const origin: RangeOrigin | undefined = notation.origins.get(index);
  context.report(
    report(indices.E0302, {
      span,
      data: {
        name: index.name,
        first: `0..${showDim(subtract(size, one))}`,
        second: `0..${showDim(subtract(index.range, one))}`,
      },
      related: origin === undefined ? [] : [{ span: origin.span, reason: origin.reason }],
    }),
  );
}

// ---- binders ------------------------------------------------------------------------------------------------------

/** Whether a bound speaks of an index around it: `j < t`. */
function mentionsIndex(context: Context, bound: Expression): boolean {
  let found = false;
  walk(bound, (child) => {
    if ('kind' in child && child.kind === 'name')
      found ||= lookUp(context.scope, child.text)?.kind === 'index';
    return !found;
  });
  return found;
}

/** The index of a binder, with its prefix; null after a report. */
function bindIndex(
  context: Context,
  binder: BinderExpression,
  item: BinderIndex,
  missing: Identifier[],
): BoundIndex | null {
  const { name, relation, bound } = item;
  const { notation } = context;
  if (notation === null) return null;
  const known = lookUp(context.scope, name.text);
  const keeps = keepsIndex(binder.binder);
  if (keeps && known?.kind === 'broken') return null;
  if (keeps && known?.kind !== 'index') {
    context.report(
      report(indices.E0315, {
        span: name.span,
        data: { binder: binder.binder, name: name.text },
      }),
    );
    return null;
  }
  if (!keeps && known?.kind === 'index') {
    context.report(
      report(indices.E0306, {
        span: name.span,
        data: { name: name.text },
        related: [{ span: known.span, reason: 'here first' }],
      }),
    );
    return null;
  }
  const isPrefix = bound !== null && mentionsIndex(context, bound);
  const limit = bound !== null && isPrefix ? prefixBound(context, name, bound) : null;
  if (isPrefix && limit === null) return null;
  const index =
    known?.kind === 'index'
      ? known.index
      : notation.trial === null
        ? bindKnown(context, notation, name)
        : trialIndex(notation.trial, name);
  if (index === null) {
    if (bound === null || isPrefix || binderBound(context, name, bound, false) !== null)
      missing.push(name);
    return null;
  }
  context.scope.names.set(name.text, { kind: 'index', index, span: name.span });
  if (limit !== null && relation !== null) {
    if (notation.trial !== null && limit.kind === 'index')
      notation.trial.fallbacks.push({
        left: index.range,
        right: limit.index.range,
        origin: { span: name.span, reason: 'as far as its bound' },
      });
    return { index, prefix: { relation, bound: limit } };
  }
  if (bound !== null && relation !== null && !boundBySize(context, index, item, bound)) return null;
  return { index, prefix: null };
}

function prefixBound(
  context: Context,
  name: Identifier,
  bound: Expression,
): TypedExpression | null {
  const value = context.session.rules.expression(context, bound, null);
  if (isBroken(value)) return null;
  const { type } = value;
  if (
    type.kind === 'tensor' &&
    type.shape.length === 0 &&
    (type.base.kind === 'int' || type.base.kind === 'fin')
  )
    return value;
  context.report(
    report(indices.E0309, {
      span: bound.span,
      data: { name: name.text, bound: textOf(bound.span) },
    }),
  );
  return null;
}

/** `i < n`, `i <= n`: an equation, or a check of the range that is known. */
function boundBySize(
  context: Context,
  index: Index,
  { name, relation }: BinderIndex,
  bound: Expression,
): boolean {
  const { notation } = context;
  if (relation !== '<' && relation !== '<=') {
    context.report(
      report(indices.E0309, {
        span: bound.span,
        data: { name: name.text, bound: textOf(bound.span) },
        help: 'write `<` or `<=`',
      }),
    );
    return false;
  }
  const size = binderBound(context, name, bound, relation === '<=');
  if (size === null || notation === null) return false;
  if (notation.trial === null) expectRange(context, notation, index, size, bound.span);
  else
    notation.trial.equations.push({
      left: index.range,
      right: size,
      origin: { span: bound.span, reason: `\`${name.text}\` runs to ${showDim(size)} here` },
    });
  return true;
}

/** Binds the indices of a binder and checks its body; `context` is in index notation. */
function checkInside(context: Context, node: BinderExpression): TypedExpression {
  const { notation } = context;
  if (notation === null) return broken(node.span);
  const bounds = new Map(notation.bounds);
  const inside: Context = {
    ...context,
    scope: newScope('notation', context.scope),
    notation: { ...notation, bounds },
  };
  const missing: Identifier[] = [];
  const bound = node.indices.map((item) => {
    const made = bindIndex(inside, node, item, missing);
    if (made === null)
      inside.scope.names.set(item.name.text, { kind: 'broken', span: item.name.span });
    else if (made.prefix !== null) bounds.set(made.index, made.prefix);
    return made;
  });
  const body = checkBody(inside, missing, notation.trialIsBroken, (c) =>
    c.session.rules.expression(c, node.body, null),
  );
  for (const { name } of node.indices) context.session.ended.set(name.text, node.span);
  const made = bound.filter((item) => item !== null);
  if (isBroken(body) || made.length !== bound.length) return broken(node.span);
  return binderResult(context, node, made, body);
}

/** `sum[i, j < t] body` */
export function checkBinder(context: Context, node: BinderExpression): TypedExpression {
  const { notation } = context;
  const known = node.indices.every(
    ({ name }) => keepsIndex(node.binder) || notation?.ranges.has(name) === true,
  );
  if (notation !== null && (notation.trial !== null || known)) return checkInside(context, node);
  const trial = newTrial('none');
  const base: Notation = {
    ...notationOf(trial),
    dots: notation?.dots ?? null,
    bounds: notation?.bounds ?? new Map(),
  };
  const trialIsBroken = isBroken(checkInside({ ...silent(context), notation: base }, node));
  const ranges = new Map([...(notation?.ranges ?? []), ...rangesOf(context, trial)]);
  return checkInside(
    { ...context, notation: { ...base, trial: null, ranges, trialIsBroken } },
    node,
  );
}
