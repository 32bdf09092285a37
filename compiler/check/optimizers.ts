// Optimizers: their function has one form, since the training step calls it for every parameter.

import type { Expression } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import type { Context, ModelInfo, Signature } from './context.ts';
import { mainFunction } from './callables.ts';
import { instantiateExpression } from './layers.ts';
import type { Instantiation } from './typed.ts';
import type { Type } from './types.ts';

const isPackOf = (type: Type): string | null =>
  type.kind === 'tensor' &&
  type.base.kind === 'real' &&
  type.shape.length === 1 &&
  type.shape[0].kind === 'pack'
    ? type.shape[0].pack.name
    : null;

function problemOf(signature: Signature): string | null {
  const [w, g, step] = signature.parameters;
  if (signature.parameters.length !== 3)
    return 'its `fn` takes the parameter, its gradient and the step';
  const pack = isPackOf(w.type);
  if (pack === null || isPackOf(g.type) !== pack)
    return `\`${w.name}\` and \`${g.name}\` are of any one shape: \`[..S]\``;
  if (step.type.kind !== 'tensor' || step.type.base.kind !== 'int' || step.type.shape.length > 0)
    return `\`${step.name}\` is the number of the step: \`int\``;
  return signature.result === null || isPackOf(signature.result) !== pack
    ? `its result is the new value of the parameter: \`[..${pack}]\``
    : null;
}

/** Reports an optimizer whose function is not of the form that a training step calls. */
export function checkOptimizer(context: Context, info: ModelInfo): void {
  const main = mainFunction(info);
  const reason = main === null ? 'it has no `fn` without a name' : problemOf(main.signature());
  if (reason === null) return;
  const head =
    main === null ? info.node.name.span : { ...main.node.span, end: main.node.body.span.start };
  context.report(
    report(programs.E0415, {
      span: head,
      data: { reason },
      help: 'write `fn (w: [..S], g: [..S], step: int) -> [..S] { ... }`',
    }),
  );
}

/** `Adam(1e-3)`; null after a report. */
export const instantiateOptimizer = (context: Context, node: Expression): Instantiation | null =>
  instantiateExpression(context, node, 'optimizer');
