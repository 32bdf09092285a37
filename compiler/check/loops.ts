// `for` loops: over the numbers below a size or the layers of an array, with carries and stacked outputs.

import type { Block, Expression, ForStatement, Init } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { loops } from '../diagnostics/loops.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import type { Dim } from '../dims/dim.ts';
import { assign } from './assign.ts';
import { isBroken, newScope, type Body, type Context, type LoopBody } from './context.ts';
import { boolScalar, isScalar, joinBases, tensor } from './convert.ts';
import { toSize } from './dimensions.ts';
import { layerCount } from './reads.ts';
import { describe } from './show.ts';
import { declare } from './signatures.ts';
import type { Carry, Local, TypedExpression, TypedStatement } from './typed.ts';
import type { Type } from './types.ts';
import { singleLayer } from './values.ts';
import { silent } from './trials.ts';

type Over = Extract<TypedStatement, { kind: 'for' }>['over'];

/** What is carried: its first value, and the local that the body reads and updates. */
interface Start {
  readonly node: Init;
  readonly initial: TypedExpression;
  readonly declared: Type | null;
}

// ---- what a loop runs over ----------------------------------------------------------------------------------------

/** The range of `t < T`, or the layers of `f in steps`; null after a report. */
function checkOver(context: Context, { relation, range }: ForStatement): Over | null {
  if (relation === '<') {
    const count = toSize(context, range);
    return count === null ? null : { kind: 'range', count };
  }
  const layers = context.session.rules.expression(context, range, null);
  if (isBroken(layers)) return null;
  if (layerCount(layers) !== null) return { kind: 'layers', layers };
  const found = describe(layers.type);
  context.report(report(loops.E0451, { span: range.span, data: { found } }));
  return null;
}

const variableOf = ({ variable }: ForStatement, over: Over): Local => {
  const { text: name, span } = variable;
  return over.kind === 'range'
    ? { name, type: tensor({ kind: 'fin', size: over.count }), span }
    : { name, type: over.layers.type, span, layers: over.layers };
};

// ---- carries ------------------------------------------------------------------------------------------------------

/** The first values. A declared result gives its carry its type. */
export function checkStarts(
  context: Context,
  body: Body,
  nodes: readonly Init[],
): readonly Start[] {
  return nodes.map((node) => {
    const declared = body.results.get(node.name.text) ?? null;
    const value = singleLayer(
      context,
      context.session.rules.expression(context, node.value, declared),
    );
    const initial = declared === null ? value : assign(context, value, declared, null);
    return { node, initial, declared };
  });
}

/** Checks the statements of a loop's body with its names in scope. */
export function checkLoopBody(
  context: Context,
  body: Body,
  loop: LoopBody,
  block: Block,
  locals: readonly { readonly local: Local; readonly updates: Type[] | null }[],
): { readonly statements: readonly TypedStatement[]; readonly inside: Context } {
  const inside: Context = { ...context, scope: newScope('function', context.scope) };
  for (const { local, updates } of locals) {
    const { name, span } = local;
    const carried = updates === null ? {} : { updates };
    if (local.type.kind === 'unknown') inside.scope.names.set(name, { kind: 'broken', span });
    else declare(inside, { text: name, span }, { kind: 'local', local, ...carried, span });
  }
  const { results } = body;
  const statements = context.session.rules.statements(inside, { results, loop }, block.statements);
  return { statements, inside };
}

const localOf = ({ node }: Start, type: Type): Local => ({
  name: node.name.text,
  type,
  span: node.name.span,
});

const isWhole = (type: Type): boolean =>
  type.kind === 'tensor' && (type.base.kind === 'int' || type.base.kind === 'fin');

/**
 * The types of the carries: those of the first values, widened where the body makes a whole number real. A silent first reading of
 * the body tells; only one with whole numbers among its carries needs it.
 */
export function carryTypes(
  starts: readonly Start[],
  attempt: (locals: readonly { readonly local: Local; readonly updates: Type[] }[]) => void,
): readonly Type[] {
  let current = starts.map(({ initial }) => initial.type);
  for (;;) {
    const open = starts.some(({ declared }, i) => declared === null && isWhole(current[i]));
    if (!open) return current;
    const locals = starts.map((start, i) => ({
      local: localOf(start, current[i]),
      updates: [] as Type[],
    }));
    attempt(locals);
    const next = current.map((type, i) =>
      starts[i].declared === null ? locals[i].updates.reduce(widened, type) : type,
    );
    if (next.every((type, i) => type === current[i])) return current;
    current = next;
  }
}

