// Calls: a function's body runs in place, with the sizes of its signature bound to those of this use and its parameters to
// the arguments.

import type { Elaborated, Environment, InstanceValue } from '../builtins/elaboration.ts';
import { ownShape } from '../builtins/labelled.ts';
import type { Callee, TypedExpression, TypedFunction } from '../check/typed.ts';
import type { Bindings, Type } from '../check/types.ts';
import { noAssumptions } from '../dims/assumptions.ts';
import { constant } from '../dims/arithmetic.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import { matchShapes, substituteShape, type Axis, type Shape } from '../dims/shape.ts';
import { solve, type Equation } from '../dims/solve.ts';
import { refuse, type Context } from './context.ts';
import { asCall, type Call } from './draws.ts';
import { environmentOf } from './instances.ts';
import { withRule } from './rules.ts';
import { resolveDim, resolveShape } from './sizes.ts';

type CallExpression = Extract<TypedExpression, { kind: 'call' }>;

interface Sizes {
  readonly dims: ReadonlyMap<DimVar, Dim>;
  readonly packs: ReadonlyMap<PackVar, readonly Dim[]>;
}

export function evaluateCall(
  context: Context,
  expression: CallExpression,
  environment: Environment,
): Elaborated {
  const { callee, bindings, type } = expression;
  const values = expression.arguments.map((a) => context.evaluate(a, environment));
  if (callee.kind === 'function') {
    const owner = ownerOf(context, callee, environment);
    const sizes = resolveBindings(bindings, environment);
    const path = owner?.path ?? environment.path;
    return context.builder.at({ path, span: expression.span }, () =>
      runFunction(context, callee.function, owner, sizes, values, path, {
        site: expression,
        span: expression.span,
      }),
    );
  }
  const target = context.evaluate(callee.value, environment);
  return callValue(context, target, values, {
    type,
    environment,
    span: expression.span,
    site: expression,
  });
}

/** Calls a function value; its own sizes follow from the arguments. */
export function callValue(
  context: Context,
  target: Elaborated,
  values: readonly Elaborated[],
  call: Call & { readonly type: Type; readonly environment: Environment },
): Elaborated {
  if (target.kind === 'builtin')
    return target.builtin.elaborate({
      builder: context.builder,
      arguments: values,
      expressions: [],
      type: call.type,
      data: null,
      size: (dim) => resolveDim(dim, call.environment),
      padded: (value, padding) => void context.paddings.set(value, padding),
      refuse: (at) => refuse(at(call.span)),
    });
  const callable = callableOf(target);
  if (callable === null) throw new Error(`a ${target.kind} is not a function`);
  const { owner } = callable;
  const given = withDefaults(context, callable.function, owner, values);
  const sizes = sizesFromArguments(callable.function, owner, given);
  const path = owner?.path ?? call.environment.path;
  return context.builder.at({ path, span: call.span }, () =>
    runFunction(context, callable.function, owner, sizes, given, path, call),
  );
}

/** A function type says nothing of parameters with defaults: they are filled in where the function is known. */
function withDefaults(
  context: Context,
  called: TypedFunction,
  owner: InstanceValue | null,
  values: readonly Elaborated[],
): readonly Elaborated[] {
  const missing = called.parameters
    .slice(values.length)
    .flatMap(({ default: value }) => value ?? []);
  return [...values, ...missing.map((value) => context.evaluate(value, environmentOf(owner)))];
}

function callableOf(
  target: Elaborated,
): { readonly function: TypedFunction; readonly owner: InstanceValue | null } | null {
  if (target.kind === 'closure') return target;
  if (target.kind !== 'instance') return null;
  const unnamed = target.model.functions.find((f) => f.name === null);
  return unnamed === undefined ? null : { function: unnamed, owner: target };
}

function ownerOf(
  context: Context,
  callee: Extract<Callee, { kind: 'function' }>,
  environment: Environment,
): InstanceValue | null {
  if (callee.owner === null) return null;
  const owner = context.evaluate(callee.owner, environment);
  if (owner.kind !== 'instance') throw new Error(`a ${owner.kind} owns no functions`);
  return owner;
}

function resolveBindings({ dims, packs }: Bindings, environment: Environment): Sizes {
  return {
    dims: new Map([...dims].map(([v, d]) => [v, resolveDim(d, environment)])),
    packs: new Map([...packs].map(([p, shape]) => [p, resolveShape(shape, environment)])),
  };
}

