// The way back through a bijector, as far as it is found. It starts with one equation, y = the result, and ends when x is known. An
// equation says that the value of an expression of the body is known; undoing its outermost operation gives equations for
// what stands inside. Values come to be known in two ways: by such an equation, or because all that they are computed from is known.
//
// Why this is sound: the values that equations gave and that were not undone yet determine x and y alike. Each step replaces one of
// them by what it was computed from, given others of them; so it is a bijection with a triangular Jacobian, and the determinant of
// the whole is the product of the derivatives of the steps.

import type { Span } from '../../../grammar/source.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Shape } from '../../dims/shape.ts';
import type { Context } from '../context.ts';
import { mapParts, partsOf } from '../parts.ts';
import type { Local, TypedBody, TypedExpression, TypedStatement } from '../typed.ts';
import { localOf, writerAt, type Frame, type Writer } from './construct.ts';

/** `is`, an expression of the body, has the value `known`. Inside index notation both are elements at the indices of `frame`. */
export interface Equation {
  readonly known: TypedExpression;
  readonly is: TypedExpression;
  readonly frame: Frame | null;
}

/** The places `from..to-1` of one axis of a value, whose other axes are whole. */
export interface Piece {
  readonly axis: number;
  readonly from: Dim;
  readonly to: Dim;
  readonly value: Local;
  readonly span: Span;
}

/** What is known of a value that is not known as a whole. */
export interface Partial {
  readonly pieces: Piece[];
  /** Of a tuple, by field. */
  readonly fields: Map<number, Local>;
}

/** A part of the log-determinant, of the batch's shape, in terms of the body's own locals; and its opposite, which the inverse has. */
export interface Term {
  readonly forwards: TypedExpression;
  readonly backwards: TypedExpression;
}

export interface Course {
  readonly context: Context;
  /** What the inverse gives. */
  readonly input: Local;
  /** The axes of the batch, which all values on the way begin with. */
  readonly batch: Shape;
  /** How each local of the body is computed; those of an `if` are computed by the whole statement. */
  readonly definitions: ReadonlyMap<Local, TypedExpression>;
  readonly producers: ReadonlyMap<Local, TypedStatement>;
  /** Locals that are computed from the input, itself included. */
  readonly dependent: ReadonlySet<Local>;
  readonly known: Set<Local>;
  readonly partial: Map<Local, Partial>;
  /** The inverse. */
  readonly statements: TypedStatement[];
  /** The log-determinant, as a sum. */
  readonly terms: Term[];
  readonly agenda: Equation[];
  /** Loops by those that add up their log-determinants as well, on the way there and on the way back. */
  readonly counting: Map<TypedStatement, TypedStatement>;
  /** Loops of the body that the inverse runs backwards. */
  readonly undone: Set<TypedStatement>;
  /** Follows the equations of a course back; false after a report. */
  readonly follow: (course: Course) => boolean;
}

/** `later`: something it needs is not known yet. `broken`: what is wrong is reported elsewhere. */
export type Outcome = 'done' | 'later' | 'broken' | Diagnostic;

export const writerOf = (course: Course, { span }: { readonly span: Span }): Writer =>
  writerAt(course.context, span);

export function dependsOnInput(course: Course, expression: TypedExpression): boolean {
  if (expression.kind === 'local') return course.dependent.has(expression.local);
  return partsOf(expression).some((part) => dependsOnInput(course, part));
}

/** Defines a local of the inverse. */
export function define(course: Course, local: Local, value: TypedExpression): void {
  const { span } = value;
  course.statements.push({ kind: 'let', local, value, span });
  course.known.add(local);
}

/** `value` under a name, so that it is written once however often it is read. */
export function hold(course: Course, value: TypedExpression, name: string): Local {
  if (value.kind === 'local') return value.local;
  const local: Local = { name, type: value.type, span: value.span };
  define(course, local, value);
  return local;
}

