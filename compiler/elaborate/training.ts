// What the steps of a train block have in common while its graph is built.

import type { Elaborated, Environment } from '../builtins/elaboration.ts';
import { asTensor } from '../builtins/labelled.ts';
import type { Local, TypedExpression, TypedStep } from '../check/typed.ts';
import type { Role, Value } from '../ir/graph.ts';
import type { Context } from './context.ts';

export type Optimize = Extract<TypedStep, { kind: 'optimize' }>;

/** A loss or report of one step, to be shown. */
export interface Measure {
  readonly role: Role;
  readonly value: Value;
}

export interface Training {
  readonly context: Context;
  readonly environment: Environment;
  readonly locals: Map<Local, Elaborated>;
  /** The number of this run of the steps, from 1, over all of training; null where nothing is learnt. */
  readonly times: Value | null;
  readonly measures: Map<string, Measure>;
  readonly names: StepNames;
  /** Whether the parameter at a path stays as it is, whatever the steps say. */
  readonly isFrozen: (path: string) => boolean;
}

export interface StepNames {
  readonly losses: ReadonlyMap<Optimize, string>;
  /** The steps that an optimiser serves one parameter in, by the name of the two, for states of their own. */
  readonly served: Map<string, Optimize[]>;
}

export const scalarOf = (
  { builder, evaluate }: Context,
  expression: TypedExpression,
  environment: Environment,
): Value => asTensor(builder, evaluate(expression, environment), 'f32').value;

export const isMultiple = ({ builder }: Context, times: Value, of: number): Value =>
  builder.compare(
    'eq',
    builder.binary('remainder', times, builder.scalar(of, 'i32')),
    builder.scalar(0, 'i32'),
  );

/** Runs `body`; what it changes in the store stays changed where `condition` holds. */
export function onlyIf({ builder, store }: Context, condition: Value, body: () => void): void {
  const before = new Map(store.current);
  body();
  for (const [path, after] of store.current) {
    const unchanged = before.get(path) ?? store.entries.get(path)?.input ?? after;
    if (after === unchanged) continue;
    const chosen = builder.fill(condition, after.shape);
    store.current.set(path, builder.select(chosen, after, unchanged));
  }
}
