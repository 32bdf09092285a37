// Indices of reads that are affine in index variables, `i * s + u * d - p`: what decides between slices, windows and gathers.

import type { Environment, Label } from '../builtins/elaboration.ts';
import type { TypedExpression } from '../check/typed.ts';
import { add, constant, multiply, negate, zero } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import { resolveDim } from './sizes.ts';

/** `offset + sum of step * label`, no step zero; labels in order of their ids. */
export interface Affine {
  readonly terms: readonly AffineTerm[];
  readonly offset: Dim;
}

export interface AffineTerm {
  readonly label: Label;
  readonly step: Dim;
}

const constantAffine = (offset: Dim): Affine => ({ terms: [], offset });

/** The expression as an affine index, or null where it is none. */
export function affineOf(expression: TypedExpression, environment: Environment): Affine | null {
  switch (expression.kind) {
    case 'dim':
      return constantAffine(resolveDim(expression.dim, environment));
    case 'number':
      return Number.isInteger(expression.value) ? constantAffine(constant(expression.value)) : null;
    case 'index': {
      const labels = environment.indices.get(expression.index);
      if (labels?.length === 0) return constantAffine(zero);
      if (labels?.length !== 1) return null;
      return { terms: [{ label: labels[0], step: constant(1) }], offset: zero };
    }
    case 'convert':
      return expression.to.kind === 'real' ? null : affineOf(expression.value, environment);
    case 'local': {
      const value = environment.locals.get(expression.local);
      if (value?.kind === 'dim') return constantAffine(value.dim);
      return value?.kind === 'number' && value.integer
        ? constantAffine(constant(value.value))
        : null;
    }
    case 'builtin':
      return affineOfBuiltin(expression, environment);
    default:
      return null;
  }
}

function affineOfBuiltin(
  { builtin, arguments: operands }: Extract<TypedExpression, { kind: 'builtin' }>,
  environment: Environment,
): Affine | null {
  const combine = combinations[builtin.name];
  if (combine === undefined) return null;
  const parts = operands.map((operand) => affineOf(operand, environment));
  const known = parts.filter((part) => part !== null);
  return known.length === parts.length ? combine(...known) : null;
}

const combinations: Readonly<Record<string, ((...parts: Affine[]) => Affine | null) | undefined>> =
  {
    add: (a, b) => sum(a, b),
    subtract: (a, b) => sum(a, scaled(b, constant(-1))),
    negate: (a) => scaled(a, constant(-1)),
    multiply: (a, b) => {
      if (a.terms.length === 0) return scaled(b, a.offset);
      return b.terms.length === 0 ? scaled(a, b.offset) : null;
    },
  };

function sum(a: Affine, b: Affine): Affine {
  const steps = new Map<Label, Dim>();
  for (const { label, step } of [...a.terms, ...b.terms])
    steps.set(label, add(steps.get(label) ?? zero, step));
  const terms = [...steps]
    .map(([label, step]) => ({ label, step }))
    .filter(({ step }) => step.terms.length > 0)
    .sort((x, y) => x.label.id - y.label.id);
  return { terms, offset: add(a.offset, b.offset) };
}

const scaled = (a: Affine, by: Dim): Affine =>
  sum(
    {
      terms: a.terms.map(({ label, step }) => ({ label, step: multiply(step, by) })),
      offset: by.key === '-1' ? negate(a.offset) : multiply(a.offset, by),
    },
    constantAffine(zero),
  );
