// `report name = e`: a number for each step. Its name is that of an output, which nothing else of the step may have.

import type { ObserveStep } from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { isBroken, type Context } from './context.ts';
import { convertTo, isScalar, real } from './convert.ts';
import { describe } from './show.ts';
import type { Local, TypedState, TypedStep } from './typed.ts';

type Report = Extract<TypedStep, { kind: 'report' }>;

/** The step; null after a report. */
export function checkReport(context: Context, node: ObserveStep): Report | null {
  const value = context.session.rules.expression(context, node.value, null);
  if (isBroken(value)) return null;
  const { type } = value;
  if (!isScalar(type)) {
    context.report(
      report(programs.E0422, { span: node.value.span, data: { found: describe(type) } }),
    );
    return null;
  }
  return {
    kind: 'report',
    name: node.name.text,
    value: type.base.kind === 'bool' ? value : convertTo(value, real),
    span: node.span,
  };
}

interface Taken {
  readonly what: string;
  readonly span: Span;
}

/** Reports each report whose name another report, a loss or an input of the step has. */
export function checkReportNames(
  context: Context,
  steps: readonly TypedStep[],
  data: readonly Local[],
  states: readonly TypedState[],
): void {
  const taken = new Map<string, Taken>();
  for (const { name, span } of data) taken.set(name, { what: 'is what the data are called', span });
  for (const { name, span } of states) taken.set(name, { what: 'is what a state is called', span });
  const all = steps.flatMap(inOrder);
  const losses = all.filter((step) => step.kind === 'optimize');
  losses.forEach(({ span }, i) =>
    taken.set(losses.length === 1 ? 'loss' : `loss${i + 1}`, {
      what: 'is what the loss is called that a step reports by itself',
      span,
    }),
  );
  for (const step of all) {
    if (step.kind !== 'report') continue;
    const { name, span } = step;
    const known = taken.get(name);
    taken.set(name, known ?? { what: 'is reported already', span });
    if (known === undefined) continue;
    context.report(
      report(programs.E0421, {
        span,
        data: { name, what: known.what },
        related: [{ span: known.span, reason: 'here first' }],
      }),
    );
  }
}

/** The step and those inside it. */
const inOrder = (step: TypedStep): readonly TypedStep[] =>
  step.kind === 'every' || step.kind === 'repeat' ? step.steps.flatMap(inOrder) : [step];
