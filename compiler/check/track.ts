// `track ema_net = ema(net, 0.999)`: a layer like another, whose parameters are the moving average of the other's. The program
// owns it, so that its export fns can call it; the step that moves it stands where it is written.

import type { CallExpression, Expression, ObserveStep } from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { paramsDiagnostics } from '../diagnostics/params.ts';
import { broken, isBroken, lookUp, type Context } from './context.ts';
import { convertTo, isScalar, real, realScalar } from './convert.ts';
import { paramsTypeOf } from './params.ts';
import { describe } from './show.ts';
import type { TypedExpression, TypedLayer, TypedStep } from './typed.ts';
import { singleLayer } from './values.ts';

const refuse = (context: Context, span: ObserveStep['span'], reason: string): null => {
  context.report(report(paramsDiagnostics.E0464, { span, data: { reason } }));
  return null;
};

/** `ema(net, 0.999)`; null after a report. */
function averageOf(context: Context, { value }: ObserveStep): CallExpression | null {
  if (value.kind === 'error') return null;
  const isCall =
    value.kind === 'call' &&
    value.callee.kind === 'name' &&
    value.callee.text === 'ema' &&
    value.arguments.length === 2 &&
    value.arguments.every(({ name }) => name === null) &&
    value.with === null;
  return isCall ? value : refuse(context, value.span, `this is \`${textOf(value.span)}\``);
}

/** The first name of `net.blocks[0].out`; null for another expression. */
function rootOf(node: Expression): string | null {
  if (node.kind === 'name') return node.text;
  return node.kind === 'member' || node.kind === 'index' ? rootOf(node.target) : null;
}

/** The layer that a `track` step declares, at the top level of the file; null after a report. */
export function makeTracked(context: Context, node: ObserveStep): TypedLayer | null {
  const call = averageOf(context, node);
  if (call === null) return null;
  const of = call.arguments[0].value;
  const root = rootOf(of);
  if (root === null || lookUp(context.scope, root)?.kind !== 'layer')
    return refuse(context, of.span, `\`${textOf(of.span)}\` is no layer of the file`);
  const follows = singleLayer(context, context.session.rules.expression(context, of, null));
  if (isBroken(follows)) return null;
  const { type } = follows;
  if (type.kind !== 'instance')
    return refuse(context, of.span, `\`${textOf(of.span)}\` is ${describe(type)}`);
  if (paramsTypeOf(follows) === null) {
    const data = { what: `\`${textOf(of.span)}\`` };
    context.report(report(paramsDiagnostics.E0460, { span: of.span, data }));
    return null;
  }
  const value = { type, values: new Map() };
  return { name: node.name.text, span: node.span, count: null, value, follows };
}

/** The step; null after a report. */
export function checkTrack(
  context: Context,
  node: ObserveStep,
): Extract<TypedStep, { kind: 'track' }> | null {
  const call = averageOf({ ...context, report: () => {} }, node);
  const entity = lookUp(context.scope, node.name.text);
  const layer = entity?.kind === 'layer' ? entity.get() : null;
  if (call === null || layer === null || layer.follows === null) return null;
  const decay = checkDecay(context, call);
  if (isBroken(decay)) return null;
  const { span } = node;
  const average = { kind: 'layer' as const, layer, owner: null, type: layer.value.type, span };
  return { kind: 'track', average, of: layer.follows, decay, span };
}

/** The share that stays of the average at each step: a number from 0 to 1. */
function checkDecay(context: Context, call: CallExpression): TypedExpression {
  const node = call.arguments[1].value;
  const decay = context.session.rules.expression(context, node, realScalar);
  if (isBroken(decay)) return decay;
  const { type } = decay;
  const out = decay.kind === 'number' && (decay.value < 0 || decay.value > 1);
  if (isScalar(type) && type.base.kind !== 'bool' && !out) return convertTo(decay, real);
  const found = out ? `${decay.value}` : describe(type);
  refuse(context, node.span, `the share that stays is ${found}, and lies between 0 and 1`);
  return broken(node.span);
}
