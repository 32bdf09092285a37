// Derivative rules: the value of a function with the derivative that `jvp f(x, dx) = e` states, as `custom_jvp`.

import type { Elaborated, Environment, TensorValue } from '../builtins/elaboration.ts';
import { asTensor, ownShape, spread, tensorOf, unionOfLabels } from '../builtins/labelled.ts';
import type { Local, TypedRule } from '../check/typed.ts';
import type { Context } from './context.ts';

/** `result`, the value of a function at `values`, with its derivative by the rule. */
export function withRule(
  context: Context,
  rule: TypedRule,
  result: Elaborated,
  values: readonly Elaborated[],
  environment: Environment,
): Elaborated {
  const { builder } = context;
  const plain = asTensor(builder, result, 'f32');
  const xs = values.map((value, i): TensorValue | null =>
    rule.tangents[i] === null ? null : asTensor(builder, value, 'f32'),
  );
  const reals = xs.filter((x) => x !== null);
  // By an index that only x varies along, each x has its own y, though they are equal.
  const labels = unionOfLabels([plain, ...reals]);
  const y = spread(builder, plain, labels, ownShape(plain));
  const operands = reals.map(({ value }) => value);
  const value = builder.customJvp(y, operands, (inner, inputs, tangents) => {
    const within = context.within(inner, context.draws.seed);
    const locals = new Map<Local, Elaborated>(environment.locals);
    let at = 0;
    rule.values.forEach((local, i) => {
      const x = xs[i];
      if (local === null) return;
      if (x === null) {
        locals.set(local, values[i]);
        return;
      }
      locals.set(local, tensorOf(inputs[at], x.labels));
      const tangent = rule.tangents[i];
      if (tangent !== null) locals.set(tangent, tensorOf(tangents[at], x.labels));
      at++;
    });
    const { statements, result: derivative } = rule.body;
    const scope = { ...environment, locals, statements };
    within.run(statements, scope, locals);
    const dy = asTensor(inner, within.evaluate(derivative, scope), 'f32');
    return spread(inner, dy, labels, ownShape(plain));
  });
  return tensorOf(value, labels);
}
