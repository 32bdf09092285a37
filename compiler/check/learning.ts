// What a train block's losses depend on: whether each reaches the parameters that learn from it, and whether a value in it
// was computed before those parameters changed.

import { positionOf, textOf, type Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import type { Context } from './context.ts';
import {
  dependenceOf,
  flowsToPath,
  overlaps,
  pathOf,
  recordStatement,
  type Dependence,
  type Dependences,
  type Flow,
} from './dependence.ts';
import { partsOf } from './parts.ts';
import type { Local, TypedExpression, TypedStep } from './typed.ts';

type Optimize = Extract<TypedStep, { kind: 'optimize' }>;

/** An update of parameters: which, when, where. */
interface Update {
  readonly path: string;
  readonly moment: number;
  readonly span: Span;
}

/** Reports a learner that the loss does not reach, or reaches by paths that carry no gradient. */
function checkReach(context: Context, node: Optimize, dependence: Dependence): void {
  for (const layer of node.over) {
    const path = pathOf(layer);
    if (path === null) continue;
    const flows = flowsToPath(dependence, path);
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

/** The update after `flow` was computed that changed what it used; undefined where the value is not stale. */
const changedSince = (
  token: string | Local,
  flow: Flow,
  updates: readonly Update[],
): Update | undefined =>
  typeof token === 'string' && flow.live
    ? updates.findLast((u) => overlaps(u.path, token) && u.moment > flow.since)
    : undefined;

/** Reports values in a loss that were computed before a step changed parameters they used. */
function checkStale(
  context: Context,
  node: Optimize,
  dependence: Dependence,
  { state, updates, told }: Course,
): void {
  const isStale = [...dependence.flows].some(
    ([token, flow]) => changedSince(token, flow, updates) !== undefined,
  );
  if (!isStale) return;
  for (const [local, span] of localsIn(node.objective, new Map())) {
    const flows = [...(state.locals.get(local)?.flows ?? [])];
    const update = flows
      .map(([token, flow]) => changedSince(token, flow, updates))
      .find((found) => found !== undefined);
    if (update === undefined || told.has(span)) continue;
    told.add(span);
    reportStale(context, local, span, update);
  }
}

function reportStale(context: Context, local: Local, span: Span, update: Update): void {
  const { line } = positionOf(update.span.source, update.span.start);
  const again = update.span.end > span.start;
  context.report(
    report(programs.E0404, {
      span,
      data: { name: local.name, layer: update.path, line, again },
      related: [
        { span: local.span, reason: `\`${local.name}\` is computed here` },
        { span: update.span, reason: `this changes \`${update.path}\`` },
      ],
      help: again
        ? `compute \`${local.name}\` inside the block, or use \`stop(${local.name})\` if the old value is meant`
        : `compute \`${local.name}\` again after line ${line}, or use \`stop(${local.name})\` if the old value is meant`,
    }),
  );
}

/** The course of a block: when what was computed, and which parameters changed. */
interface Course {
  readonly state: Dependences;
  readonly updates: readonly Update[];
  /** Where a stale value was reported: a block that repeats is read twice. */
  readonly told: Set<Span>;
}

/** Checks the steps of a train block against each other, in order. */
export function followLearning(context: Context, steps: readonly TypedStep[]): void {
  const shared = { locals: new Map<Local, Dependence>(), summaries: new Map() };
  const updates: Update[] = [];
  const told = new Set<Span>();
  let moment = 0;
  const follow = (node: TypedStep, isFirst: boolean): void => {
    moment++;
    const state: Dependences = { ...shared, step: moment };
    if (node.kind === 'report' || node.kind === 'track') return;
    if (node.kind === 'every' || node.kind === 'repeat') {
      for (const inner of node.steps) follow(inner, isFirst);
      if (node.kind === 'every' || node.count === 1) return;
      // Once more: what was computed before the block meets what the block has changed.
      for (const local of node.steps.flatMap(localsOf)) shared.locals.delete(local);
      for (const inner of node.steps) follow(inner, false);
    } else if (node.kind === 'optimize') {
      const dependence = dependenceOf(node.objective, state);
      checkStale(context, node, dependence, { state, updates, told });
      if (isFirst) checkReach(context, node, dependence);
      for (const layer of node.over) {
        const path = pathOf(layer);
        if (path !== null) updates.push({ path, moment, span: node.span });
      }
    } else recordStatement(node, state);
  };
  for (const node of steps) follow(node, true);
}

/** The variables that a step binds. */
function localsOf(step: TypedStep): readonly Local[] {
  switch (step.kind) {
    case 'let':
    case 'draw':
      return [step.local];
    case 'if':
      return [...step.then, ...step.else].flatMap(localsOf);
    case 'every':
    case 'repeat':
      return step.steps.flatMap(localsOf);
    default:
      return [];
  }
}