/** `type` with the smallest base that both convert to; `type` itself where that is its own. */
function widened(type: Type, by: Type): Type {
  if (type.kind !== 'tensor' || by.kind !== 'tensor') return type;
  const base = joinBases(type.base, by.base);
  return base === null || base.kind === type.base.kind ? type : tensor(base, type.shape);
}

/** The carries of a loop whose body is checked; null for one whose first value is broken. */
export function carriesOf(
  context: Context,
  starts: readonly Start[],
  locals: readonly { readonly local: Local; readonly updates: readonly Type[] }[],
): readonly (Carry | null)[] {
  return starts.map((start, i) => {
    const { local: inside, updates } = locals[i];
    if (updates.some(({ kind }) => kind === 'unknown')) return null;
    const initial = assign(context, start.initial, inside.type, null);
    if (isBroken(initial)) return null;
    return { initial, inside, after: localOf(start, inside.type) };
  });
}

/** What follows the loop knows of its carries. */
export function declareCarries(
  context: Context,
  starts: readonly Start[],
  carries: readonly (Carry | null)[],
): void {
  starts.forEach(({ node: { name } }, i) => {
    const carry = carries[i];
    declare(
      context,
      name,
      carry === null
        ? { kind: 'broken', span: name.span }
        : { kind: 'local', local: carry.after, span: name.span },
    );
  });
}

/** The carries as their body sees them. */
export const carryLocals = (
  starts: readonly Start[],
  all: readonly Type[],
): readonly { readonly local: Local; readonly updates: Type[] }[] =>
  starts.map((start, i) => ({ local: localOf(start, all[i]), updates: [] }));

// ---- loops --------------------------------------------------------------------------------------------------------

/** A block that gives nothing back. */
export function refuseReturn(context: Context, block: Block, what: string): void {
  if (block.result === null) return;
  context.report(
    report(programs.E0414, {
      span: block.result.span,
      data: { what: '`return`', where: `ends a function, not ${what}` },
      help: 'assign a name and return that after the loop',
    }),
  );
}

function checkUntil(context: Context, node: Expression | null): TypedExpression | null {
  if (node === null) return null;
  const value = context.session.rules.expression(context, node, boolScalar);
  if (isBroken(value)) return null;
  if (isScalar(value.type) && value.type.base.kind === 'bool') return value;
  const data = { found: describe(value.type), expected: 'a truth value' };
  context.report(report(types.E0121, { span: node.span, data }));
  return null;
}

const rangeOf = (over: Over): Dim | null => (over.kind === 'range' ? over.count : null);

/** `for t < T down recompute until c with s = e { ... }`; its carries and outputs are visible after it. */
export function checkFor(
  context: Context,
  body: Body,
  node: ForStatement,
): readonly TypedStatement[] {
  const over = checkOver(context, node);
  const starts = checkStarts(context, body, node.carries);
  const variable: Local =
    over === null
      ? { name: node.variable.text, type: { kind: 'unknown' }, span: node.variable.span }
      : variableOf(node, over);
  const count = over === null ? null : rangeOf(over);
  const newLoop = (): LoopBody => ({
    form: 'for',
    index: count === null ? null : { name: variable.name, count },
    stacked: [],
    around: body.loop,
  });
  const all = carryTypes(starts, (locals) =>
    checkLoopBody(silent(context), body, newLoop(), node.body, [
      { local: variable, updates: null },
      ...locals,
    ]),
  );
  const loop = newLoop();
  const locals = carryLocals(starts, all);
  const { statements, inside } = checkLoopBody(context, body, loop, node.body, [
    { local: variable, updates: null },
    ...locals,
  ]);
  refuseReturn(context, node.body, 'a loop');
  const until = checkUntil(inside, node.until);
  const carries = carriesOf(context, starts, locals);
  declareCarries(context, starts, carries);
  for (const { output, name } of loop.stacked)
    declare(
      context,
      name,
      output.after.type.kind === 'unknown'
        ? { kind: 'broken', span: name.span }
        : { kind: 'local', local: output.after, span: name.span },
    );
  const whole = carries.filter((carry) => carry !== null);
  if (over === null || whole.length < carries.length) return [];
  return [
    {
      kind: 'for',
      variable,
      over,
      down: node.down,
      recompute: node.recompute,
      carries: whole,
      body: statements,
      until,
      stacked: loop.stacked
        .map(({ output }) => output)
        .filter(({ after }) => after.type.kind !== 'unknown'),
      span: node.span,
    },
  ];
}
