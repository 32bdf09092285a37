// log|e| of a scale, taken apart where that is exact and cheaper: log|exp(s)| is s, that of a product the sum.

import { convertTo, real } from '../convert.ts';
import type { Local, TypedExpression } from '../typed.ts';
import { apply, comprehension, numberOf, type Writer } from './construct.ts';
import { isPositive } from './interval.ts';
import { rangeOf } from './ranges.ts';

type Definitions = ReadonlyMap<Local, TypedExpression>;
type Builtin = Extract<TypedExpression, { kind: 'builtin' }>;

/** `log(1 + e^z)` without overflow. */
export const softplus = (w: Writer, z: TypedExpression): TypedExpression =>
  apply(
    w,
    'add',
    apply(w, 'max', z, numberOf(w, 0)),
    apply(w, 'log1p', apply(w, 'exp', apply(w, 'negate', apply(w, 'abs', z)))),
  );

const logsigmoid = (w: Writer, z: TypedExpression): TypedExpression =>
  apply(w, 'negate', softplus(w, apply(w, 'negate', z)));

export function logAbsolute(
  w: Writer,
  expression: TypedExpression,
  definitions: Definitions,
): TypedExpression {
  const taken = takenApart(w, expression, definitions);
  if (taken !== null) return taken;
  const value = convertTo(expression, real);
  const positive = isPositive(rangeOf(value, { intervals: new Map(), definitions, depth: 0 }));
  return apply(w, 'log', positive ? value : apply(w, 'abs', value));
}

/** Null where there is nothing better than the logarithm itself. */
function takenApart(
  w: Writer,
  expression: TypedExpression,
  definitions: Definitions,
): TypedExpression | null {
  switch (expression.kind) {
    case 'number':
      return numberOf(w, Math.log(Math.abs(expression.value)));
    case 'convert':
    case 'variable':
      return takenApart(w, expression.value, definitions);
    case 'local': {
      const definition = definitions.get(expression.local);
      return definition === undefined ? null : takenApart(w, definition, definitions);
    }
    case 'comprehension': {
      const body = takenApart(w, expression.body, definitions);
      return body === null ? null : comprehension(w, expression.axes, body);
    }
    case 'read': {
      const target = takenApart(w, expression.target, definitions);
      return target === null ? null : { ...expression, target };
    }
    case 'if': {
      const [onTrue, onFalse] = [expression.then, expression.else].map((branch) =>
        logAbsolute(w, branch, definitions),
      );
      return { ...expression, then: onTrue, else: onFalse };
    }
    case 'builtin':
      return builtins[expression.builtin.name]?.(w, expression, definitions) ?? null;
    default:
      return null;
  }
}

type Rule = (w: Writer, expression: Builtin, definitions: Definitions) => TypedExpression | null;

const ofBoth =
  (name: 'add' | 'subtract'): Rule =>
  (w, { arguments: [a, b] }, definitions) =>
    apply(w, name, logAbsolute(w, a, definitions), logAbsolute(w, b, definitions));

const ofOperand: Rule = (w, { arguments: [a] }, definitions) => logAbsolute(w, a, definitions);

const builtins: Readonly<Record<string, Rule>> = {
  exp: (_, { arguments: [z] }) => z,
  sigmoid: (w, { arguments: [z] }) => logsigmoid(w, z),
  multiply: ofBoth('add'),
  divide: ofBoth('subtract'),
  negate: ofOperand,
  abs: ofOperand,
  stop: ofOperand,
  power: (w, { arguments: [base, exponent] }, definitions) =>
    apply(w, 'multiply', exponent, logAbsolute(w, base, definitions)),
};
