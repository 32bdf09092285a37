// Statements of functions and train blocks, one rule for each kind: names get values, states their next ones.

import type { Elaborated, Environment } from '../builtins/elaboration.ts';
import { asTensor, dtypeOf, spread } from '../builtins/labelled.ts';
import type { Local, TypedStatement } from '../check/typed.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { E0701 } from '../diagnostics/elaboration.ts';
import { refuse, type Context } from './context.ts';
import { demandOutsideBijector, drawnValue } from './draws.ts';
import { solveFix, solveRoot } from './equations.ts';
import { runFor } from './loops.ts';
import { dtypeOfType } from './sizes.ts';
import { read, storedState, writeState } from './store.ts';

type Rules = {
  readonly [K in TypedStatement['kind']]: (
    context: Context,
    statement: Extract<TypedStatement, { kind: K }>,
    environment: Environment,
    locals: Map<Local, Elaborated>,
  ) => void;
};

const rules: Rules = {
  let: (context, { local, value }, environment, locals) =>
    void locals.set(local, context.evaluate(value, environment)),
  draw: (context, statement, environment, locals) =>
    void locals.set(statement.local, drawnValue(context, statement, environment)),
  update: (context, statement, environment) => update(context, statement, environment),
  if: (context, statement, environment, locals) => {
    const condition = context.evaluate(statement.condition, environment);
    if (condition.kind !== 'boolean') throw new Error('the condition of a statement is known');
    context.run(condition.value ? statement.then : statement.else, environment, locals);
  },
  for: runFor,
  fix: solveFix,
  root: solveRoot,
};

/** Runs statements; `locals` is the environment's own map, which they extend. */
export function runStatements(
  context: Context,
  statements: readonly TypedStatement[],
  environment: Environment,
  locals: Map<Local, Elaborated>,
): void {
  const { builder } = context;
  const { path } = environment;
  for (const statement of statements) {
    // Each rule takes its own kind; TypeScript cannot tie the key to the argument.
    const rule = rules[statement.kind] as (
      context: Context,
      statement: TypedStatement,
      environment: Environment,
      locals: Map<Local, Elaborated>,
    ) => void;
    builder.at({ path, span: statement.span }, () => rule(context, statement, environment, locals));
  }
}

/** `mu <- e`: later reads see the new value, which no gradient passes; the graph gives it back as `PATH.next`. */
function update(
  context: Context,
  { state, owner, value, span }: Extract<TypedStatement, { kind: 'update' }>,
  environment: Environment,
): void {
  const { builder, store } = context;
  demandOutsideBijector(context, span, 'updates a state');
  const holder = owner === null ? null : context.evaluate(owner, environment);
  const instance = holder?.kind === 'instance' ? holder : null;
  const home = instance === null ? environment : instance.environment;
  const stored = storedState(store, instance, state, home);
  for (const entry of stored) read(store, entry);
  const next = context.evaluate(value, environment);
  const parts = next.kind === 'tuple' ? next.items : [next];
  const values = stored.map(({ type: { dtype, shape } }, i) => {
    const { type } = state;
    const from = type?.kind === 'tensor' ? dtypeOfType(type) : dtypeOf(parts[i]);
    const tensor = asTensor(builder, parts[i], from);
    if (tensor.labels.length > 0) refuse(report(E0701, { span, data: { name: state.name } }));
    const converted = asTensor(builder, tensor, dtype);
    return builder.stopGradient(spread(builder, converted, [], shape));
  });
  writeState(store, instance, stored, values);
}
