// The ends of a graph as the source declares them: data inputs from parameters, results from a function's type.

import type { Elaborated, Environment } from '../builtins/elaboration.ts';
import { asTensor, sizeValue, spread, tensorOf } from '../builtins/labelled.ts';
import type { Local, TypedFunction } from '../check/typed.ts';
import type { TensorType, Type } from '../check/types.ts';
import { dimOf, variable, variablesOf } from '../dims/arithmetic.ts';
import type { Dim, DimVar, PackVar } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import type { DataPort } from '../program.ts';
import { emptyEnvironment, type Context } from './context.ts';
import { dtypeOfBase, resolveDim, resolveShape } from './sizes.ts';

/**
 * The environment of an entry point: its sizes stay free, but for what `where` says of them (with `H % 2 == 0`, H is 2 H',
 * so that halving it and doubling it again gives H); a pack is one free size of the same name.
 */
export function entryEnvironment(
  { quantified, assumptions }: Pick<TypedFunction, 'quantified' | 'assumptions'>,
  locals: Map<Local, Elaborated>,
): Environment {
  const packs = new Map<PackVar, readonly Dim[]>();
  for (const q of quantified) if (q.kind === 'pack') packs.set(q, [dimOf(variable(q.name))]);
  return { ...emptyEnvironment, dims: assumptions.rewrites, packs, locals };
}

export function dataPort(name: string, type: TensorType, environment: Environment): DataPort {
  return {
    name,
    base: type.base.kind,
    size: type.base.kind === 'fin' ? resolveDim(type.base.size, environment) : null,
    shape: resolveShape(type.shape, environment),
  };
}

/** Makes an input of every parameter and binds it in `locals`; a free size that shows in no shape is an input itself. */
export function dataInputs(
  context: Context,
  parameters: readonly { readonly local: Local; readonly dim: DimVar | null }[],
  environment: Environment,
  locals: Map<Local, Elaborated>,
): DataPort[] {
  const { builder } = context;
  const ports: DataPort[] = [];
  for (const { local, dim } of parameters) {
    if (dim !== null || local.type.kind !== 'tensor') continue;
    const port = dataPort(local.name, local.type, environment);
    const type = { dtype: dtypeOfBase(local.type.base), shape: port.shape };
    locals.set(local, tensorOf(builder.input(port.name, 'data', type)));
    ports.push(port);
  }
  const shown = new Set(ports.flatMap(({ shape }) => shape.flatMap((d) => [...variablesOf(d)])));
  for (const { local, dim } of parameters) {
    if (dim === null) continue;
    const size = resolveDim(dimOf(dim), environment);
    if (![...variablesOf(size)].every((v) => shown.has(v))) {
      builder.input(dim.name, 'size', { dtype: 'i32', shape: [] }, size);
      ports.push({ name: dim.name, base: 'int', size: null, shape: [] });
      for (const v of variablesOf(size)) shown.add(v);
    }
    locals.set(local, sizeValue(size));
  }
  return ports;
}

/** A result as an output of the type that is declared. */
export function resultValue(
  context: Context,
  value: Elaborated,
  type: Type,
  environment: Environment,
): Value {
  const { builder } = context;
  if (type.kind !== 'tensor') throw new Error(`a ${type.kind} cannot leave a graph`);
  const tensor = asTensor(builder, value, dtypeOfBase(type.base));
  return spread(builder, tensor, [], resolveShape(type.shape, environment));
}
