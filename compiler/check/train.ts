// Train blocks: data, steps in order, what learns by which optimizer.

import type {
  LayerDeclaration,
  ObserveStep,
  OptimizeStep,
  Path,
  RepeatStep,
  StateDeclaration,
  Step,
  TrainDeclaration,
} from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { isBroken, newScope, once, type Context } from './context.ts';
import { convertTo, isScalar, real } from './convert.ts';
import { instantiateOptimizer } from './optimizers.ts';
import { describe } from './show.ts';
import { declare, readSignature } from './signatures.ts';
import { checkStatement } from './statements.ts';
import { makeLayer } from './layers.ts';
import { makeState } from './members.ts';
import type { TypedExpression, TypedLayer, TypedState, TypedStep, TypedTrain } from './typed.ts';
import { followDerivatives } from './differentiability.ts';
import { followLearning } from './learning.ts';

interface Progress {
  readonly layers: TypedLayer[];
  readonly states: TypedState[];
  readonly steps: TypedStep[];
}

type Rule<K extends Step['kind']> = (
  context: Context,
  progress: Progress,
  node: Extract<Step, { readonly kind: K }>,
) => void;

const notThereYet = (context: Context, node: Step, feature: string): void =>
  context.report(report(programs.E0900, { span: node.span, data: { feature } }));

/** `net`, `net.enc`: a layer that learns; null after a report. */
function learner(context: Context, path: Path): TypedExpression | null {
  const [first, ...others] = path.parts;
  let node: Parameters<Context['session']['rules']['expression']>[1] = {
    kind: 'name',
    text: first.text,
    span: first.span,
  };
  for (const name of others)
    node = {
      kind: 'member',
      target: node,
      name,
      span: { ...path.span, end: name.span.end },
    };
  const value = context.session.rules.expression(context, node, null);
  if (isBroken(value)) return null;
  if (value.type.kind === 'instance') return value;
  context.report(
    report(programs.E0402, {
      span: path.span,
      data: { name: path.parts.map((part) => part.text).join('.'), found: describe(value.type) },
    }),
  );
  return null;
}

function checkOptimize(context: Context, progress: Progress, node: OptimizeStep): void {
  const objective = context.session.rules.expression(context, node.objective, null);
  const over = node.over.map((path) => learner(context, path));
  const optimizer = instantiateOptimizer(context, node.using);
  if (node.clip !== null)
    context.report(report(programs.E0900, { span: node.clip.span, data: { feature: '`clip`' } }));
  if (isBroken(objective)) return;
  if (!isScalar(objective.type) || objective.type.base.kind === 'bool') {
    context.report(
      report(programs.E0401, {
        span: node.objective.span,
        data: { found: describe(objective.type) },
      }),
    );
    return;
  }
  const learners = over.filter((item) => item !== null);
  if (learners.length !== over.length || optimizer === null) return;
  progress.steps.push({
    kind: 'optimize',
    sense: node.sense,
    objective: convertTo(objective, real),
    over: learners,
    optimizer,
    span: node.span,
  });
}

function checkObserve(context: Context, progress: Progress, node: ObserveStep): void {
  if (node.keyword === 'track') {
    notThereYet(context, node, '`track`');
    declare(context, node.name, { kind: 'broken', span: node.name.span });
    return;
  }
  const value = context.session.rules.expression(context, node.value, null);
  const known = progress.steps.find(
    (step) => step.kind === 'report' && step.name === node.name.text,
  );
  if (known !== undefined)
    context.report(
      report(programs.E0421, {
        span: node.name.span,
        data: { name: node.name.text },
        related: [{ span: known.span, reason: 'here first' }],
      }),
    );
  if (isBroken(value)) return;
  if (!isScalar(value.type)) {
    context.report(
      report(programs.E0422, {
        span: node.value.span,
        data: { found: describe(value.type) },
      }),
    );
    return;
  }
  progress.steps.push({
    kind: 'report',
    name: node.name.text,
    value: value.type.base.kind === 'bool' ? value : convertTo(value, real),
    span: node.span,
  });
}

const rules: { readonly [K in Step['kind']]: Rule<K> } = {
  layer: (context, progress, node: LayerDeclaration) => {
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
  },
  state: (context, progress, node: StateDeclaration) => {
    const state = makeState(context, node);
    if (state !== null) progress.states.push(state);
    declare(context, node.name, { kind: 'state', get: () => state, span: node.name.span });
  },
  optimize: checkOptimize,
  repeat: (context, _, node: RepeatStep) => notThereYet(context, node, `\`${node.keyword}\``),
  observe: checkObserve,
  bind: statement,
  'if-statement': statement,
  for: statement,
  fix: statement,
  root: statement,
  error: () => {},
};

function statement(
  context: Context,
  progress: Progress,
  node: Exclude<
    Step,
    LayerDeclaration | StateDeclaration | OptimizeStep | RepeatStep | ObserveStep
  >,
): void {
  progress.steps.push(...checkStatement(context, { results: new Map() }, node));
}

/** A train block; its steps are checked in order. */
export function makeTrain(outer: Context, node: TrainDeclaration): TypedTrain | null {
  const { parameters, where } = node;
  const signature = readSignature(outer, { parameters, where, result: null, scope: 'function' });
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
  const progress: Progress = { layers: [], states: [], steps: [] };
  for (const step of node.steps) {
    // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
    const rule = rules[step.kind] as (context: Context, progress: Progress, node: Step) => void;
    rule(context, progress, step);
  }
  followLearning(context, progress.steps);
  const data = signature.parameters
    .filter((parameter) => parameter.dim === null)
    .map((parameter) => parameter.local);
  const course = { steps: progress.steps, result: null, parameters: data };
  return {
    name: node.name.text,
    span: node.span,
    documentation: node.documentation,
    quantified: signature.quantified,
    parameters: data,
    assumptions: signature.assumptions,
    layers: progress.layers,
    states: progress.states,
    steps: followDerivatives(context, course, 'train'),
  };
}
