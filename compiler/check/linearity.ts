// Whether an expression is linear in some variables, the tangents of a derivative rule: a sum of terms each of which has exactly
// one of them as a factor, through linear operations. It follows calls into the functions; nothing is sampled.

import { textOf, type Span } from '../../grammar/source.ts';
import type { Related } from '../diagnostics/diagnostic.ts';
import { boundBy, expressionsOf, partsOf } from './parts.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';

/** How a value depends on the tangents together. */
export type Degree =
  /** 0, which is linear and constant. */
  | { readonly kind: 'zero' }
  | { readonly kind: 'constant' }
  | { readonly kind: 'linear' }
  /** Neither: because of this term. */
  | {
      readonly kind: 'other';
      readonly span: Span;
      readonly why: string;
      readonly related: readonly Related[];
    }
  | { readonly kind: 'tuple'; readonly items: readonly Degree[] };

type Other = Extract<Degree, { kind: 'other' }>;
type Of<K extends TypedExpression['kind']> = Extract<TypedExpression, { kind: K }>;

/** What each variable is; those that are not here are constant. */
type Degrees = ReadonlyMap<Local, Degree>;

const zero: Degree = { kind: 'zero' };
const constant: Degree = { kind: 'constant' };
const linear: Degree = { kind: 'linear' };

const other = (at: TypedExpression, why: string): Other => ({
  kind: 'other',
  span: at.span,
  why,
  related: [],
});

const isFixed = ({ kind }: Degree): boolean => kind === 'zero' || kind === 'constant';

/** The one degree of a tuple's parts, in the order in which their expressions stand. */
const flat = (degree: Degree): readonly Degree[] =>
  degree.kind === 'tuple' ? degree.items.flatMap(flat) : [degree];

const firstOther = (degrees: readonly Degree[]): Other | null =>
  degrees.flatMap(flat).find((degree) => degree.kind === 'other') ?? null;

type Term = readonly [TypedExpression, Degree];

/** A sum, a concatenation, a choice: all terms linear, or all constant. */
function together(terms: readonly Term[]): Degree {
  const degrees = terms.map(([, degree]) => degree);
  const bad = firstOther(degrees);
  if (bad !== null) return bad;
  const parts = degrees.flatMap(flat);
  if (parts.every(({ kind }) => kind === 'zero')) return zero;
  if (parts.every(isFixed)) return constant;
  const fixed = terms.find(([, degree]) => flat(degree).some(({ kind }) => kind === 'constant'));
  return fixed === undefined ? linear : other(fixed[0], 'has no tangent as a factor');
}

/** A product: at most one factor linear. */
function product(whole: TypedExpression, factors: readonly Degree[]): Degree {
  const bad = firstOther(factors);
  if (bad !== null) return bad;
  const parts = factors.flatMap(flat);
  if (parts.some(({ kind }) => kind === 'zero')) return zero;
  const count = parts.filter(({ kind }) => kind === 'linear').length;
  if (count > 1) return other(whole, 'multiplies tangents with each other');
  return count === 1 ? linear : constant;
}

/** What is not linear whatever its argument: fine for constants only. */
function opaque(whole: TypedExpression, parts: readonly Degree[], why: string): Degree {
  const bad = firstOther(parts);
  if (bad !== null) return bad;
  return parts.flatMap(flat).every(isFixed) ? constant : other(whole, why);
}

/** Builtins that are linear in all their arguments together, or in the first. */
const linearBuiltins: Readonly<Record<string, 'all' | 'first'>> = {
  add: 'all',
  subtract: 'all',
  negate: 'all',
  concat: 'all',
  stack: 'all',
  sum: 'first',
  mean: 'first',
  reshape: 'first',
  flatten: 'first',
  transpose: 'first',
  unstack: 'first',
  halves: 'first',
  reverse: 'first',
  pad: 'first',
  dilate: 'first',
  fill: 'first',
};

