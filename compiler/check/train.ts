// Train blocks: data, steps in order, what learns by which optimizer.

import type {
  LayerDeclaration,
  ObserveStep,
  OptimizeStep,
  RepeatStep,
  StateDeclaration,
  Statement,
  Step,
  TrainDeclaration,
} from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { newScope, once, type Context } from './context.ts';
import { intScalar } from './convert.ts';
import { followDerivatives } from './differentiability.ts';
import { makeLayer } from './layers.ts';
import { followLearning } from './learning.ts';
import { makeState } from './members.ts';
import { countOf } from './minimum.ts';
import { checkOptimize } from './optimize.ts';
import { checkReport, checkReportNames } from './reports.ts';
import { describe } from './show.ts';
import { declare, readSignature } from './signatures.ts';
import { checkStatement } from './statements.ts';
import { checkTrack } from './track.ts';
import type { Local, TypedLayer, TypedState, TypedStep, TypedTrain } from './typed.ts';

interface Progress {
  readonly layers: TypedLayer[];
  readonly states: TypedState[];
  /** Of the block that is read now. */
  readonly steps: TypedStep[];
  /** The word of that block; null for the train block itself. */
  readonly inside: RepeatStep['keyword'] | null;
}

type Rule<K extends Step['kind']> = (
  context: Context,
  progress: Progress,
  node: Extract<Step, { readonly kind: K }>,
) => void;

// ---- declarations -------------------------------------------------------------------------------------------------

/** What is declared exists once, however often the steps around it run. */
function isAtTop(
  context: Context,
  { inside }: Progress,
  node: LayerDeclaration | StateDeclaration,
): boolean {
  if (inside === null) return true;
  context.report(
    report(programs.E0414, {
      span: node.span,
      data: {
        what: `\`${node.kind}\``,
        where: `stands at the top of a \`train\` block, not inside \`${inside}\``,
      },
    }),
  );
  declare(context, node.name, { kind: 'broken', span: node.name.span });
  return false;
}

function addLayer(context: Context, progress: Progress, node: LayerDeclaration): void {
  if (!isAtTop(context, progress, node)) return;
  const layer = makeLayer(context, node);
  if (layer !== null) progress.layers.push(layer);
  declare(context, node.name, {
    kind: 'layer',
    get: once(
      () => layer,
      () => null,
    ),
    span: node.name.span,
  });
}

function addState(context: Context, progress: Progress, node: StateDeclaration): void {
  if (!isAtTop(context, progress, node)) return;
  const state = makeState(context, node);
  if (state !== null) progress.states.push(state);
  declare(context, node.name, { kind: 'state', get: () => state, span: node.name.span });
}

// ---- steps --------------------------------------------------------------------------------------------------------

function addOptimize(context: Context, progress: Progress, node: OptimizeStep): void {
  const step = checkOptimize(context, node);
  if (step !== null) progress.steps.push(step);
}

/** `every 5 { ... }`, `repeat 5 { ... }`: what the steps inside bind ends with them. */
function addBlock(context: Context, progress: Progress, node: RepeatStep): void {
  const { keyword, span } = node;
  const why = `is how often the steps of \`${keyword}\` run`;
  const count = countOf(context, node.count, { word: keyword, why });
  const scope = newScope('function', context.scope);
  const steps: TypedStep[] = [];
  checkSteps({ ...context, scope }, { ...progress, steps, inside: keyword }, node.steps);
  for (const [name, entity] of scope.names)
    if (!context.scope.names.has(name))
      context.scope.names.set(name, { kind: 'half-bound', span: entity.span, place: keyword });
  if (count !== null) progress.steps.push({ kind: keyword, count, steps, span });
}

function addObserve(context: Context, progress: Progress, node: ObserveStep): void {
  if (node.keyword === 'track') {
    const tracked = checkTrack(context, node);
    if (tracked !== null) progress.steps.push(tracked);
    return;
  }
  const step = checkReport(context, node);
  if (step !== null) progress.steps.push(step);
}

function addStatement(context: Context, progress: Progress, node: Statement): void {
  progress.steps.push(...checkStatement(context, { results: new Map(), loop: null }, node));
}

const rules: { readonly [K in Step['kind']]: Rule<K> } = {
  layer: addLayer,
  state: addState,
  optimize: addOptimize,
  repeat: addBlock,
  observe: addObserve,
  bind: addStatement,
  'if-statement': addStatement,
  for: addStatement,
  fix: addStatement,
  root: addStatement,
  error: () => {},
};

function checkSteps(context: Context, progress: Progress, nodes: readonly Step[]): void {
  for (const node of nodes) {
    // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
    const rule = rules[node.kind] as (context: Context, progress: Progress, node: Step) => void;
    rule(context, progress, node);
  }
}

// ---- the block ----------------------------------------------------------------------------------------------------

/** A train block; its steps are checked in order. */
export function makeTrain(outer: Context, node: TrainDeclaration): TypedTrain | null {
  const counter: Local = { name: 'step', type: intScalar, span: node.name.span };
  const around = newScope('function', outer.scope);
  around.names.set(counter.name, { kind: 'local', local: counter, span: counter.span });
  const { parameters, where } = node;
  const signature = readSignature(
    { ...outer, scope: around },
    { parameters, where, result: null, scope: 'function' },
  );
  for (const { type, name, span } of signature.parameters) {
    const fits =
      type.kind === 'unknown' ||
      (type.kind === 'tensor' && type.shape.every((axis) => axis.kind === 'size'));
    if (!fits)
      outer.report(
        report(programs.E0412, {
          span,
          data: { what: `\`${name}\``, found: describe(type) },
        }),
      );
  }
  const context: Context = {
    ...outer,
    scope: newScope('function', signature.scope),
    assumptions: signature.assumptions,
  };
  for (const [name, entity] of signature.scope.names) context.scope.names.set(name, entity);
  const progress: Progress = {
    layers: [],
    states: [],
    steps: [],
    inside: null,
  };
  checkSteps(context, progress, node.steps);
  followLearning(context, progress.steps);
  const data = signature.parameters
    .filter((parameter) => parameter.dim === null)
    .map((parameter) => parameter.local);
  checkReportNames(context, progress.steps, data, progress.states);
  const given = [...data, counter];
  const course = { steps: progress.steps, result: null, parameters: given };
  return {
    name: node.name.text,
    span: node.span,
    documentation: node.documentation,
    quantified: signature.quantified,
    parameters: data,
    counter,
    assumptions: signature.assumptions,
    layers: progress.layers,
    states: progress.states,
    steps: followDerivatives(context, course, 'train'),
  };
}
