// The graph of a function's result and its derivative by one parameter, for `dlg grad`.

import type { Local, TypedExpression, TypedFunction } from '../check/typed.ts';
import type { Graph } from '../ir/graph.ts';
import type { Elaborated } from '../builtins/elaboration.ts';
import { asTensor } from '../builtins/labelled.ts';
import { newContext } from './new-context.ts';
import { dataInputs, entryEnvironment } from './ports.ts';

/** Outputs `value` and `derivative`, of shape [value's.., parameter's..]; or a sentence why there is none. */
export function derivativeGraph(entry: TypedFunction, name: string): Graph | string {
  const by = entry.parameters.find(({ local }) => local.name === name)?.local;
  const body = entry.body();
  if (body === null) return 'its body is broken';
  if (by === undefined) {
    const names = entry.parameters.map(({ local }) => local.name).join(', ');
    return `it has no parameter ${name}: its parameters are ${names}`;
  }
  if (!isReal(by.type)) return `${name} is not a tensor of reals`;
  const { type } = body.result;
  if (!isReal(type)) return 'its result is not one tensor of reals';
  if (entry.parameters.some(({ local, dim }) => dim === null && !isPlain(local.type)))
    return 'a parameter is not a tensor, or has a pack of sizes';
  const span = entry.span;
  const variable: TypedExpression = { kind: 'local', local: by, type: by.type, span };
  const derivative: TypedExpression = {
    kind: 'derivative',
    form: type.kind === 'tensor' && type.shape.length === 0 ? 'grad' : 'jac',
    of: body.result,
    by: variable,
    direction: null,
    type,
    span,
  };
  const context = newContext(false, entry.name ?? 'f');
  const { builder } = context;
  const locals = new Map<Local, Elaborated>();
  const statements = [
    {
      kind: 'let' as const,
      local: by,
      value: { kind: 'variable' as const, value: variable, type: by.type, span },
      span,
    },
    ...body.statements,
  ];
  const environment = { ...entryEnvironment(entry, locals), statements };
  dataInputs(context, entry.parameters, environment, locals);
  context.run(statements, environment, locals);
  for (const [port, expression] of [
    ['value', body.result],
    ['derivative', derivative],
  ] as const) {
    const value = asTensor(builder, context.evaluate(expression, environment), 'f32');
    builder.output(port, 'result', value.value);
  }
  return builder.graph(entry.name ?? 'f');
}

const isReal = (type: TypedExpression['type']): boolean =>
  type.kind === 'tensor' && type.base.kind === 'real';

const isPlain = (type: TypedExpression['type']): boolean =>
  type.kind === 'tensor' && type.shape.every((axis) => axis.kind === 'size');
