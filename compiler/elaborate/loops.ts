// `for` loops. Over a range, the body becomes the body of one `scan`, whatever the count; over layers, it runs once for each.

import type { Elaborated, Environment } from '../builtins/elaboration.ts';
import { asTensor, elementwise, tensorOf } from '../builtins/labelled.ts';
import { words } from '../builtins/random.ts';
import type { Carry, Local, StackedOutput, TypedStatement } from '../check/typed.ts';
import type { Builder } from '../ir/builder-types.ts';
import type { Value } from '../ir/graph.ts';
import { range } from '../ir/shape-arithmetic.ts';
import {
  fromValues,
  initialValues,
  nextValues,
  planOf,
  readAll,
  withLocal,
  writeAll,
  type Plan,
} from './carrying.ts';
import { choose } from './choose.ts';
import type { Context } from './context.ts';
import { asCall } from './draws.ts';
import { dtypeOfBase, resolveDim, resolveShape } from './sizes.ts';

type For = Extract<TypedStatement, { kind: 'for' }>;
type Locals = Map<Local, Elaborated>;

export function runFor(
  context: Context,
  statement: For,
  environment: Environment,
  locals: Locals,
): void {
  const { over } = statement;
  const done = doneLocal(statement);
  const plan = planOf(context, statement.carries, environment);
  const all = done === null ? plan : withLocal(plan, done, { kind: 'boolean', value: false });
  if (over.kind === 'layers') runLayers(context, statement, all, done, environment, locals);
  else runRange(context, statement, all, done, environment, locals);
}

/** Holds whether the loop has ended early; null where it cannot. */
const doneLocal = ({ until }: For): Local | null =>
  until === null ? null : { name: 'done', type: until.type, span: until.span };

/** The body once; a round after the end leaves everything as it is. */
function runRound(
  context: Context,
  { body, until }: For,
  plan: Plan,
  done: Local | null,
  environment: Environment,
  locals: Locals,
): void {
  const before = readAll(plan, context, locals);
  context.run(body, environment, locals);
  if (until === null || done === null) return;
  const ended = endedOf(done, locals);
  const ends = either(context.builder, ended, context.evaluate(until, environment));
  const after = readAll(plan, context, locals);
  const kept = after.map((value, i) => choose(context.builder, ended, before[i], value));
  writeAll(plan, context, locals, kept);
  locals.set(done, ends);
}

function endedOf(done: Local, locals: Locals): Elaborated {
  const value = locals.get(done);
  if (value === undefined) throw new Error('a loop has lost its end');
  return value;
}

const either = (builder: Builder, a: Elaborated, b: Elaborated): Elaborated =>
  elementwise(builder, [asTensor(builder, a, 'bool'), asTensor(builder, b, 'bool')], (x, y) =>
    builder.binary('or', x, y),
  );

function bindAfter(
  carries: readonly Carry[],
  plan: Plan,
  context: Context,
  locals: Locals,
  values: readonly Elaborated[],
): void {
  writeAll(plan, context, locals, values);
  carries.forEach(({ after }, i) => locals.set(after, values[i]));
}

// ---- over layers --------------------------------------------------------------------------------------------------

function runLayers(
  context: Context,
  statement: For,
  plan: Plan,
  done: Local | null,
  environment: Environment,
  locals: Locals,
): void {
  const { over, variable, down, carries, span } = statement;
  const layers = over.kind === 'layers' ? context.evaluate(over.layers, environment) : null;
  if (layers?.kind !== 'layers') throw new Error('a loop over layers has layers');
  writeAll(plan, context, locals, plan.firsts);
  for (const layer of down ? layers.items.toReversed() : layers.items) {
    locals.set(variable, layer);
    asCall(context, `for ${layer.path}`, { site: statement, span }, [], () =>
      runRound(context, statement, plan, done, environment, locals),
    );
  }
  bindAfter(carries, plan, context, locals, readAll(plan, context, locals));
}

// ---- over a range -------------------------------------------------------------------------------------------------

/** What a round gives besides the carries. */
interface RoundOutputs {
  readonly stacked: readonly { readonly output: StackedOutput; readonly labels: TensorLabels }[];
  readonly solved: readonly string[];
}

type TensorLabels = ReturnType<typeof tensorOf>['labels'];

