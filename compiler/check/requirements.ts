// `where` clauses: conditions on sizes, assumed in a body and proved at each call.

import type { CompareExpression, Expression, Parameter, Relation } from '../../grammar/ast.ts';
import { walk } from '../../grammar/walk.ts';
import { textOf, type Span } from '../../grammar/source.ts';
import { report, type Related } from '../diagnostics/diagnostic.ts';
import { sizes } from '../diagnostics/types-and-shapes.ts';
import { add, isConstant, one } from '../dims/arithmetic.ts';
import { assume, type Assumptions, type Fact } from '../dims/assumptions.ts';
import type { Dim } from '../dims/dim.ts';
import { proveAtMost, proveDivisible, proveEqual, type Answer } from '../dims/prove.ts';
import { showDim, showValuation, sourceDim } from '../dims/show.ts';
import type { Context, Requirement } from './context.ts';
import { toSize } from './dimensions.ts';
import { substituteSize } from './substitute.ts';
import { isDimType } from './types-from-syntax.ts';
import type { Bindings } from './types.ts';

const facts: Partial<Record<Relation, (left: Dim, right: Dim) => Fact>> = {
  '==': (left, right) => ({ kind: 'equal', left, right }),
  '<=': (left, right) => ({ kind: 'at most', left, right }),
  '<': (left, right) => ({ kind: 'less', left, right }),
  '>=': (left, right) => ({ kind: 'at most', left: right, right: left }),
  '>': (left, right) => ({ kind: 'less', left: right, right: left }),
};

/** `d % heads == 0` */
function divisibility(context: Context, node: CompareExpression): Fact | null | 'other' {
  const [left, right] = node.operands;
  const zero = right?.kind === 'number' && Number(right.text) === 0;
  if (!zero || node.relations[0] !== '==' || left.kind !== 'binary' || left.operator !== '%')
    return 'other';
  const of = toSize(context, left.left);
  const by = toSize(context, left.right);
  return of === null || by === null ? null : { kind: 'divisible', left: of, right: by };
}

/** Whether an expression can be about sizes: no calls, and none of the parameters that are values. */
function isAboutSizes(node: Expression, values: ReadonlySet<string>): boolean {
  let good = true;
  walk(node, (child) => {
    if (!('kind' in child)) return true;
    if (child.kind === 'call' || child.kind === 'binder' || child.kind === 'index') good = false;
    if (child.kind === 'name' && values.has(child.text)) good = false;
    return good;
  });
  return good;
}

/** Of the conditions of a `where` clause, those on hyper-parameters that are no sizes: `0 <= slip <= 1`. */
export function valueConditions(
  where: readonly Expression[],
  parameters: readonly Parameter[],
): readonly Expression[] {
  const values = new Set(parameters.filter((p) => !isDimType(p.type)).map((p) => p.name.text));
  return where.filter((node) => node.kind !== 'error' && !isAboutSizes(node, values));
}

function comparisonFacts(context: Context, node: CompareExpression): Requirement[] {
  const divisible = divisibility(context, node);
  if (divisible !== 'other')
    return divisible === null ? [] : [{ fact: divisible, span: node.span }];
  const operands = node.operands.map((operand) => toSize(context, operand));
  return node.relations.flatMap((relation, i): Requirement[] => {
    const [left, right] = [operands[i], operands[i + 1]];
    const fact = facts[relation];
    if (fact === undefined) {
      context.report(report(sizes.E0110, { span: node.span, data: { found: textOf(node.span) } }));
      return [];
    }
    return left === null || right === null ? [] : [{ fact: fact(left, right), span: node.span }];
  });
}

/** The conditions that a `where` clause states, each with its place; `values`: the parameters that are no sizes. */
export function requirementsOf(
  context: Context,
  where: readonly Expression[],
  values: ReadonlySet<string>,
): readonly Requirement[] {
  return where.flatMap((node): readonly Requirement[] => {
    if (node.kind === 'error') return [];
    if (node.kind === 'compare' && isAboutSizes(node, values))
      return comparisonFacts(context, node);
    if (node.kind === 'binary' && node.operator === 'and')
      return requirementsOf(context, [node.left, node.right], values);
    context.report(report(sizes.E0110, { span: node.span, data: { found: textOf(node.span) } }));
    return [];
  });
}

export const assumeAll = (
  assumptions: Assumptions,
  requirements: readonly Requirement[],
): Assumptions => requirements.reduce((all, { fact }) => assume(all, fact), assumptions);

export const substituteFact = (fact: Fact, bindings: Bindings): Fact => ({
  ...fact,
  left: substituteSize(fact.left, bindings),
  right: substituteSize(fact.right, bindings),
});

function prove({ kind, left, right }: Fact, assumptions: Assumptions): Answer {
  if (kind === 'equal') return proveEqual(left, right, assumptions);
  if (kind === 'at most') return proveAtMost(left, right, assumptions);
  if (kind === 'less') return proveAtMost(add(left, one), right, assumptions);
  const by = isConstant(right);
  const of = isConstant(left);
  if (by !== null && by < 1) return { kind: 'unknown' };
  if (by !== null && of !== null)
    return of % by === 0
      ? { kind: 'proved' }
      : { kind: 'refuted', valuation: new Map(), left: of, right: by };
  return proveDivisible(left, right, assumptions);
}

const relationText = { equal: '==', 'at most': '<=', less: '<' } as const;

export const sourceFact = ({ kind, left, right }: Fact): string =>
  kind === 'divisible'
    ? `${sourceDim(left)} % ${sourceDim(right)} == 0`
    : `${sourceDim(left)} ${relationText[kind]} ${sourceDim(right)}`;

/** Whether numbers alone decide a fact. */
const concrete = (fact: Fact): boolean =>
  isConstant(fact.left) !== null && isConstant(fact.right) !== null;

/** Proves at a use what the `where` clause of a definition demands; reports what is refuted or not known. */
export function demand(
  context: Context,
  span: Span,
  name: string,
  requirements: readonly Requirement[],
  bindings: Bindings,
  related: readonly Related[] = [],
): void {
  for (const requirement of requirements) {
    const fact = substituteFact(requirement.fact, bindings);
    const answer = prove(fact, context.assumptions);
    if (answer.kind === 'proved') continue;
    const source = sourceFact(fact);
    const shared = {
      span,
      related: [{ span: requirement.span, reason: `\`${name}\` demands it here` }, ...related],
    };
    const callee = `\`${name}\``;
    const condition = textOf(requirement.span);
    if (answer.kind === 'unknown' || !concrete(fact)) {
      const values =
        answer.kind === 'refuted' && answer.valuation.size > 0
          ? showValuation(answer.valuation)
          : null;
      context.report(
        report(sizes.E0109, {
          ...shared,
          data: { callee, condition: source, values },
        }),
      );
      continue;
    }
    const values =
      fact.kind === 'divisible'
        ? `${showDim(fact.left)} is no multiple of ${showDim(fact.right)}`
        : `that is ${source}`;
    context.report(report(sizes.E0108, { ...shared, data: { callee, condition, values } }));
  }
}