export function partialOf(course: Course, local: Local): Partial {
  const found = course.partial.get(local) ?? { pieces: [], fields: new Map<number, Local>() };
  course.partial.set(local, found);
  return found;
}

/**
 * `expression` in terms of what is known, computing on the way what can be computed; null where something is missing.
 */
export function available(course: Course, expression: TypedExpression): TypedExpression | null {
  if (expression.kind === 'local') return availableLocal(course, expression);
  const known = knownPart(course, expression);
  if (known !== null) return known;
  if (expression.kind === 'derivative' && available(course, expression.by) === null) return null;
  let missing = false;
  const mapped = mapParts(expression, (part) => {
    const found = missing ? null : available(course, part);
    missing ||= found === null;
    return found ?? part;
  });
  return missing ? null : mapped;
}

function availableLocal(
  course: Course,
  expression: Extract<TypedExpression, { kind: 'local' }>,
): TypedExpression | null {
  const { local } = expression;
  if (course.known.has(local)) return expression;
  const definition = course.definitions.get(local);
  if (definition !== undefined) {
    const value = available(course, definition);
    if (value === null) return null;
    define(course, local, value);
    return expression;
  }
  const producer = course.producers.get(local);
  if (producer === undefined) return isOutside(course, local) ? expression : null;
  return produce(course, producer) ? expression : null;
}

/** Hyper-parameters and the other parameters of the function. */
const isOutside = (course: Course, local: Local): boolean => !course.dependent.has(local);

/** Runs a statement of the body as it stands, where all it needs is known. */
function produce(course: Course, statement: TypedStatement): boolean {
  const bound = boundBy(statement);
  const needed = localsIn(statement).filter((local) => !bound.has(local));
  const good = needed.every(
    (local) =>
      availableLocal(course, { kind: 'local', local, type: local.type, span: statement.span }) !==
      null,
  );
  if (!good) return false;
  course.statements.push(statement);
  for (const local of bound) course.known.add(local);
  return true;
}

/** A part of a value that is known in part: `x[.., :k]`, a field. */
function knownPart(course: Course, expression: TypedExpression): TypedExpression | null {
  if (expression.kind === 'project' && expression.target.kind === 'local') {
    const field = course.partial.get(expression.target.local)?.fields.get(expression.field);
    return field === undefined ? null : localOf(writerOf(course, expression), field);
  }
  if (expression.kind !== 'read' || expression.target.kind !== 'local') return null;
  const partial = course.partial.get(expression.target.local);
  if (partial === undefined || course.known.has(expression.target.local)) return null;
  const { slots } = expression;
  const cuts = slots.filter((slot) => slot.kind !== 'keep');
  const [cut] = cuts;
  if (cuts.length !== 1 || cut.kind !== 'range') return null;
  const axis = slots
    .slice(0, slots.indexOf(cut))
    .reduce((count, slot) => count + (slot.kind === 'keep' ? slot.axes.length : 1), 0);
  const piece = partial.pieces.find(
    (p) => p.axis === axis && p.from.key === cut.from.key && p.to.key === cut.to.key,
  );
  return piece === undefined ? null : localOf(writerOf(course, expression), piece.value);
}

// ---- courses ------------------------------------------------------------------------------------------------------

const definitionsOf = (statements: readonly TypedStatement[]): Map<Local, TypedExpression> =>
  new Map(
    statements.flatMap((s): [Local, TypedExpression][] =>
      s.kind === 'let' ? [[s.local, s.value]] : [],
    ),
  );

/** The locals that are computed from the input, itself included. */
function dependentLocals(input: Local, statements: readonly TypedStatement[]): Set<Local> {
  const dependent = new Set([input]);
  const reads = (expressions: readonly TypedExpression[]): boolean =>
    expressions.some((e) => localsOf(e).some((local) => dependent.has(local)));
  for (const statement of statements)
    if (reads(expressionsOf(statement)))
      for (const local of boundBy(statement)) dependent.add(local);
  return dependent;
}