function runRange(
  context: Context,
  statement: For,
  first: Plan,
  done: Local | null,
  environment: Environment,
  locals: Locals,
): void {
  const { over, carries, down, recompute } = statement;
  if (over.kind !== 'range') throw new Error('a range has a count');
  const count = resolveDim(over.count, environment);
  const { builder } = context;
  for (let plan = first; ;) {
    // A round may show that more goes round than was thought: then the body is built again.
    const found: { plan: Plan | null; outputs: RoundOutputs } = {
      plan: null,
      outputs: { stacked: [], solved: [] },
    };
    const result = builder.scan(
      count,
      initialValues(plan, builder),
      [],
      (b, t, carried) => {
        const inner = bodyContext(context, statement, b, t);
        const own: Locals = new Map(locals);
        const inside = { ...environment, locals: own, statements: statement.body };
        writeAll(plan, inner.context, own, fromValues(plan, carried));
        own.set(statement.variable, tensorOf(t));
        inner.run(() => runRound(inner.context, statement, plan, done, inside, own));
        const next = nextValues(plan, { context, locals }, { context: inner.context, locals: own });
        if ('plan' in next) {
          found.plan = next.plan;
          return { carries: carried, ys: [] };
        }
        const ended = done === null ? null : fromValues(plan, carried)[plan.places.length - 1];
        const { ys, outputs } = roundOutputs(inner.context, statement, ended, own);
        found.outputs = outputs;
        return { carries: next.values, ys };
      },
      { reverse: down, recompute },
    );
    if (found.plan !== null) {
      plan = found.plan;
      continue;
    }
    bindAfter(carries, plan, context, locals, fromValues(plan, result.carries));
    bindOutputs(context, found.outputs, result.ys, environment, locals);
    return;
  }
}

/** The context of a body, whose draws have a seed of their own in each round, and how to run something there. */
function bodyContext(
  outer: Context,
  { variable, span }: For,
  builder: Builder,
  t: Value,
): { readonly context: Context; readonly run: (body: () => void) => void } {
  let path = '';
  let seed: Value | null = null;
  const context = outer.within(builder, () => (seed ??= split()));
  const split = (): Value => {
    const stream = builder.convert(t, 'u32');
    const [word] = words({ builder, seed: outer.draws.seed(), name: path, stream, shape: [] });
    return builder.reshape(word, []);
  };
  const run = (body: () => void): void =>
    asCall(context, `for ${variable.name}`, { site: variable, span }, [], () => {
      path = context.draws.frame?.path ?? '';
      body();
    });
  return { context, run };
}

/** The parts of the stacked outputs, 0 in rounds after the end, and whether the equations of the round were solved. */
function roundOutputs(
  context: Context,
  { stacked }: For,
  ended: Elaborated | null,
  locals: Locals,
): { readonly ys: readonly Value[]; readonly outputs: RoundOutputs } {
  const { builder, solved } = context;
  const parts = stacked.map((output) => {
    const value = locals.get(output.element);
    if (value?.kind !== 'tensor' && value?.kind !== 'number' && value?.kind !== 'boolean')
      throw new Error(`the output ${output.element.name} has no value`);
    const part = elementOf(builder, value, output);
    return {
      output,
      part: ended === null ? part : choose(builder, ended, zeroOf(builder, part), part),
    };
  });
  const tensors = parts.map(({ part }) => {
    if (part.kind !== 'tensor') throw new Error('an output is a tensor');
    return part;
  });
  return {
    ys: [...tensors.map(({ value }) => value), ...solved.map(({ value }) => value)],
    outputs: {
      stacked: parts.map(({ output }, i) => ({ output, labels: tensors[i].labels })),
      solved: solved.map(({ name }) => name),
    },
  };
}

function elementOf(builder: Builder, value: Elaborated, { element }: StackedOutput): Elaborated {
  if (element.type.kind !== 'tensor') throw new Error('an output is a tensor');
  return asTensor(builder, value, dtypeOfBase(element.type.base));
}

const zeroOf = (builder: Builder, like: Elaborated): Elaborated =>
  like.kind === 'tensor' ? tensorOf(builder.scalar(0, like.value.dtype)) : like;

/** The outputs whole, the axis of the rounds at its place; and that all rounds solved their equations. */
function bindOutputs(
  context: Context,
  { stacked, solved }: RoundOutputs,
  ys: readonly Value[],
  environment: Environment,
  locals: Locals,
): void {
  const { builder } = context;
  stacked.forEach(({ output, labels }, i) => {
    const before = resolveShape(output.before, environment).length;
    const axes = range(ys[i].shape.length);
    const own = axes.slice(1 + labels.length);
    const order = [...axes.slice(1, 1 + labels.length), ...own.toSpliced(before, 0, 0)];
    locals.set(output.after, tensorOf(builder.transpose(ys[i], order), labels));
  });
  solved.forEach((name, i) =>
    context.solved.push({ name, value: builder.reduce('and', ys[stacked.length + i], [0]) }),
  );
}
