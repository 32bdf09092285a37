// Schedules and decision processes: `Linear(1000)` becomes an instance whose tables are computed once, in float64, when first
// read, and checked when it is made. In graphs they are constants.

import type { Elaborated, Environment, InstanceValue } from '../builtins/elaboration.ts';
import { asTensor, spread, tensorOf } from '../builtins/labelled.ts';
import type { TypedConstant, TypedExpression } from '../check/typed.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { tables } from '../diagnostics/tables.ts';
import type { Span } from '../../grammar/source.ts';
import type { Tensor } from '../ir/tensor.ts';
import { computeNow, knownValue } from './build-time.ts';
import { checkProcess } from './decision-processes.ts';
import { refuse, type Context } from './context.ts';
import { instantiate } from './instances.ts';
import { dtypeOfBase, resolveShape, tensorTypeOf } from './sizes.ts';
import { failureOf } from './table-checks.ts';

type InstantiationExpression = Extract<TypedExpression, { kind: 'instantiation' }>;

/** The last instance that each expression gave, and where: the same schedule serves all graphs of a program. */
const instances = new WeakMap<
  InstantiationExpression,
  { readonly environment: Environment; readonly instance: InstanceValue }
>();

/** What an instance computed so far, and where it was made. */
interface Tables {
  readonly span: Span;
  readonly values: Map<TypedConstant, Tensor>;
}

const computed = new WeakMap<InstanceValue, Tables>();

/** `Linear(1000)` */
export function tabulatedInstance(
  context: Context,
  expression: InstantiationExpression,
  environment: Environment,
): InstanceValue {
  const known = instances.get(expression);
  if (known?.environment === environment) return known.instance;
  const { value, span } = expression;
  const instance = instantiate(context, value, value.type.model.name, environment);
  demandNumbers(instance, span);
  computed.set(instance, { span, values: new Map() });
  checkInstance(context, instance, span);
  instances.set(expression, { environment, instance });
  return instance;
}

/** Refuses a hyper-parameter that is computed in a graph, to which the instance would then belong. */
function demandNumbers({ environment }: InstanceValue, span: Span): void {
  for (const [{ name }, value] of environment.locals)
    if (value.kind === 'tensor') {
      const data = { what: `\`${name}\``, why: 'is no number by itself' };
      refuse(report(tables.E0805, { span, data }));
    }
}

/** A table of an instance in the graph that is being built. */
export const tableValue = (
  context: Context,
  table: TypedConstant,
  owner: InstanceValue,
): Elaborated => knownValue(context, tableTensor(context, table, owner));

/** The numbers of a table. */
export function tableTensor(context: Context, table: TypedConstant, owner: InstanceValue): Tensor {
  const known = computed.get(owner);
  if (known === undefined) throw new Error(`${owner.path} has no tables`);
  const made = known.values.get(table) ?? compute(context, table, owner, known.span);
  known.values.set(table, made);
  return made;
}

function compute(
  context: Context,
  { name, type, value, span }: TypedConstant,
  owner: InstanceValue,
  madeAt: Span,
): Tensor {
  const { environment } = owner;
  const { base, shape } = tensorTypeOf(type);
  const [tensor] = computeNow(context, `\`${name}\``, { made: madeAt, written: span }, (inner) => {
    const found = asTensor(inner.builder, inner.evaluate(value, environment), dtypeOfBase(base));
    return [tensorOf(spread(inner.builder, found, [], resolveShape(shape, environment)))];
  });
  return tensor;
}

/** Refuses an instance of which a check fails. */
function checkInstance(context: Context, instance: InstanceValue, span: Span): void {
  const { model } = instance;
  for (const check of model.checks) {
    const failure = failureOf(context, check, instance, span);
    if (failure !== null)
      refuse(
        report(tables.E0804, {
          span,
          data: failure,
          related: [{ span: check.span, reason: `\`${model.name}\` demands it here` }],
        }),
      );
  }
  if (model.keyword === 'mdp')
    checkProcess(instance, span, (table) => tableTensor(context, table, instance));
}
