// The dimension algebra against plain arithmetic on random expressions: the normal form keeps every value, no proof is
// wrong, and every counterexample is one. DLG_DIMS_RUNS sets the number of random cases of a deeper run.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { evaluate, isDefined, substitute } from '../../compiler/dims/arithmetic.ts';
import { assume, noAssumptions } from '../../compiler/dims/assumptions.ts';
import { proveAtMost, proveDivisible, proveEqual } from '../../compiler/dims/prove.ts';
import { sourceDim } from '../../compiler/dims/show.ts';
import {
  factHolds,
  smallTrees,
  toDim,
  toFact,
  treeFacts,
  trees,
  valuations,
  valueOf,
  variables,
  type Tree,
} from './expressions.ts';

const RUNS = Number(process.env['DLG_DIMS_RUNS'] ?? 100_000);

const assignment = (values: readonly number[]) => (v: unknown) =>
  values[variables.findIndex((w) => w === v)];

const claims = [
  { name: 'equal', prove: proveEqual, holds: (l: number, r: number) => l === r },
  { name: 'at most', prove: proveAtMost, holds: (l: number, r: number) => l <= r },
  {
    name: 'divisible',
    prove: proveDivisible,
    holds: (l: number, r: number) => r < 1 || l % r === 0,
  },
];

/** Vitest's own `expect` is too slow for the innermost loops. */
function same(actual: number, expected: number): void {
  if (actual !== expected) expect.fail(`${actual}, not ${expected}`);
}

describe('random expressions', () => {
  test('keep their values in normal form', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const d = toDim(tree);
        for (const values of valuations) {
          const expected = valueOf(tree, values);
          if (Number.isNaN(expected) || !isDefined(d)) continue;
          same(evaluate(d, assignment(values)), expected);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('keep their values under substitution', () => {
    fc.assert(
      fc.property(trees, trees, (tree, by) => {
        const d = substitute(toDim(tree), new Map([[variables[0], toDim(by)]]));
        for (const values of valuations) {
          const inner = valueOf(by, values);
          if (!(inner >= 1) || !isDefined(d)) continue;
          const expected = valueOf(tree, [inner, values[1], values[2]]);
          if (!Number.isNaN(expected)) same(evaluate(d, assignment(values)), expected);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('read back as what they are', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const d = toDim(tree);
        fc.pre(isDefined(d));
        // DLG's `//` and `^` as JavaScript spells them, on numbers small enough for exact division.
        const text = sourceDim(d).replaceAll('^', '**');
        for (const values of valuations.slice(0, 8)) {
          const expected = evaluate(d, assignment(values));
          if (!Number.isNaN(expected)) same(evaluateSource(text, values), expected);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/** A tiny evaluator of `sourceDim`'s output by precedence climbing. */
function evaluateSource(text: string, values: readonly number[]): number {
  const tokens = text.match(/\d+|\w+|\*\*|\/\/|[-+*()]/g) ?? [];
  let at = 0;
  const atom = (): number => {
    const token = tokens[at++];
    if (token === '(') {
      const inside = sum();
      at++;
      return inside;
    }
    const index = variables.findIndex((v) => v.name === token);
    return index < 0 ? Number(token) : values[index];
  };
  const unary = (): number => {
    if (tokens[at] === '-') return (at++, -unary());
    const base = atom();
    return tokens[at] === '**' ? (at++, base ** unary()) : base;
  };
  const product = (): number => {
    let left = unary();
    while (tokens[at] === '*' || tokens[at] === '//')
      left = tokens[at++] === '*' ? left * unary() : Math.floor(left / unary());
    return left;
  };
  const sum = (): number => {
    let left = product();
    while (tokens[at] === '+' || tokens[at] === '-')
      left = tokens[at++] === '+' ? left + product() : left - product();
    return left + 0;
  };
  return sum();
}

describe('random claims under random assumptions', () => {
  test(`no proof is unsound and every refutation checks, in ${RUNS} cases`, () => {
    const counts = { proved: 0, refuted: 0, unknown: 0 };
    /** Half the claims compare an expression with itself plus a little, so that many are nearly true. */
    const near = (left: Tree, right: Tree, k: number): Tree =>
      k < 3 ? right : { op: k < 5 ? '+' : '-', left, right };
    const cases = fc.tuple(
      smallTrees,
      smallTrees,
      fc.nat(5),
      fc.constantFrom(0, 0, 1, 1, 2),
      fc.array(treeFacts, { maxLength: 2 }),
    );
    fc.assert(
      fc.property(cases, ([left, other, k, which, facts]) => {
        const right = near(left, other, k);
        const claim = claims[which];
        const known = facts.map(toFact);
        const [l, r] = [toDim(left), toDim(right)];
        const answer = claim.prove(l, r, known.reduce(assume, noAssumptions));
        counts[answer.kind]++;
        if (answer.kind === 'refuted') {
          const valuation = new Map([...answer.valuation, ...(answer.others ?? [])]);
          const values = variables.map((v) => valuation.get(v) ?? 1);
          const allowed = variables.every((v, i) => values[i] >= v.minimum);
          if (!allowed || facts.some((f) => factHolds(f, values) === false))
            expect.fail(`refuted at ${values.join(', ')}, which the assumptions exclude`);
          if (claim.holds(answer.left, answer.right)) expect.fail('refuted by what holds');
          same(evaluate(l, assignment(values)), answer.left);
          same(evaluate(r, assignment(values)), answer.right);
        }
        if (answer.kind === 'proved')
          for (const values of valuations) {
            const [x, y] = [valueOf(left, values), valueOf(right, values)];
            if (Number.isNaN(x) || Number.isNaN(y)) continue;
            if (facts.every((f) => factHolds(f, values) === true) && !claim.holds(x, y))
              expect.fail(`${claim.name}: proved, but ${x} and ${y} at ${values.join(', ')}`);
          }
      }),
      { numRuns: RUNS },
    );
    // The test means something only if all answers occur often.
    expect(Math.min(counts.proved, counts.refuted) / RUNS).toBeGreaterThan(0.03);
  }, 120_000);
});
