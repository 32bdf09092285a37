// Draws of functions and train blocks. The name of a draw, whose hash is half of its key, is the path of calls that leads to it:
// `fit/net.enc/net.enc.drop/keep`. A function called twice by the same caller is `net.enc` and `net.enc#2`, so it draws anew;
// what else the program does has no part in the name.

import type { Elaborated, Environment } from '../builtins/elaboration.ts';
import { asTensor, tensorOf } from '../builtins/labelled.ts';
import type { Site } from '../builtins/random.ts';
import type { TypedExpression, TypedStatement } from '../check/typed.ts';
import { bijectors } from '../diagnostics/bijectors.ts';
import { E0705, E0706, E0707 } from '../diagnostics/elaboration.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { refuse, type Context } from './context.ts';
import { dtypeOfBase, resolveDim, resolveShape, tensorTypeOf } from './sizes.ts';

/** One call that is being run. */
interface Frame {
  readonly path: string;
  /** The calls that it made so far, by what they call; a call met again is the same call. */
  readonly calls: Map<string, object[]>;
  /** The call that stands for as many as some index has values; null where there is none. */
  readonly varies: Span | null;
  /** The call of a bijector that this is, or is part of: nothing is drawn or updated in it. */
  readonly bijector: Span | null;
}

/** Where the graph that is being built draws from. */
export interface Draws {
  /** Null where nothing may be drawn: in constants. */
  frame: Frame | null;
  /** Inside index notation, where not a whole tensor is read. */
  inNotation: boolean;
  /** The input, made when first asked for. */
  readonly seed: () => Value;
  /** The second word of the counter; null for 0. */
  stream: () => Value | null;
}

/** `root` names the entry point, or what is computed. */
export const newFrame = (root: string): Frame => ({
  path: root,
  calls: new Map(),
  varies: null,
  bijector: null,
});

export const SEED = 'seed';

/** The input `seed` of a graph, made when first asked for. */
export function seedInput(builder: GraphBuilder): () => Value {
  let seed: Value | null = null;
  return () => (seed ??= builder.input(SEED, 'seed', { dtype: 'u32', shape: [] }));
}

/** Refuses a graph that draws and has another input called `seed`. */
export function demandOneSeed({ builder }: Context, name: string, span: Span): void {
  const ports = builder.inputs.filter((port) => port.name === SEED);
  if (ports.length > 1) refuse(report(E0707, { span, data: { name, port: SEED } }));
}

const hasLabels = (value: Elaborated): boolean =>
  value.kind === 'tuple'
    ? value.items.some(hasLabels)
    : value.kind === 'tensor' && value.labels.length > 0;

export interface Call {
  /** What makes this call another than those before. */
  readonly site: object;
  readonly span: Span;
  /** Of a bijector, or derived of one: nothing in it draws. */
  readonly isBijector?: boolean;
}

/** Refuses a draw or an update inside a bijector, which a function that was passed to it does. */
export function demandOutsideBijector({ draws }: Context, at: Span, verb: string): void {
  const span = draws.frame?.bijector ?? null;
  if (span === null) return;
  const related = [{ span: at, reason: 'here' }];
  refuse(report(bijectors.E0478, { span, data: { what: textOf(span), verb }, related }));
}

/** Runs `body`, the function called `name` on `values`, as a frame of its own. */
export function asCall<T>(
  { draws }: Context,
  name: string,
  { site, span, isBijector = false }: Call,
  values: readonly Elaborated[],
  body: () => T,
): T {
  const { frame, inNotation } = draws;
  if (frame === null) return body();
  const varies = frame.varies ?? (inNotation || values.some(hasLabels) ? span : null);
  const bijector = frame.bijector ?? (isBijector ? span : null);
  const inner: Frame = { path: pathWithin(frame, name, site), calls: new Map(), varies, bijector };
  return withDraws(draws, { frame: inner, inNotation: false }, body);
}

/** `fit/net.enc`, and `fit/net.enc#2` for the second site of that name. */
function pathWithin(frame: Frame, name: string, site: object): string {
  const known = frame.calls.get(name) ?? [];
  frame.calls.set(name, known);
  if (!known.includes(site)) known.push(site);
  const times = known.indexOf(site) + 1;
  return `${frame.path}/${times === 1 ? name : `${name}#${times}`}`;
}

/** Runs `body`, a block of steps with draws of its own; where it runs several times, `stream` tells its runs apart. */
export function asBlock<T>(
  { draws }: Context,
  name: string,
  site: object,
  stream: Draws['stream'] | null,
  body: () => T,
): T {
  const { frame } = draws;
  if (frame === null) return body();
  // No function has such a name.
  const path = pathWithin(frame, `(${name})`, site);
  const { varies, bijector } = frame;
  const inside = { frame: { ...newFrame(path), varies, bijector }, inNotation: false };
  return withDraws(draws, stream === null ? inside : { ...inside, stream }, body);
}

/** Runs `body` as part of index notation, where each draw would be one of many. */
export const inNotation = <T>({ draws }: Context, body: () => T): T =>
  withDraws(draws, { frame: draws.frame, inNotation: true }, body);

/** A tensor that index notation reads: it is computed once, whatever the indices. */
export const wholeValue = (
  context: Context,
  expression: TypedExpression,
  environment: Environment,
): Elaborated =>
  withDraws(context.draws, { frame: context.draws.frame, inNotation: false }, () =>
    context.evaluate(expression, environment),
  );

/** Runs `body`, which computes the first value of `path`. */
export const asFirstValue = <T>({ draws }: Context, path: string, body: () => T): T =>
  withDraws(draws, { frame: newFrame(path), inNotation: false }, body);

/** Runs `body`, where nothing may be drawn. */
export const withoutDraws = <T>({ draws }: Context, body: () => T): T =>
  withDraws(draws, { frame: null, inNotation: false }, body);

function withDraws<T>(
  draws: Draws,
  inside: Pick<Draws, 'frame' | 'inNotation'> & Partial<Draws>,
  body: () => T,
): T {
  const outside = { ...draws };
  Object.assign(draws, inside);
  try {
    return body();
  } finally {
    Object.assign(draws, outside);
  }
}

/** The value of `e: [B, z] ~ normal(mu, s)`. */
export function drawnValue(
  context: Context,
  { local, draw, span }: Extract<TypedStatement, { kind: 'draw' }>,
  environment: Environment,
): Elaborated {
  const { builder, draws } = context;
  const { frame } = draws;
  const { name } = local;
  if (frame === null) refuse(report(E0706, { span, data: { name } }));
  demandOutsideBijector(context, span, 'draws');
  if (frame.varies !== null)
    refuse(
      report(E0705, {
        span: frame.varies,
        data: { name },
        related: [{ span, reason: 'the draw' }],
      }),
    );
  const { base, shape } = tensorTypeOf(local.type);
  const site: Site = {
    builder,
    seed: draws.seed(),
    name: `${frame.path}/${name}`,
    stream: draws.stream(),
    shape: resolveShape(shape, environment),
  };
  const parameters = draw.arguments.map((a) => context.evaluate(a, environment));
  const outcomes = base.kind === 'fin' ? resolveDim(base.size, environment) : null;
  const value = draw.distribution.draw(site, parameters, outcomes);
  return asTensor(builder, tensorOf(value), dtypeOfBase(base));
}
