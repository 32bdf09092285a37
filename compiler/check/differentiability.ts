// Derivatives of a body that is checked: whether a gradient reaches the variable of each, by the same analysis of dependence that
// follows losses to their parameters. The variables are marked where they are bound, so that the elaborator can tell the
// value of a variable from what it was computed from.

import { textOf } from '../../grammar/source.ts';
import { derivatives } from '../diagnostics/derivatives.ts';
import { loops } from '../diagnostics/loops.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import type { Context } from './context.ts';
import {
  ANYTHING,
  dependenceOf,
  flowToPath,
  pathOf,
  recordStatement,
  type Dependence,
  type Flow,
} from './dependence.ts';
import { boundBy, expressionsOf, partsOf } from './parts.ts';
import type { Local, TypedExpression, TypedFunction, TypedStatement, TypedStep } from './typed.ts';

type Derivative = Extract<TypedExpression, { kind: 'derivative' }>;

/** What a function or a train block does, for this purpose. */
export interface Course<S extends TypedStep> {
  readonly steps: readonly S[];
  readonly result: TypedExpression | null;
  readonly parameters: readonly Local[];
}

/** Reports derivatives inside loops by variables from outside: what lies between would be taken as constant. */
function checkLoops(context: Context, steps: readonly TypedStep[]): void {
  for (const step of steps) {
    if (step.kind === 'if') checkLoops(context, [...step.then, ...step.else]);
    if (step.kind !== 'for' && step.kind !== 'fix' && step.kind !== 'root') continue;
    const own = new Set(step.body.flatMap(boundBy));
    if (step.kind === 'root') own.add(step.variable);
    else for (const { inside } of step.carries) own.add(inside);
    const found: Derivative[] = [];
    for (const statement of step.body)
      if (statement.kind !== 'for' && statement.kind !== 'fix' && statement.kind !== 'root')
        for (const value of expressionsOf(statement)) derivativesIn(value, found);
    for (const { by, span } of found) {
      const local = variableOf(by);
      if (local !== null && own.has(local)) continue;
      const data = { name: textOf(by.span), form: step.kind };
      const related = local === null ? [] : [{ span: local.span, reason: 'bound here' }];
      context.report(report(loops.E0457, { span, data, related }));
    }
    checkLoops(context, step.body);
  }
}

/** The statements among the steps, and among those inside `every` and `repeat`. */
function statementsOf(step: TypedStep): readonly TypedStatement[] {
  if (step.kind === 'optimize' || step.kind === 'report' || step.kind === 'track') return [];
  if (step.kind === 'every' || step.kind === 'repeat') return step.steps.flatMap(statementsOf);
  return [step];
}

function derivativesIn(expression: TypedExpression, found: Derivative[]): void {
  if (expression.kind === 'derivative') found.push(expression);
  for (const part of partsOf(expression)) derivativesIn(part, found);
}

/** The steps with the variables of derivatives marked, after a report for each derivative that does not exist. */
export function followDerivatives<S extends TypedStep>(
  context: Context,
  { steps, result, parameters }: Course<S>,
  place: 'function' | 'train',
): readonly (S | TypedStatement)[] {
  const found: Derivative[] = [];
  for (const step of steps) for (const value of expressionsOf(step)) derivativesIn(value, found);
  if (result !== null) derivativesIn(result, found);
  if (found.length === 0) return steps;
  checkLoops(context, steps);
  const summaries = new Map<TypedFunction, Dependence>();
  const variables = new Set(found.flatMap(({ by }) => variableOf(by) ?? []));
  // Parameters of layers depend on nothing above them: one pass without a variable serves all that are taken by those.
  for (const variable of [...variables, null]) {
    const taken = found.filter(({ by }) => variableOf(by) === variable);
    if (taken.length === 0) continue;
    const locals = new Map<Local, Dependence>();
    const state = { locals, summaries, step: 0, ...(variable === null ? {} : { variable }) };
    for (const statement of steps.flatMap(statementsOf)) recordStatement(statement, state);
    for (const derivative of taken) {
      const dependence = dependenceOf(derivative.of, state);
      checkReach(context, derivative, dependence, isKnown(dependence, parameters));
    }
  }
  checkRecomputation(context, found, steps, place);
  const given = parameters.filter((local) => variables.has(local)).map(rebound);
  return [...given, ...steps.flatMap((step) => markStep(step, variables))];
}