export function newCourse(
  context: Context,
  input: Local,
  batch: Shape,
  { statements }: TypedBody,
  follow: Course['follow'],
): Course {
  const producers = new Map<Local, TypedStatement>();
  for (const statement of statements)
    if (statement.kind !== 'let')
      for (const local of boundBy(statement)) producers.set(local, statement);
  return {
    context,
    input,
    batch,
    definitions: definitionsOf(statements),
    producers,
    dependent: dependentLocals(input, statements),
    known: new Set(),
    partial: new Map(),
    statements: [],
    terms: [],
    agenda: [],
    counting: new Map(),
    undone: new Set(),
    follow,
  };
}

/** `statements` with the log-determinants of their loops. */
export const counted = (
  { counting }: Course,
  statements: readonly TypedStatement[],
): readonly TypedStatement[] => statements.map((statement) => counting.get(statement) ?? statement);

/** The inverse, and what it leaves out of the body. */
export const backStatements = (
  { known, statements, undone }: Course,
  forward: TypedBody,
): readonly TypedStatement[] => [
  ...statements,
  ...forward.statements.filter(
    (statement) =>
      !undone.has(statement) && [...boundBy(statement)].some((local) => !known.has(local)),
  ),
];

// ---- statements ---------------------------------------------------------------------------------------------------

/** The statements directly inside one. */
export function innerOf(statement: TypedStatement): readonly TypedStatement[] {
  if (statement.kind === 'if') return [...statement.then, ...statement.else];
  return 'body' in statement ? statement.body : [];
}

/** The expressions of a statement, those of inner ones included. */
export function expressionsOf(statement: TypedStatement): readonly TypedExpression[] {
  const inner = innerOf(statement).flatMap(expressionsOf);
  switch (statement.kind) {
    case 'let':
    case 'update':
      return [statement.value];
    case 'draw':
      return statement.draw.arguments;
    case 'if':
      return [statement.condition, ...inner];
    case 'for': {
      const { over, until, carries } = statement;
      const layers = over.kind === 'layers' ? [over.layers] : [];
      const initial = carries.map((carry) => carry.initial);
      return [...layers, ...initial, ...(until === null ? [] : [until]), ...inner];
    }
    case 'fix': {
      const initial = statement.carries.map((carry) => carry.initial);
      return [...initial, statement.tolerance, ...inner];
    }
    case 'root':
      return [statement.low, statement.high, statement.tolerance, statement.value, ...inner];
  }
}

function ownLocals(statement: TypedStatement): readonly Local[] {
  switch (statement.kind) {
    case 'let':
    case 'draw':
      return [statement.local];
    case 'for': {
      const carried = statement.carries.flatMap(({ inside, after }) => [inside, after]);
      const stacked = statement.stacked.map(({ after }) => after);
      return [statement.variable, ...carried, ...stacked];
    }
    case 'fix':
      return statement.carries.flatMap(({ inside, after }) => [inside, after]);
    case 'root':
      return [statement.variable, statement.after];
    case 'update':
    case 'if':
      return [];
  }
}

/** The locals that a statement gives a value, in it or after it. */
export const boundBy = (statement: TypedStatement): Set<Local> =>
  new Set([...ownLocals(statement), ...innerOf(statement).flatMap((inner) => [...boundBy(inner)])]);

/** The locals that a statement reads. */
export const localsIn = (statement: TypedStatement): Local[] => [
  ...new Set(expressionsOf(statement).flatMap(localsOf)),
];

export function localsOf(expression: TypedExpression): Local[] {
  if (expression.kind === 'local') return [expression.local];
  // The locals of its body are its own.
  if (expression.kind === 'each') return expression.given.flatMap(({ value }) => localsOf(value));
  return partsOf(expression).flatMap(localsOf);
}
