// A value that solves an equation, differentiated by the equation and not by how it was found.

import { constant } from '../../dims/arithmetic.ts';
import type { Builder } from '../builder-types.ts';
import type { Graph, TensorType, Value } from '../graph.ts';
import { inline } from '../inline.ts';
import type { Differentiation } from '../op.ts';
import { defineOp } from '../op.ts';
import { range } from '../shape-arithmetic.ts';
import { bodyGivesOther, bodyTakesOther } from './bodies.ts';

/** Operands: the `unknowns`, then what the body reads whole. */
export interface ImplicitAttributes {
  readonly [name: string]: Graph | number | string;
  readonly kind: 'fixed_point' | 'root';
  readonly unknowns: number;
  readonly tolerance: number;
  readonly limit: number;
  /** (z, the rest) -> f(z) */
  readonly body: Graph;
}

function typeOfImplicit(
  inputs: readonly TensorType[],
  { unknowns, body }: ImplicitAttributes,
): readonly TensorType[] | string {
  const z = inputs.slice(0, unknowns);
  if (z.some(({ dtype }) => dtype !== 'f32')) return 'solves for real tensors only';
  return bodyTakesOther(body, inputs) ?? bodyGivesOther(body, z) ?? z;
}

type Context = Differentiation<ImplicitAttributes>;

/** (df/da)^T u, where u solves the adjoint equation; everything at the solution z, so that the rule can be differentiated. */
function rule(context: Context): readonly (Value | null)[] {
  const { builder, inputs, outputs: z, wanted, pullBack } = context;
  const { kind, unknowns, body } = context.attributes;
  const captured = inputs.slice(unknowns);
  const u = adjoints[kind](context, captured);
  const given = z.map(() => true);
  const byCaptured = [...z.map(() => false), ...wanted.slice(unknowns)];
  const { graph, cotangents } = pullBack(body, given, byCaptured);
  const made = inline(builder, graph, [...z, ...captured, ...u]);
  return cotangents.map((i) => (i === null ? null : made[i]));
}

const adjoints: Readonly<
  Record<
    ImplicitAttributes['kind'],
    (context: Context, captured: readonly Value[]) => readonly Value[]
  >
> = { fixed_point: adjointFixedPoint, root: adjointRoot };

const orZero = (builder: Builder, g: Value | null, like: Value): Value =>
  g ?? builder.full(0, like.shape);

/**
 * u = g + (df/dz)^T u, by repetition as z was found: it converges as fast. The test is relative to g, since u is linear in it. u is
 * itself the solution of an equation, which gives the derivatives of the derivative.
 */
function adjointFixedPoint(
  { builder: b, outputs: z, attributes, cotangents, pullBack }: Context,
  captured: readonly Value[],
): readonly Value[] {
  const { body, tolerance, limit } = attributes;
  const g = z.map((value, i) => orZero(b, cotangents[i], value));
  const isUnknown = body.inputs.map((_, i) => i < z.length);
  const pulled = pullBack(
    body,
    z.map(() => true),
    isUnknown,
  );
  const step = (c: Builder, u: readonly Value[]): readonly Value[] => {
    const made = inline(c, pulled.graph, [...z, ...captured, ...u]);
    return g.map((value, i) => {
      const index = pulled.cotangents[i];
      return index === null ? value : c.add(value, made[index]);
    });
  };
  const enough = b.multiply(b.scalar(tolerance), largest(b, g));
  const found = b.whileLoop(constant(limit), g, (c, _t, u) => {
    const next = step(c, u);
    const moved = next.map((value, i) => c.subtract(value, u[i]));
    return { carries: next, done: c.compare('le', largest(c, moved), enough) };
  });
  return b.implicit('fixed_point', found.carries, step, { tolerance, limit });
}

/** The largest absolute value of any element. */
const largest = (b: Builder, values: readonly Value[]): Value =>
  values
    .map((x) => b.reduce('max', b.unary('abs', x), range(x.shape.length)))
    .reduce((x, y) => b.binary('maximum', x, y));

/** u = -g / (df/dz): the pullback of ones is the diagonal, which is all there is of df/dz. */
function adjointRoot(
  { builder: b, outputs: z, attributes: { body }, cotangents, pullBack }: Context,
  captured: readonly Value[],
): readonly Value[] {
  return z.map((value, k) => {
    const g = cotangents[k];
    if (g === null) return b.full(0, value.shape);
    const only = z.map((_, i) => i === k);
    const isUnknown = body.inputs.map((_, i) => i === k);
    const pulled = pullBack(body, only, isUnknown);
    const made = inline(b, pulled.graph, [...z, ...captured, b.full(1, value.shape)]);
    const index = pulled.cotangents[k];
    return b.negate(b.divide(g, index === null ? b.full(0, value.shape) : made[index]));
  });
}

const implicit = defineOp<ImplicitAttributes>({
  name: 'implicit',
  doc: 'z itself, as the solution of f(z, a) = z (`fixed_point`) or, element by element, of f(z, a) = 0 (`root`); f is `body`. The implicit function theorem gives its derivative by a: with u = g + (df/dz)^T u, or u = -g / (df/dz), the cotangent of a is (df/da)^T u. By z the derivative is 0.',
  operands: ['z...', 'captured...'],
  type: typeOfImplicit,
  gradient: { kind: 'rule', rule },
  evaluate: ({ inputs, attributes: { unknowns } }) => inputs.slice(0, unknowns),
  onnx: ({ names, attributes: { unknowns } }) => names.slice(0, unknowns),
  wgsl: { kind: 'composite', expand: (_, inputs, { unknowns }) => inputs.slice(0, unknowns) },
  cases: [],
});

export const implicitOps = [implicit];