function ofBuiltin(expression: Of<'builtin'>, degrees: Degrees): Degree {
  const { name } = expression.builtin;
  if (name === 'zeros') return zero;
  const given = expression.arguments.map((argument): Term => [
    argument,
    degreeOf(argument, degrees),
  ]);
  const [first, ...others] = given.map(([, degree]) => degree);
  const why = `is not linear: it takes \`${name}\` of a tangent`;
  if (name === 'multiply' || name === 'matmul') return product(expression, [first, ...others]);
  if (name === 'divide') {
    const below = opaque(expression, others, 'divides by a tangent');
    return below.kind === 'other' ? below : product(expression, [first, below]);
  }
  const kind = linearBuiltins[name];
  if (kind === 'all') return together(given);
  if (kind === undefined)
    return opaque(
      expression,
      [first, ...others].filter((d) => d !== undefined),
      why,
    );
  const rest = opaque(expression, others, why);
  return rest.kind === 'other' ? rest : spread(expression, first);
}

/** `halves` and `unstack` give tuples of what they take. */
const spread = ({ type }: TypedExpression, degree: Degree): Degree =>
  type.kind === 'tuple' ? { kind: 'tuple', items: type.fields.map(() => degree) } : degree;

const linearBinders: ReadonlySet<string> = new Set(['sum', 'mean', 'cumsum']);

/** A function's body, with what its parameters are. */
function ofCall(expression: Of<'call'>, degrees: Degrees): Degree {
  const given = expression.arguments.map((argument) => degreeOf(argument, degrees));
  const bad = firstOther(given);
  if (bad !== null) return bad;
  if (given.flatMap(flat).every(isFixed)) return constant;
  const { callee, span } = expression;
  const body = callee.kind === 'function' ? callee.function.body() : null;
  if (callee.kind !== 'function' || body === null)
    return other(expression, 'calls a function that is not known here');
  const inner = new Map<Local, Degree>(degrees);
  callee.function.parameters.forEach(({ local }, i) => inner.set(local, given[i]));
  for (const statement of body.statements) record(statement, inner);
  const result = degreeOf(body.result, inner);
  const found = firstOther([result]);
  if (found === null) return result;
  const name = `\`${callee.function.name ?? 'fn'}\``;
  const related = [
    { span: found.span, reason: `\`${textOf(found.span)}\` ${found.why}` },
    ...found.related,
  ];
  return {
    kind: 'other',
    span,
    why: `is not linear: ${name} is not, in what it is given`,
    related,
  };
}

function record(statement: TypedStatement, degrees: Map<Local, Degree>): void {
  if (statement.kind === 'let') {
    const { local, value } = statement;
    const known = degrees.get(local);
    const found = degreeOf(value, degrees);
    // Bound in both branches of an `if`, or once more in the next round of a loop.
    const both = known === undefined || isSame(known, found);
    degrees.set(
      local,
      both
        ? found
        : together([
            [value, known],
            [value, found],
          ]),
    );
  }
  if (statement.kind === 'if')
    for (const inner of [...statement.then, ...statement.else]) record(inner, degrees);
  if (statement.kind === 'for') recordRounds(statement, degrees);
  if (statement.kind === 'fix' || statement.kind === 'root') recordEquation(statement, degrees);
}

/** A loop: its carries stay linear, or constant, from round to round. */
function recordRounds(
  loop: Extract<TypedStatement, { kind: 'for' }>,
  degrees: Map<Local, Degree>,
): void {
  const { carries, body, until, stacked } = loop;
  for (const { initial, inside } of carries) degrees.set(inside, degreeOf(initial, degrees));
  // A degree can change twice: from zero to linear or constant, from these to other.
  for (let round = 0; round < 3; round++) for (const inner of body) record(inner, degrees);
  const choice = until === null || isFixed(degreeOf(until, degrees));
  const bound = [
    ...carries.map(({ inside, after }) => [inside, after]),
    ...stacked.map(({ element, after }) => [element, after]),
  ];
  for (const [inside, after] of bound) {
    const found = degrees.get(inside) ?? constant;
    const stops = until !== null && !choice ? other(until, 'ends a loop by a tangent') : null;
    degrees.set(after, stops ?? found);
  }
}

