// Free sizes from the inputs' shapes: which axis of which input determines each variable, and the values once concrete
// shapes are known. The interpreter evaluates the plan, the ONNX emitter writes it into the graph.

import { dimOf, evaluate, exactDivide, sumOfTerms, variablesOf } from '../dims/arithmetic.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import type { Port } from './graph.ts';

/**
 * `variable = (size of axis - rest) / coefficient`; both may mention variables solved before it. Without an axis it is the value of
 * the port.
 */
export interface SizeSource {
  readonly variable: DimVar;
  readonly port: Port;
  readonly axis: number | null;
  readonly coefficient: Dim;
  readonly rest: Dim;
}

/** How to find every size the inputs determine, each from only earlier ones; bare names first. */
export function sizeSources(inputs: readonly Port[]): readonly SizeSource[] {
  const axes = inputs.flatMap((port) => {
    const sizes: readonly { readonly axis: number | null; readonly size: Dim }[] =
      port.size === undefined
        ? port.value.shape.map((size, axis) => ({ axis, size }))
        : [{ axis: null, size: port.size }];
    return sizes.map((of) => ({ port, ...of, variables: [...variablesOf(of.size)] }));
  });
  const open = axes.filter(({ variables }) => variables.length > 0);
  const bareFirst = [...open.filter((a) => isBare(a.size)), ...open.filter((a) => !isBare(a.size))];
  const sources: SizeSource[] = [];
  const solved = new Set<DimVar | PackVar>();
  for (let before = -1; before < solved.size;) {
    before = solved.size;
    for (const { port, axis, size, variables } of bareFirst) {
      const [unknown, ...others] = variables.filter((v) => !solved.has(v));
      if (unknown?.kind !== 'variable' || others.length > 0) continue;
      const split = linearIn(size, unknown);
      if (split === null) continue;
      sources.push({ variable: unknown, port, axis, ...split });
      solved.add(unknown);
    }
  }
  return sources;
}

const isBare = (size: Dim): boolean => {
  const [variable] = variablesOf(size);
  return variable?.kind === 'variable' && dimOf(variable).key === size.key;
};

/** `size = coefficient * variable + rest`, or null where it is not of that form. */
function linearIn(size: Dim, variable: DimVar): { coefficient: Dim; rest: Dim } | null {
  const holds = (d: Dim): boolean => variablesOf(d).has(variable);
  const rest = sumOfTerms(size.terms.filter((t) => !holds(sumOfTerms([t]))));
  const mine = sumOfTerms(size.terms.filter((t) => holds(sumOfTerms([t]))));
  const coefficient = exactDivide(mine, dimOf(variable));
  return coefficient === null || holds(coefficient) ? null : { coefficient, rest };
}

/** The value of a dimension; throws for one that no input determines. */
export type SizeOf = (dim: Dim) => number;

/**
 * Binds the free sizes of `inputs` to concrete shapes, and those of role `size` to the values `given`, and checks every axis against
 * them. The result is a sentence that names the input where something does not fit.
 */
export function bindSizes(
  inputs: readonly Port[],
  shapes: ReadonlyMap<string, readonly number[]>,
  given: ReadonlyMap<string, number> = new Map(),
): SizeOf | string {
  for (const { name, value } of inputs) {
    const shape = shapes.get(name);
    if (shape === undefined) return `input ${name} is missing`;
    if (shape.length !== value.shape.length)
      return `input ${name} has ${shape.length} axes, [${shape.join(', ')}], but ${value.shape.length} are expected: ${showShape(value.shape)}`;
  }
  const values = new Map<DimVar | PackVar, number>();
  const from = new Map<DimVar | PackVar, string>();
  const sizeOf = memoised((dim) => evaluateWith(dim, values));
  for (const { variable, port, axis, coefficient, rest } of sizeSources(inputs)) {
    const size =
      axis === null ? (given.get(port.name) ?? Number.NaN) : sizeAt(shapes, port.name, axis);
    const value = (size - evaluateWith(rest, values)) / evaluateWith(coefficient, values);
    if (axis === null && (!Number.isInteger(value) || value < variable.minimum))
      return `input ${port.name} is ${size}, which is not ${showDim(port.size ?? dimOf(variable))} for any ${variable.name}${variable.minimum === 0 ? '' : ' of at least 1'}`;
    if (axis !== null && (!Number.isInteger(value) || value < 0))
      return `input ${port.name}: axis ${axis} has size ${size}, which is not ${showDim(port.value.shape[axis])} for any ${variable.name}`;
    values.set(variable, value);
    from.set(variable, `${variable.name} is ${value} by input ${port.name}`);
  }
  for (const { name, value } of inputs)
    for (const [axis, dim] of value.shape.entries()) {
      const size = sizeAt(shapes, name, axis);
      if (sizeOf(dim) === size) continue;
      return `input ${name}: axis ${axis} has size ${size}, but ${because(dim, sizeOf(dim), from)}`;
    }
  return sizeOf;
}

/** `B is 3 by input x`, or `2 * n is 6, since n is 3 by input x`. */
function because(dim: Dim, size: number, from: ReadonlyMap<DimVar | PackVar, string>): string {
  const reasons = [...variablesOf(dim)]
    .map((v) => from.get(v))
    .filter((text) => text !== undefined);
  if (isBare(dim)) return reasons.join('');
  return [
    `${showDim(dim)} is ${size}`,
    ...(reasons.length === 0 ? [] : [`since ${reasons.join(' and ')}`]),
  ].join(', ');
}

const sizeAt = (
  shapes: ReadonlyMap<string, readonly number[]>,
  name: string,
  axis: number,
): number => shapes.get(name)?.[axis] ?? Number.NaN;

const showShape = (shape: readonly Dim[]): string => `[${shape.map(showDim).join(', ')}]`;

function evaluateWith(dim: Dim, values: ReadonlyMap<DimVar | PackVar, number>): number {
  const value = evaluate(dim, (v) => {
    const known = values.get(v);
    if (known === undefined) throw new Error(`no input determines the size ${v.name}`);
    return known;
  });
  if (!Number.isSafeInteger(value))
    throw new Error(`the size ${showDim(dim)} is not a whole number`);
  return value;
}

function memoised(compute: SizeOf): SizeOf {
  const known = new Map<string, number>();
  return (dim) => {
    let value = known.get(dim.key);
    if (value === undefined) known.set(dim.key, (value = compute(dim)));
    return value;
  };
}
