// Draws: what stands after `~`, in parameters and in statements, against the type that is declared.

import type { Bind, Expression } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import {
  distributionFor,
  distributionNames,
  type Distribution,
} from '../builtins/distributions.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { Dim } from '../dims/dim.ts';
import { proveEqual } from '../dims/prove.ts';
import type { Shape } from '../dims/shape.ts';
import { givenOf, matchArguments, type Given } from './arguments.ts';
import { compareShapes } from './compare-shapes.ts';
import { isBroken, type Callable, type Context } from './context.ts';
import { convertTo, converts, real, realScalar, tensor } from './convert.ts';
import { describe, showShape, showType } from './show.ts';
import { declare } from './signatures.ts';
import { noBindings } from './substitute.ts';
import type { Local, TypedDraw, TypedExpression, TypedStatement } from './typed.ts';
import type { TensorType, Type } from './types.ts';

/** How to report that a name is no distribution. */
export type Unknown = (found: string, near: { readonly help: string; readonly fix: Fix }) => void;
type Fix = readonly { readonly span: Span; readonly newText: string }[];

/** `normal(mu, s)`, `uniform`, for a draw of type `wanted`; null after a report. */
export function checkDistribution(
  context: Context,
  node: Expression,
  wanted: TensorType,
  unknown: Unknown,
): TypedDraw | null {
  const callee = node.kind === 'call' ? node.callee : node;
  if (callee.kind === 'error') return null;
  const given = node.kind === 'call' ? node.arguments.map(givenOf) : [];
  const distribution =
    callee.kind === 'name' ? distributionFor(callee.text, wanted.base.kind) : null;
  if (distribution === null) {
    const names = distributionNames(wanted.base.kind);
    const near = callee.kind === 'name' ? suggest(callee.text, names) : null;
    const listed = names.map((name) => `\`${name}\``).join(', ');
    unknown(`\`${textOf(callee.span)}\``, {
      help: near === null ? `distributions are ${listed}` : `did you mean \`${near}\`?`,
      fix: near === null ? [] : [{ span: callee.span, newText: near }],
    });
    return null;
  }
  if (!distribution.bases.includes(wanted.base.kind)) {
    const gives = distribution.bases.map((base) => baseWords[base]).join(' or ');
    const reason = `\`${distribution.name}\` draws ${gives}, and this is ${describe(wanted)}`;
    context.report(report(programs.E0425, { span: node.span, data: { reason } }));
    return null;
  }
  const sameSize = (a: Dim, b: Dim): boolean =>
    proveEqual(a, b, context.assumptions).kind === 'proved';
  const misshapen = distribution.shape?.(wanted, sameSize) ?? null;
  if (misshapen !== null) {
    const reason = `this is ${describe(wanted)}: ${misshapen}`;
    context.report(report(programs.E0425, { span: node.span, data: { reason } }));
    return null;
  }
  const callable = callableOf(distribution, node.span);
  const slots = matchArguments(context, callable, given, node.span);
  if (slots === null) return null;
  const values = distribution.parameters.map((parameter, i) => {
    const slot = slots[i];
    if (slot === null) return callable.parameters[i].default?.() ?? null;
    return checkArgument(context, parameter, slot, wanted);
  });
  const whole = values.filter((value) => value !== null);
  return whole.length < values.length ? null : { distribution, arguments: whole };
}

const baseWords: Readonly<Record<Distribution['bases'][number], string>> = {
  real: 'reals',
  int: 'integers',
  bool: 'truth values',
  fin: 'a `fin(n)`',
};

/** What matching arguments by place and name needs to know. */
const callableOf = (distribution: Distribution, span: Span): Callable => ({
  name: distribution.name,
  parameters: distribution.parameters.map(({ name, default: value }) => ({
    name,
    type: realScalar,
    declared: realScalar,
    dim: null,
    local: null,
    span: null,
    default: value === null ? null : () => ({ kind: 'number', value, type: realScalar, span }),
  })),
  quantified: [],
  requirements: [],
  owner: noBindings,
  result: realScalar,
  layer: null,
});

/** An argument whose shape the draw's shape ends with, as reals; null after a report. */
function checkArgument(
  context: Context,
  { name, shape: kind }: Distribution['parameters'][number],
  { node }: Given,
  wanted: TensorType,
): TypedExpression | null {
  if (node === null) return null;
  const value = context.session.rules.expression(context, node, null);
  if (isBroken(value)) return null;
  const { type } = value;
  const full = fullShape(kind, wanted);
  const least = kind === 'outcomes' ? 1 : 0;
  const fits =
    type.kind === 'tensor' &&
    converts(type.base, real) &&
    type.shape.length >= least &&
    type.shape.length <= full.length &&
    compareShapes(type.shape, full.slice(full.length - type.shape.length), context.assumptions)
      .kind === 'equal';
  if (fits) return convertTo(value, real);
  const shown = showType(tensor(real, full));
  const reason =
    full.length === 0
      ? `\`${name}\` is ${describe(type)}; the draw is one number, and so is its parameter`
      : `\`${name}\` is ${describe(type)}; it must be ${kind === 'element' ? 'a number, or ' : ''}${shown} or the last axes of ${showShape(full)}`;
  context.report(report(programs.E0425, { span: value.span, data: { reason } }));
  return null;
}

function fullShape(kind: 'element' | 'outcomes', { base, shape }: TensorType): Shape {
  return kind === 'outcomes' && base.kind === 'fin'
    ? [...shape, { kind: 'size', size: base.size }]
    : shape;
}

/** `e: [B, z] ~ normal(0, 1)`; `type` is what the target declares, or the signature for a result of its name. */
export function checkDraw(
  context: Context,
  { targets, values, span }: Bind,
  type: Type | null,
): readonly TypedStatement[] {
  const [{ name, slots, span: place }] = targets;
  const refuse = (at: Span, reason: string): readonly TypedStatement[] => {
    context.report(report(programs.E0423, { span: at, data: { reason } }));
    for (const target of targets)
      declare(context, target.name, { kind: 'broken', span: target.name.span });
    return [];
  };
  if (targets.length !== 1 || values.length !== 1)
    return refuse(span, 'each name is drawn in a statement of its own');
  if (slots !== null)
    return refuse(place, `\`${name.text}\` is drawn whole, not element by element`);
  if (type === null) return refuse(name.span, `\`${name.text}\` has no type`);
  if (type.kind === 'unknown') {
    declare(context, name, { kind: 'broken', span: name.span });
    return [];
  }
  if (type.kind !== 'tensor')
    return refuse(place, `\`${name.text}\` is ${describe(type)}, not a tensor`);
  const [source] = values;
  const draw = checkDistribution(context, source, type, (found, { help, fix }) =>
    context.report(report(programs.E0424, { span: source.span, data: { found }, help, fix })),
  );
  const local: Local = { name: name.text, type, span: name.span };
  // The declared type is enough for what follows.
  const declared = declare(context, name, { kind: 'local', local, span: name.span });
  return draw === null || !declared ? [] : [{ kind: 'draw', local, draw, span }];
}