/** The solution of an equation that a tangent enters need not be linear in it. */
function recordEquation(
  statement: Extract<TypedStatement, { kind: 'fix' | 'root' }>,
  degrees: Map<Local, Degree>,
): void {
  const bad = expressionsOf(statement).find((part) => !isFixed(degreeOf(part, degrees)));
  if (bad === undefined) return;
  for (const local of boundBy(statement))
    degrees.set(local, other(bad, 'stands in an equation that is solved'));
}

const isSame = (a: Degree, b: Degree): boolean => a.kind === b.kind && a.kind !== 'tuple';

function ofDerivative(expression: Of<'derivative'>, degrees: Degrees): Degree {
  const { of, by, direction } = expression;
  const along = direction === null ? constant : degreeOf(direction, degrees);
  if (!isFixed(degreeOf(by, degrees))) return other(expression, 'differentiates by a tangent');
  return product(expression, [degreeOf(of, degrees), along]);
}

function ofRead({ target, slots, ...rest }: Of<'read'>, degrees: Degrees): Degree {
  const whole = { target, slots, ...rest };
  const places = partsOf(whole).filter((part) => part !== target);
  const at = opaque(
    whole,
    places.map((place) => degreeOf(place, degrees)),
    'reads at a tangent',
  );
  return at.kind === 'other' ? at : degreeOf(target, degrees);
}

function ofChoice(expression: Of<'if'>, degrees: Degrees): Degree {
  const { condition, then, else: otherwise } = expression;
  if (!isFixed(degreeOf(condition, degrees))) return other(condition, 'chooses by a tangent');
  return together([then, otherwise].map((branch): Term => [branch, degreeOf(branch, degrees)]));
}

function ofBinder(expression: Of<'binder'>, degrees: Degrees): Degree {
  const { binder, body } = expression;
  const inner = degreeOf(body, degrees);
  if (linearBinders.has(binder)) return inner;
  return opaque(expression, [inner], `is not linear: it takes \`${binder}\` of a tangent`);
}

/** How `expression` depends on the tangents. */
export function degreeOf(expression: TypedExpression, degrees: Degrees): Degree {
  switch (expression.kind) {
    case 'number':
      return expression.value === 0 ? zero : constant;
    case 'local':
      return degrees.get(expression.local) ?? constant;
    case 'builtin':
      return ofBuiltin(expression, degrees);
    case 'call':
      return ofCall(expression, degrees);
    case 'tuple':
      return { kind: 'tuple', items: expression.items.map((item) => degreeOf(item, degrees)) };
    case 'project': {
      const target = degreeOf(expression.target, degrees);
      return target.kind === 'tuple' ? target.items[expression.field] : target;
    }
    case 'array':
      return together(expression.items.map((item): Term => [item, degreeOf(item, degrees)]));
    case 'if':
      return ofChoice(expression, degrees);
    case 'convert':
    case 'variable':
      return degreeOf(expression.value, degrees);
    case 'comprehension':
      return degreeOf(expression.body, degrees);
    case 'binder':
      return ofBinder(expression, degrees);
    case 'read':
      return ofRead(expression, degrees);
    case 'derivative':
      return ofDerivative(expression, degrees);
    default:
      return opaque(
        expression,
        partsOf(expression).map((part) => degreeOf(part, degrees)),
        'is not linear in a tangent',
      );
  }
}

/** Why a value is not linear in the tangents; null where it is. */
export function nonlinearTerm(
  value: TypedExpression,
  tangents: ReadonlySet<Local>,
  statements: readonly TypedStatement[] = [],
): Omit<Other, 'kind'> | null {
  const degrees = new Map<Local, Degree>([...tangents].map((tangent) => [tangent, linear]));
  for (const statement of statements) record(statement, degrees);
  const degree = degreeOf(value, degrees);
  if (degree.kind === 'other') return degree;
  return degree.kind === 'constant' ? other(value, 'has no tangent as a factor') : null;
}