/** What the signature's own sizes are, by the shapes of the arguments: for functions that were passed as values. */
export function sizesFromArguments(
  called: TypedFunction,
  owner: InstanceValue | null,
  values: readonly Elaborated[],
): Sizes {
  const outer = environmentOf(owner);
  const unknownPacks = new Set(called.quantified.filter((q) => q.kind === 'pack'));
  const unknowns = new Set(called.quantified.filter((q) => q.kind === 'variable'));
  const packs = new Map<PackVar, readonly Dim[]>();
  const equations: Equation<null>[] = [];
  const sizesOf = (shape: Shape): Dim[] =>
    shape.flatMap((axis) => (axis.kind === 'size' ? [axis.size] : []));
  const match = (type: Type, value: Elaborated): void => {
    if (type.kind === 'tuple' && value.kind === 'tuple')
      type.fields.forEach((field, i) => match(field.type, value.items[i]));
    if (type.kind !== 'tensor') return;
    const own = value.kind === 'tensor' ? ownShape(value) : [];
    const actual = own.map((size): Axis => ({ kind: 'size', size }));
    const known = [...outer.packs].map(([p, sizes]): [PackVar, Shape] => [
      p,
      sizes.map((size): Axis => ({ kind: 'size', size })),
    ]);
    const pattern = substituteShape(type.shape, new Map(known), (d) => resolveDim(d, outer));
    const found = matchShapes(pattern, actual, unknownPacks);
    if (found.kind !== 'matched') throw new Error(`an argument does not fit: ${found.kind}`);
    for (const [pack, shape] of found.packs) packs.set(pack, sizesOf(shape));
    for (const { left, right } of found.equations) equations.push({ left, right, origin: null });
  };
  const given = new Map<DimVar, Dim>();
  called.parameters.forEach(({ local, dim }, i) => {
    const value = values[i];
    if (dim === null) match(local.type, value);
    else if (value.kind === 'dim') given.set(dim, value.dim);
    else if (value.kind === 'number') given.set(dim, constant(value.value));
  });
  for (const v of given.keys()) unknowns.delete(v);
  const { bindings } = solve(equations, unknowns, noAssumptions);
  return { dims: new Map([...given, ...bindings]), packs };
}

/** Runs a function's body on values; `path` is whose work it is. */
export function runFunction(
  context: Context,
  called: TypedFunction,
  owner: InstanceValue | null,
  sizes: Sizes,
  values: readonly Elaborated[],
  path: string,
  call: Call,
): Elaborated {
  const body = called.body();
  if (body === null) throw new Error(`the body of ${called.name ?? 'a function'} is broken`);
  const outer = environmentOf(owner);
  const locals = new Map(outer.locals);
  called.parameters.forEach(({ local }, i) => locals.set(local, values[i]));
  const packs = merged(outer.packs, sizes.packs);
  const environment: Environment = {
    dims: withMultiples(called, merged(outer.dims, sizes.dims), { ...outer, packs }),
    packs,
    locals,
    indices: new Map(),
    self: owner,
    statements: body.statements,
    path,
  };
  const given = [...values, ...(owner?.other?.values.values() ?? [])];
  const inCall = { ...call, isBijector: isBijector(called) };
  const result = asCall(context, nameOf(called, owner), inCall, given, () => {
    context.run(body.statements, environment, locals);
    return context.evaluate(body.result, environment);
  });
  const rule = called.rule();
  return rule === null ? result : withRule(context, rule, result, values, environment);
}

/** Whether a function is a bijector, or derived of one. Its other members may draw and update. */
const isBijector = ({ owner, name }: TypedFunction): boolean =>
  owner?.keyword === 'bijector' && (name === null || derivedNames.has(name));

const derivedNames: ReadonlySet<string> = new Set(['inverse', 'logdet', 'inverse.logdet']);

/** Sizes that the signature binds by others: the inverse of a squeeze binds H' of H = 2 H'. */
function withMultiples(
  { assumptions }: TypedFunction,
  dims: ReadonlyMap<DimVar, Dim>,
  outer: Environment,
): ReadonlyMap<DimVar, Dim> {
  const missing = [...assumptions.rewrites].filter(([v]) => !dims.has(v));
  if (missing.length === 0) return dims;
  const known = { ...outer, dims };
  return new Map([...dims, ...missing.map(([v, d]): [DimVar, Dim] => [v, resolveDim(d, known)])]);
}

/** `net.enc`, `net.elbo`, `noise`: a function by its layer and name. */
const nameOf = ({ name }: TypedFunction, owner: InstanceValue | null): string =>
  [owner?.path ?? [], name ?? []].flat().join('.');

const merged = <K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): ReadonlyMap<K, V> =>
  a.size === 0 ? b : b.size === 0 ? a : new Map([...a, ...b]);
