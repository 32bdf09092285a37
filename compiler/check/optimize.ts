// `minimize` and `maximize`: the loss, what learns, the optimizer, and what happens to the gradients before it sees them.

import type { Expression, OptimizeStep, Path } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { isBroken, type Context } from './context.ts';
import { convertTo, isScalar, real, realScalar } from './convert.ts';
import { countOf } from './minimum.ts';
import { instantiateOptimizer } from './optimizers.ts';
import { describe } from './show.ts';
import type { TypedExpression, TypedStep } from './typed.ts';

type Optimize = Extract<TypedStep, { kind: 'optimize' }>;

/** `accumulate 4` */
const accumulated = {
  word: 'accumulate',
  why: 'is how many gradients an optimiser waits for',
};

/** The step; null after a report. */
export function checkOptimize(context: Context, node: OptimizeStep): Optimize | null {
  const objective = checkObjective(context, node.objective);
  const over = node.over.map((path) => learner(context, path));
  const optimizer = instantiateOptimizer(context, node.using);
  const clip = node.clip === null ? null : checkClip(context, node.clip);
  const accumulate = node.accumulate === null ? 1 : countOf(context, node.accumulate, accumulated);
  const learners = over.filter((item) => item !== null);
  if (objective === null || optimizer === null || accumulate === null) return null;
  if (learners.length !== over.length || (clip === null && node.clip !== null)) return null;
  const { sense, span } = node;
  return { kind: 'optimize', sense, objective, over: learners, optimizer, clip, accumulate, span };
}

function checkObjective(context: Context, node: Expression): TypedExpression | null {
  const objective = context.session.rules.expression(context, node, null);
  if (isBroken(objective)) return null;
  if (isScalar(objective.type) && objective.type.base.kind !== 'bool')
    return convertTo(objective, real);
  context.report(
    report(programs.E0401, { span: node.span, data: { found: describe(objective.type) } }),
  );
  return null;
}

/** `net`, `net.enc`: a layer that learns; null after a report. */
function learner(context: Context, path: Path): TypedExpression | null {
  const [first, ...others] = path.parts;
  let node: Expression = { kind: 'name', text: first.text, span: first.span };
  for (const name of others)
    node = { kind: 'member', target: node, name, span: { ...path.span, end: name.span.end } };
  const value = context.session.rules.expression(context, node, null);
  if (isBroken(value)) return null;
  const isAverage = value.kind === 'layer' && value.layer.follows !== null;
  if (value.type.kind === 'instance' && !isAverage) return value;
  const found = isAverage ? 'a moving average, which follows what learns' : describe(value.type);
  context.report(
    report(programs.E0402, {
      span: path.span,
      data: { name: path.parts.map((part) => part.text).join('.'), found },
    }),
  );
  return null;
}

/** `clip 1`: a number, which may vary from step to step. */
function checkClip(context: Context, node: Expression): TypedExpression | null {
  const value = context.session.rules.expression(context, node, realScalar);
  if (isBroken(value)) return null;
  if (isScalar(value.type) && value.type.base.kind !== 'bool') return convertTo(value, real);
  context.report(
    report(types.E0121, {
      span: node.span,
      data: { found: describe(value.type), expected: 'the largest norm of the gradients' },
    }),
  );
  return null;
}
