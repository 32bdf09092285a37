// Arithmetic of parameters: what works element by element on a tensor of any shape works on the parameters of a layer, one
// tensor at a time. A call is checked once, with a tensor whose shape is a pack of its own in the place of each.

import type { Span } from '../../grammar/source.ts';
import type { Builtin } from '../builtins/builtin.ts';
import { builtins } from '../builtins/registry.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { paramsDiagnostics } from '../diagnostics/params.ts';
import { pack as newPack } from '../dims/arithmetic.ts';
import type { PackVar } from '../dims/dim.ts';
import { differ } from './assign.ts';
import { broken, isBroken, type Callable, type Context } from './context.ts';
import { isScalar, real, realScalar, tensor } from './convert.ts';
import { describe } from './show.ts';
import { noBindings } from './substitute.ts';
import type { Local, TypedExpression } from './typed.ts';
import type { ParamsType, Type } from './types.ts';

type EachExpression = Extract<TypedExpression, { kind: 'each' }>;

/** Arguments among which there are parameters, with what stands for them in one call. */
export interface Each {
  readonly type: ParamsType;
  readonly pack: PackVar;
  readonly given: EachExpression['given'];
  readonly arguments: readonly TypedExpression[];
}

const refuse = (context: Context, span: Span, reason: string): null => {
  context.report(report(paramsDiagnostics.E0463, { span, data: { reason } }));
  return null;
};

/** What is known when the program is built stays as it is: a size or a number may have to be known. */
const staysAsItIs = ({ kind, type }: TypedExpression): boolean =>
  kind === 'number' ||
  kind === 'dim' ||
  kind === 'boolean' ||
  type.kind === 'function' ||
  type.kind === 'instance';

/**
 * The arguments for one tensor of each of the parameters among them: null where there are none, 'refused' after a report that
 * their structures differ.
 */
export function eachOf(
  context: Context,
  values: readonly TypedExpression[],
): Each | 'refused' | null {
  const first = values.find(({ type }) => type.kind === 'params')?.type;
  if (first?.kind !== 'params') return null;
  if (values.some(({ type, span }) => differ(context, type, first, span))) return 'refused';
  const pack = newPack('each');
  const given: EachExpression['given'][number][] = [];
  const standIns = values.map((value): TypedExpression => {
    if (staysAsItIs(value)) return value;
    const { span } = value;
    const spread = value.type.kind === 'params';
    const type: Type = spread ? tensor(real, [{ kind: 'pack', pack }]) : value.type;
    const local: Local = { name: 'each', type, span };
    given.push({ local, value, spread });
    return { kind: 'local', local, type, span };
  });
  return { type: first, pack, given, arguments: standIns };
}

/** Whether the function takes tensors of any shape where parameters are given; a report where not. */
export function takesEach(
  context: Context,
  callable: Callable,
  values: readonly (TypedExpression | null)[],
): boolean {
  const at = callable.parameters.findIndex(({ type }, i) => {
    if (values[i]?.type.kind !== 'params') return false;
    const [axis] = type.kind === 'tensor' ? type.shape : [];
    const anyShape = type.kind === 'tensor' && type.shape.length === 1 && axis.kind === 'pack';
    return !anyShape;
  });
  const value = values[at] ?? null;
  if (value === null) return true;
  const takes = describe(callable.parameters[at].type);
  refuse(
    context,
    value.span,
    `\`${callable.name}\` takes ${takes}, and parameters have any shapes`,
  );
  return false;
}

const builtinCall = (
  name: string,
  given: readonly TypedExpression[],
  type: Type,
  span: Span,
): TypedExpression => ({
  kind: 'builtin',
  builtin: builtins[name],
  bindings: noBindings,
  arguments: given,
  data: null,
  type,
  span,
});

/** What a call for one tensor gives for all of them; broken after a report. */
export function overEach(context: Context, call: TypedExpression, each: Each): TypedExpression {
  const { span, type } = call;
  if (isBroken(call)) return broken(span);
  const common = { kind: 'each', pack: each.pack, given: each.given, body: call, span } as const;
  const [axis] = type.kind === 'tensor' ? type.shape : [];
  if (
    type.kind === 'tensor' &&
    type.base.kind === 'real' &&
    type.shape.length === 1 &&
    axis.kind === 'pack' &&
    axis.pack === each.pack
  )
    return { ...common, total: false, type: each.type };
  if (call.kind === 'builtin' && call.builtin.name === 'sum')
    return { ...common, total: true, type: realScalar };
  if (call.kind === 'builtin' && call.builtin.name === 'norm') {
    const [x] = call.arguments;
    const squares = builtinCall('sum', [builtinCall('multiply', [x, x], x.type, span)], type, span);
    const total: TypedExpression = { ...common, body: squares, total: true, type: realScalar };
    return builtinCall('sqrt', [total], realScalar, span);
  }
  refuse(context, span, `this gives ${describe(type)} for each of them`);
  return broken(span);
}

/** A builtin or an operator of parameters; null where none of the arguments are. */
export function builtinOfEach(
  context: Context,
  builtin: Builtin,
  values: readonly TypedExpression[],
  span: Span,
  call: (builtin: Builtin, values: readonly TypedExpression[]) => TypedExpression,
): TypedExpression | null {
  const each = eachOf(context, values);
  if (each === null) return null;
  if (each === 'refused') return broken(span);
  const other = values.find(({ type }) => type.kind !== 'params' && !isScalar(type));
  if (other !== undefined) {
    refuse(context, other.span, `this is ${describe(other.type)}, beside parameters`);
    return broken(span);
  }
  return overEach(context, call(builtin, each.arguments), each);
}