const variableOf = (by: Derivative['by']): Local | null => (by.kind === 'local' ? by.local : null);

/** What the value has of the variable, or of any of the parameters; null where it depends on none. */
function flowTo({ flows }: Dependence, by: Derivative['by']): Flow | null {
  if (by.kind === 'local') return flows.get(by.local) ?? null;
  const path = pathOf(by.of);
  return path === null
    ? ((by.of.kind === 'local' ? flows.get(by.of.local) : flows.get(ANYTHING)) ?? null)
    : flowToPath({ flows }, path);
}

/** Whether the dependence is on parameters alone, and not on a variable whose line is broken or on an unknown function. */
const isKnown = ({ flows }: Dependence, parameters: readonly Local[]): boolean =>
  [...flows.keys()].every((token) =>
    typeof token === 'string' ? token !== ANYTHING : parameters.includes(token),
  );

/** Reports a variable that the value does not depend on, or by paths that carry no gradient. */
function checkReach(
  context: Context,
  { of, by, span }: Derivative,
  dependence: Dependence,
  known: boolean,
): void {
  const flow = flowTo(dependence, by);
  const related = [{ span: by.span, reason: 'the derivative is taken by it' }];
  const names = { of: textOf(of.span), to: textOf(by.span) };
  if (flow === null) {
    if (!known) return;
    const data = { of: names.of, by: names.to };
    context.report(report(derivatives.E0433, { span, data }));
  } else if (!flow.smooth) {
    const blocked = `${flow.lost ?? flow.cut ?? 'integers'} has no useful derivative`;
    context.report(report(programs.E0410, { span: of.span, data: { ...names, blocked }, related }));
  } else if (flow.lost !== null) {
    const data = { to: names.to, blocked: `${flow.lost} has no useful derivative` };
    context.report(report(programs.E0411, { span: of.span, data, related }));
  }
}

/** A Jacobian runs the lines before it again, for every element of its value: what changes between must not enter. */
function checkRecomputation(
  context: Context,
  found: readonly Derivative[],
  steps: readonly TypedStep[],
  place: 'function' | 'train',
): void {
  const updates = steps.flatMap(statementsOf).some((step) => step.kind === 'update');
  if (place === 'function' && !updates) return;
  for (const { form, span } of found) {
    if (form !== 'jac') continue;
    const where = updates ? 'a function that updates a state' : 'a `train` block';
    const help = 'put it into a function of its own';
    context.report(
      report(programs.E0900, { span, data: { feature: `\`jac\` inside ${where}` }, help }),
    );
  }
}

const marked = (value: TypedExpression): TypedExpression => ({
  kind: 'variable',
  value,
  type: value.type,
  span: value.span,
});

const rebound = (local: Local): TypedStatement => ({
  kind: 'let',
  local,
  value: marked({ kind: 'local', local, type: local.type, span: local.span }),
  span: local.span,
});

function markStep<S extends TypedStep>(
  step: S,
  variables: ReadonlySet<Local>,
): readonly (S | TypedStatement)[] {
  if (step.kind === 'let')
    return [variables.has(step.local) ? { ...step, value: marked(step.value) } : step];
  if (step.kind === 'draw') return variables.has(step.local) ? [step, rebound(step.local)] : [step];
  if (step.kind === 'every' || step.kind === 'repeat')
    return [{ ...step, steps: step.steps.flatMap((inner) => markStep(inner, variables)) }];
  const inside = (inner: readonly TypedStatement[]): readonly TypedStatement[] =>
    inner.flatMap((statement) => markStep(statement, variables));
  const again = (locals: readonly Local[]): readonly TypedStatement[] =>
    locals.filter((local) => variables.has(local)).map(rebound);
  if (step.kind === 'if') return [{ ...step, then: inside(step.then), else: inside(step.else) }];
  if (step.kind === 'for' || step.kind === 'fix') {
    const body = [...again(step.carries.map((carry) => carry.inside)), ...inside(step.body)];
    return [{ ...step, body }, ...again(boundBy(step))];
  }
  if (step.kind !== 'root') return [step];
  const body = [...again([step.variable]), ...inside(step.body)];
  return [{ ...step, body }, ...again([step.after])];
}
