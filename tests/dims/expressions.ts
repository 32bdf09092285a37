// Random size expressions as trees with an evaluator of their own, against which the dimension algebra is tested.

import fc from 'fast-check';

import {
  add,
  constant,
  dimOf,
  floorDivide,
  multiply,
  remainder,
  subtract,
  variable,
} from '../../compiler/dims/arithmetic.ts';
import type { Fact } from '../../compiler/dims/assumptions.ts';
import type { Dim } from '../../compiler/dims/dim.ts';

export type Tree =
  | { readonly op: 'number'; readonly value: number }
  | { readonly op: 'variable'; readonly index: number }
  | { readonly op: '+' | '-' | '*' | '//' | '%'; readonly left: Tree; readonly right: Tree };

/** The last may be 0. */
export const variables = [variable('a'), variable('b'), variable('p', 0)];

const builders = { '+': add, '-': subtract, '*': multiply, '//': floorDivide, '%': remainder };

export function toDim(tree: Tree): Dim {
  if (tree.op === 'number') return constant(tree.value);
  if (tree.op === 'variable') return dimOf(variables[tree.index]);
  return builders[tree.op](toDim(tree.left), toDim(tree.right));
}

/** The value by plain arithmetic; NaN where a divisor is not positive. */
export function valueOf(tree: Tree, values: readonly number[]): number {
  if (tree.op === 'number') return tree.value;
  if (tree.op === 'variable') return values[tree.index];
  const [l, r] = [valueOf(tree.left, values), valueOf(tree.right, values)];
  if (tree.op === '+') return l + r;
  if (tree.op === '-') return l - r;
  if (tree.op === '*') return l * r;
  if (!(r >= 1)) return Number.NaN;
  // Small numbers: Math.floor of their quotient is exact.
  return tree.op === '//' ? Math.floor(l / r) : l - r * Math.floor(l / r);
}

export interface TreeFact {
  readonly kind: Fact['kind'];
  readonly left: Tree;
  readonly right: Tree;
}

export const toFact = (fact: TreeFact): Fact => ({
  kind: fact.kind,
  left: toDim(fact.left),
  right: toDim(fact.right),
});

/** Null where a side has no value, of which the algebra promises nothing: `p // p` is 1 to it, for any p. */
export function factHolds(fact: TreeFact, values: readonly number[]): boolean | null {
  const [l, r] = [valueOf(fact.left, values), valueOf(fact.right, values)];
  if (Number.isNaN(l) || Number.isNaN(r)) return null;
  if (fact.kind === 'equal') return l === r;
  if (fact.kind === 'at most') return l <= r;
  if (fact.kind === 'less') return l < r;
  return r >= 1 && l % r === 0;
}

/** All of `{1..4}^2 x {0..3}`, and larger ones. */
export const valuations: readonly (readonly number[])[] = [
  ...Array.from({ length: 64 }, (_, k) => [1 + (k & 3), 1 + ((k >> 2) & 3), k >> 4]),
  ...Array.from({ length: 64 }, (_, k) => [
    1 + ((k * 7) % 23),
    1 + ((k * 11 + 5) % 29),
    (k * 5 + 3) % 17,
  ]),
];

const leaf: fc.Arbitrary<Tree> = fc
  .nat(11)
  .map((n): Tree =>
    n < 7 ? { op: 'variable', index: n % 3 } : { op: 'number', value: [1, 2, 3, 4, 6][n - 7] },
  );

const operator = fc.constantFrom('+', '-', '*', '//', '//', '%' as const);

const grow = (child: fc.Arbitrary<Tree>): fc.Arbitrary<Tree> =>
  fc.tuple(operator, child, child).map(([op, left, right]): Tree => ({ op, left, right }));

const small = fc.oneof(leaf, grow(leaf));
export const trees: fc.Arbitrary<Tree> = fc.oneof(small, grow(small), grow(grow(leaf)));

/** Mostly one operation: cheap enough for a hundred thousand claims. */
export const smallTrees: fc.Arbitrary<Tree> = fc.oneof(
  { weight: 2, arbitrary: leaf },
  { weight: 6, arbitrary: grow(leaf) },
  { weight: 1, arbitrary: trees },
);

/** About a size, and seldom impossible. */
export const treeFacts: fc.Arbitrary<TreeFact> = fc
  .record({
    kind: fc.constantFrom('equal', 'at most', 'at most', 'less', 'divisible', 'divisible' as const),
    left: fc.oneof(leaf, grow(leaf)),
    right: leaf,
  })
  .filter((fact) => fact.left.op !== 'number' && fact.left !== fact.right)
  .filter((fact) => valuations.some((values) => factHolds(fact, values) === true));
