// Finding the ranges of indices: index notation is read once with ranges unknown, every read gives an equation, and all
// are solved together, so their order never matters.

import type { Identifier } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { indices } from '../diagnostics/indices.ts';
import { sizes } from '../diagnostics/types-and-shapes.ts';
import {
  add,
  dimOf,
  equal,
  multiply,
  one,
  substitute,
  subtract,
  variable,
} from '../dims/arithmetic.ts';
import type { Dim, DimVar } from '../dims/dim.ts';
import { sizesOf } from '../dims/linear.ts';
import { proveEqual } from '../dims/prove.ts';
import { solve } from '../dims/solve.ts';
import {
  type Context,
  type KnownRange,
  type Notation,
  type Trial,
  type TrialEquation,
} from './context.ts';
import type { Index, TypedExpression } from './typed.ts';

let lastIndex = 0;

export const newIndex = (name: string, range: Dim, pack: Index['pack'] = null): Index => ({
  id: ++lastIndex,
  name,
  range,
  pack,
});
export const newTrial = (dots: Trial['dots']): Trial => ({
  unknowns: new Set(),
  equations: [],
  dots,
  ranges: new Map(),
  fallbacks: [],
  affine: [],
  isBroken: false,
});

export const notationOf = (trial: Trial | null): Notation => ({
  trial,
  ranges: new Map(),
  dots: null,
  bounds: new Map(),
  origins: new Map(),
  conflict: { reported: false },
  trialIsBroken: false,
});

/** A fresh index whose range is to be found. */
export function trialIndex(trial: Trial, name: Identifier): Index {
  const range = variable(name.text);
  trial.unknowns.add(range);
  trial.ranges.set(name, range);
  return newIndex(name.text, dimOf(range));
}

/** What the reads that tile an axis say of ranges that are still unknown, given those that are known. */
function tilings(context: Context, trial: Trial, known: ReadonlyMap<DimVar, Dim>): TrialEquation[] {
  const isOpen = (d: Dim): boolean => sizesOf(d).some((v) => trial.unknowns.has(v));
  return trial.affine.flatMap(({ terms, size, origin }): TrialEquation[] => {
    const ranges = terms.map(({ range, coefficient }) => ({
      range: substitute(range, known),
      coefficient,
    }));
    const open = ranges.filter(({ range }) => isOpen(range));
    const [only] = open;
    if (open.length !== 1 || only === undefined) return [];
    const others = ranges.filter((term) => term !== only);
    const reach = others
      .map(({ range, coefficient }) => multiply(coefficient, subtract(range, one)))
      .reduce(add, one);
    return proveEqual(reach, only.coefficient, context.assumptions).kind === 'proved'
      ? [{ left: multiply(only.coefficient, only.range), right: size, origin }]
      : [];
  });
}

/** The unknown that a range is, where nothing else has determined it. */
const bareUnknown = (trial: Trial, d: Dim): DimVar | null => {
  const [v] = sizesOf(d);
  return v !== undefined && trial.unknowns.has(v) && equal(d, dimOf(v)) ? v : null;
};

/** Ranges from bare reads, which settle nearly all; the equations that are left, with those ranges filled in. */
function settleBare(trial: Trial): {
  readonly known: ReadonlyMap<DimVar, Dim>;
  readonly rest: readonly TrialEquation[];
} {
  const isOpen = (d: Dim): boolean => sizesOf(d).some((v) => trial.unknowns.has(v));
  const known = new Map<DimVar, Dim>();
  const rest = trial.equations.filter(({ left, right }) => {
    const v = bareUnknown(trial, left);
    if (v === null || isOpen(right)) return true;
    if (!known.has(v)) known.set(v, right);
    return false;
  });
  const fill = (d: Dim): Dim => substitute(d, known);
  return { known, rest: rest.map((e) => ({ ...e, left: fill(e.left), right: fill(e.right) })) };
}

/** The ranges that a trial's equations give. */
export function rangesOf(context: Context, trial: Trial): Map<Identifier, KnownRange> {
  const { known, rest } = settleBare(trial);
  const unknowns = new Set([...trial.unknowns].filter((v) => !known.has(v)));
  const bindings = new Map(known);
  if (unknowns.size > 0) {
    const equations = [...rest];
    let solution = solve(equations, unknowns, context.assumptions);
    for (const more of [
      (): TrialEquation[] => tilings(context, trial, new Map([...known, ...solution.bindings])),
      (): TrialEquation[] =>
        trial.fallbacks.map((e) => ({
          ...e,
          left: substitute(e.left, known),
          right: substitute(e.right, known),
        })),
    ]) {
      if (solution.undetermined.length === 0) break;
      equations.push(...more());
      solution = solve(equations, unknowns, context.assumptions);
    }
    for (const [v, range] of solution.bindings) bindings.set(v, range);
  }
  return new Map(
    [...trial.ranges].map(([name, range]): [Identifier, KnownRange] => {
      const found = bindings.get(range) ?? null;
      const bare = trial.equations.find((e) => equal(e.left, dimOf(range)));
      const mention = trial.equations.find((e) => e.left.key.includes(`#${range.id}`));
      return [name, { range: found, origin: (bare ?? mention)?.origin ?? null }];
    }),
  );
}

export const silent = (context: Context): Context => ({ ...context, report: () => {} });

/** Binds an index with the range that the trial found; where it found none, null, and the index's uses are silent. */
export function bindKnown(context: Context, notation: Notation, name: Identifier): Index | null {
  const known = notation.ranges.get(name);
  if (known === undefined || known.range === null) {
    context.scope.names.set(name.text, { kind: 'broken', span: name.span });
    return null;
  }
  const index = newIndex(name.text, known.range);
  if (known.origin !== null) notation.origins.set(index, known.origin);
  context.scope.names.set(name.text, { kind: 'index', index, span: name.span });
  return index;
}

/** Whether the definition was told that nothing determines one of its sizes: the ranges are then no news. */
function lacksSize({ session, user }: Context): boolean {
  const whole = user?.node.span;
  return (
    whole !== undefined &&
    session.diagnostics.some(
      ({ code, span }) =>
        code === sizes.E0111.code &&
        span?.source === whole.source &&
        whole.start <= span.start &&
        span.end <= whole.end,
    )
  );
}

/**
 * Checks a body and reports indices without a range, unless a mistake in the body, or one elsewhere that already broke
 * what it reads, is the likelier cause.
 */
export function checkBody(
  context: Context,
  missing: readonly Identifier[],
  trialIsBroken: boolean,
  check: (context: Context) => TypedExpression,
): TypedExpression {
  let reported = false;
  const value = check({
    ...context,
    report: (diagnostic) => {
      reported ||= diagnostic.severity === 'error';
      context.report(diagnostic);
    },
  });
  const elsewhere =
    trialIsBroken && context.session.diagnostics.some((d) => d.severity === 'error');
  if (!reported && !elsewhere && !lacksSize(context))
    for (const name of missing)
      context.report(report(indices.E0305, { span: name.span, data: { name: name.text } }));
  return value;
}
