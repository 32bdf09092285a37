// Layers: a model with its hyper-parameters.

import type { Argument, Expression, LayerDeclaration } from '../../grammar/ast.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { sizes } from '../diagnostics/types-and-shapes.ts';
import { givenOf, matchArguments } from './arguments.ts';
import { bindCall } from './calls.ts';
import {
  isBroken,
  recordUse,
  unknownType,
  type Callable,
  type Context,
  type Entity,
  type ModelInfo,
} from './context.ts';
import { isScalar, realScalar } from './convert.ts';
import { resolvePath } from './paths.ts';
import { sizeAtLeast } from './minimum.ts';
import { fixedUse } from './settings.ts';
import { describe } from './show.ts';
import { isStatic } from './static.ts';
import { noBindings } from './substitute.ts';
import type { Instantiation, Local, TypedExpression, TypedLayer, TypedModel } from './typed.ts';

/** `layer steps[L] = Coupling(d, h)` */
export function makeLayer(context: Context, node: LayerDeclaration): TypedLayer | null {
  const many = 'an array of layers is not empty';
  const count = node.count === null ? null : sizeAtLeast(context, node.count, 1, many);
  if (node.count !== null && count === null) return null;
  const value = instantiateExpression(context, node.value);
  if (value === null) return null;
  const layer: TypedLayer = { name: node.name.text, span: node.span, count, value, follows: null };
  context.session.declarations.set(layer, node);
  return layer;
}

/** `MLP(784, 10)`, where only a model with its hyper-parameters can stand; null after a report. */
export function instantiateExpression(
  context: Context,
  node: Expression,
  wanted: 'model' | 'optimizer' = 'model',
): Instantiation | null {
  if (node.kind === 'error') return null;
  const table = wanted === 'model' ? programs.E0408 : programs.E0409;
  const callee = node.kind === 'call' ? node.callee : node;
  const parts =
    callee.kind === 'name'
      ? [{ text: callee.text, span: callee.span }]
      : callee.kind === 'member' && callee.target.kind === 'name'
        ? [{ text: callee.target.text, span: callee.target.span }, callee.name]
        : null;
  if (parts === null) {
    const value = context.session.rules.expression(context, node, null);
    if (!isBroken(value))
      context.report(report(table, { span: node.span, data: { found: describe(value.type) } }));
    return null;
  }
  const entity = resolvePath(context, { parts, span: callee.span });
  if (entity === null || entity.kind === 'broken') return null;
  if (entity.kind !== 'model' || !fits[wanted].has(entity.info.typed.keyword)) {
    context.report(
      report(table, {
        span: node.span,
        data: { found: `\`${textOf(callee.span)}\`, ${entityWord(entity)}` },
      }),
    );
    return null;
  }
  return instantiate(context, entity.info, node.kind === 'call' ? node.arguments : [], node.span);
}

const fits: Readonly<Record<'model' | 'optimizer', ReadonlySet<TypedModel['keyword']>>> = {
  model: new Set(['model', 'bijector']),
  optimizer: new Set(['optimizer']),
};

const entityWords: Readonly<Partial<Record<Entity['kind'], string>>> = {
  function: 'a function',
  layer: 'a layer',
  type: 'a type',
  constant: 'a constant',
  dim: 'a size',
  local: 'a value',
};

const modelWords: Readonly<Record<TypedModel['keyword'], string>> = {
  model: 'a model',
  bijector: 'a bijector',
  optimizer: 'an optimizer',
  schedule: 'a schedule, which is a `const`',
  mdp: 'a decision process, which is a `const`',
};

/** Stands for a hyper-parameter that a type leaves open; nothing reads it. */
const notGiven = (span: Span): TypedExpression => ({
  kind: 'number',
  value: 0,
  type: realScalar,
  span,
});

function entityWord(entity: Entity): string {
  if (entity.kind === 'model') return modelWords[entity.info.typed.keyword];
  return entityWords[entity.kind] ?? 'something else';
}

/** A model with its hyper-parameters, of which a type, `q: Linear(T)`, need give the sizes only; null after a report. */
export function instantiate(
  context: Context,
  model: ModelInfo,
  given: readonly Argument[],
  span: Span,
  purpose: 'value' | 'type' = 'value',
): Instantiation | null {
  recordUse(context, model, span);
  const name = model.node.name.text;
  const signature = model.signature();
  const callable: Callable = {
    name,
    parameters: signature.parameters.map((parameter) => ({
      ...parameter,
      declared: parameter.type,
      default:
        purpose === 'type' && parameter.dim === null
          ? (parameter.default ?? ((): TypedExpression => notGiven(span)))
          : parameter.default,
    })),
    quantified: signature.quantified,
    requirements: signature.requirements,
    owner: noBindings,
    result: unknownType,
    layer: null,
  };
  const bound = bindCall(context, callable, given.map(givenOf), span);
  if (bound === null) return null;
  const slots = matchArguments(
    { ...context, report: () => {} },
    callable,
    given.map(givenOf),
    span,
  );
  const values = new Map<Local, TypedExpression>();
  let good = true;
  for (const [i, parameter] of signature.parameters.entries()) {
    const value = bound.arguments[i];
    if (parameter.dim === null) values.set(parameter.local, value);
    if (parameter.dim !== null || (slots?.[i] ?? null) === null) continue;
    if (isStatic(value, context.session.isStaticLocal)) continue;
    const isSetting = model.typed.keyword === 'optimizer' && isScalar(value.type);
    const use = isSetting ? fixedUse(model.typed, parameter.local) : null;
    if (isSetting && use === null) continue;
    good = false;
    context.report(
      report(sizes.E0115, {
        span: value.span,
        data: { what: `\`${parameter.name}\``, why: 'is a hyper-parameter' },
        related: use === null ? [] : [{ span: use, reason: 'decides what is built' }],
      }),
    );
  }
  if (!good) return null;
  return { type: { kind: 'instance', model: model.typed, bindings: bound.bindings }, values };
}
