// What a train block's losses depend on: whether each reaches the parameters that learn from it, and whether a value in it
// was computed before those parameters changed.

import { positionOf, textOf, type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import type { Context } from './context.ts';
import {
  ANYTHING,
  dependenceOf,
  pathOf,
  recordStatement,
  type Dependence,
  type Dependences,
  type Flow,
} from './dependence.ts';
import { partsOf } from './parts.ts';
import type { Local, TypedExpression, TypedStep } from './typed.ts';

type Optimize = Extract<TypedStep, { kind: 'optimize' }>;

/** An update of parameters: which, in which step, where. */
interface Update {
  readonly path: string;
  readonly step: number;
  readonly span: Span;
}

/** Whether one of two paths lies within the other. */
const overlaps = (a: string, b: string): boolean =>
  a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

const flowsTo = (dependence: Dependence, path: string): readonly Flow[] =>
  [...dependence.flows].flatMap(([token, flow]) =>
    typeof token === 'string' && (token === ANYTHING || overlaps(token, path)) ? [flow] : [],
  );

/** Reports a learner that the loss does not reach, or reaches by paths that carry no gradient. */
function checkReach(context: Context, node: Optimize, dependence: Dependence): void {
  for (const layer of node.over) {
    const path = pathOf(layer);
    if (path === null) continue;
    const flows = flowsTo(dependence, path);
    const lost = flows.find((flow) => flow.lost !== null)?.lost ?? null;
    const cut = flows.find((flow) => flow.cut !== null)?.cut ?? null;
    if (flows.length === 0) {
      context.report(
        report(programs.E0403, {
          span: layer.span,
          data: { name: textOf(layer.span) },
          related: [{ span: node.objective.span, reason: 'the loss' }],
        }),
      );
    } else if (!flows.some((flow) => flow.smooth)) {
      context.report(
        report(programs.E0410, {
          span: node.objective.span,
          data: {
            of: textOf(node.objective.span),
            to: textOf(layer.span),
            blocked: `${lost ?? cut ?? 'integers'} has no useful derivative`,
          },
          related: [{ span: layer.span, reason: 'learns from it' }],
        }),
      );
    } else if (lost !== null) {
      context.report(
        report(programs.E0411, {
          span: node.objective.span,
          data: { to: textOf(layer.span), blocked: `${lost} has no useful derivative` },
        }),
      );
    }
  }
}

/** The locals that an expression reads outside of `stop`, with where. */
function localsIn(expression: TypedExpression, found: Map<Local, Span>): Map<Local, Span> {
  if (expression.kind === 'local') {
    found.set(expression.local, expression.span);
    return found;
  }
  if (expression.kind === 'builtin' && expression.builtin.name === 'stop') return found;
  for (const part of partsOf(expression)) localsIn(part, found);
  return found;
}

/** Reports values in a loss that were computed before a step changed parameters they used. */
function checkStale(
  context: Context,
  node: Optimize,
  state: Dependences,
  updates: readonly Update[],
): void {
  for (const [local, span] of localsIn(node.objective, new Map())) {
    const dependence = state.locals.get(local);
    if (dependence === undefined) continue;
    for (const [token, flow] of dependence.flows) {
      const update =
        typeof token === 'string' && flow.live
          ? updates.findLast((u) => overlaps(u.path, token) && u.step > flow.since)
          : undefined;
      if (update === undefined) continue;
      const { line } = positionOf(update.span.source, update.span.start);
      context.report(
        report(programs.E0404, {
          span,
          data: { name: local.name, layer: update.path, line },
          related: [
            { span: local.span, reason: `\`${local.name}\` is computed here` },
            { span: update.span, reason: `this changes \`${update.path}\`` },
          ],
          help: `compute \`${local.name}\` again after line ${line}, or use \`stop(${local.name})\` if the old value is meant`,
        }),
      );
      break;
    }
  }
}

/** Checks the steps of a train block against each other, in order. */
export function followLearning(context: Context, steps: readonly TypedStep[]): void {
  const shared = { locals: new Map<Local, Dependence>(), summaries: new Map() };
  const updates: Update[] = [];
  for (const [step, node] of steps.entries()) {
    const state: Dependences = { ...shared, step };
    if (node.kind !== 'optimize') {
      if (node.kind !== 'report') recordStatement(node, state);
      continue;
    }
    checkStale(context, node, state, updates);
    checkReach(context, node, dependenceOf(node.objective, state));
    for (const layer of node.over) {
      const path = pathOf(layer);
      if (path !== null) updates.push({ path, step, span: node.span });
    }
  }
}
