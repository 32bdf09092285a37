// Expressions of the typed program as values: one rule a kind. Numbers, sizes and booleans known now stay so; tensors become
// nodes of the graph.

import type { Elaborated, Environment, Label } from '../builtins/elaboration.ts';
import {
  asTensor,
  numberOf,
  ownShape,
  sizeValue,
  spread,
  tensorOf,
  unionOfLabels,
  varies,
} from '../builtins/labelled.ts';
import { isTabulated } from '../check/static.ts';
import type { TypedExpression } from '../check/typed.ts';
import { isConstant, multiply, one } from '../dims/arithmetic.ts';
import { tensor as concreteTensor } from '../ir/tensor.ts';
import { evaluateBinder } from './binders.ts';
import { evaluateCall } from './calls.ts';
import { choose } from './choose.ts';
import { refuse, type Context } from './context.ts';
import { evaluateDerivative, evaluateVariable } from './derivatives.ts';
import { inNotation } from './draws.ts';
import { bindGroup } from './indices.ts';
import { constantValue, layerValue } from './instances.ts';
import { evaluateEach, evaluateParams, evaluateWith } from './params.ts';
import { evaluatePut } from './puts.ts';
import { evaluateRead, labelsOf } from './reads.ts';
import { dtypeOfBase, dtypeOfType, resolveDim, tensorTypeOf } from './sizes.ts';
import { readParameter, readState } from './store.ts';
import { tableValue, tabulatedInstance } from './tables.ts';

type Of<K extends TypedExpression['kind']> = Extract<TypedExpression, { kind: K }>;

type Rules = {
  readonly [K in TypedExpression['kind']]: (
    context: Context,
    expression: Of<K>,
    environment: Environment,
  ) => Elaborated;
};

/** The value of an expression. */
export function evaluate(
  context: Context,
  expression: TypedExpression,
  environment: Environment,
): Elaborated {
  // Each rule takes its own kind; TypeScript cannot tie the key to the argument.
  const rule = rules[expression.kind] as (
    context: Context,
    expression: TypedExpression,
    environment: Environment,
  ) => Elaborated;
  return rule(context, expression, environment);
}

const ownerInstance = (
  context: Context,
  owner: TypedExpression | null,
  environment: Environment,
): Environment['self'] => {
  if (owner === null) return null;
  const value = context.evaluate(owner, environment);
  if (value.kind !== 'instance') throw new Error(`a ${value.kind} is no instance`);
  return value;
};

const rules: Rules = {
  number: (_, { value, type }) =>
    numberOf(value, type.kind === 'tensor' && type.base.kind !== 'real'),
  boolean: (_, { value }) => ({ kind: 'boolean', value }),
  string: () => {
    throw new Error('a string has no value in a graph');
  },
  dim: (_, { dim }, environment) => sizeValue(resolveDim(dim, environment)),
  local: (_, { local }, environment) => {
    const value = environment.locals.get(local);
    if (value === undefined) throw new Error(`the variable ${local.name} has no value`);
    return value;
  },
  index: ({ builder }, { index }, environment) => {
    const labels = labelsOf(index, environment);
    if (labels.length === 0) return numberOf(0, true);
    return tensorOf(builder.iota([labels[0].size], 0), labels.slice(0, 1));
  },
  training: ({ training }) => ({ kind: 'boolean', value: training }),
  instantiation: tabulatedInstance,
  self: (_, __, environment) => {
    if (environment.self === null) throw new Error('there is no instance here');
    return environment.self;
  },
  constant: (context, { constant: definition, owner }, environment) => {
    const instance = ownerInstance(context, owner, environment);
    return instance !== null && isTabulated(instance.model)
      ? tableValue(context, definition, instance)
      : constantValue(context, definition, instance);
  },
  layer: (context, { layer, owner }, environment) =>
    layerValue(context, layer, ownerInstance(context, owner, environment)),
  parameter: (context, { parameter, owner }, environment) => {
    const instance = ownerInstance(context, owner, environment);
    if (instance === null) throw new Error('a parameter belongs to an instance');
    return readParameter(context.store, instance, parameter);
  },
  state: (context, { state, owner }, environment) => {
    const instance = ownerInstance(context, owner, environment);
    const home = instance?.environment ?? environment;
    return readState(context.store, instance, state, home);
  },
  function: (context, { function: definition, owner }, environment) => ({
    kind: 'closure',
    function: definition,
    owner: ownerInstance(context, owner, environment),
  }),
  'builtin-function': (_, { builtin }) => ({ kind: 'builtin', builtin }),
  element: (context, { target, at }, environment) => {
    const layers = context.evaluate(target, environment);
    const position = isConstant(resolveDim(at, environment));
    if (layers.kind !== 'layers' || position === null) throw new Error('no such layer');
    return layers.items[position];
  },
  call: evaluateCall,
  builtin: (context, { builtin, arguments: operands, type, data, span }, environment) =>
    builtin.elaborate({
      builder: context.builder,
      arguments: operands.map((operand) => context.evaluate(operand, environment)),
      expressions: operands,
      type,
      data,
      size: (dim) => resolveDim(dim, environment),
      padded: (value, padding) => void context.paddings.set(value, padding),
      refuse: (at) => refuse(at(span)),
    }),
  tuple: (context, { items }, environment) => ({
    kind: 'tuple',
    items: items.map((item) => context.evaluate(item, environment)),
  }),
  project: (context, { target, field }, environment) => {
    const value = context.evaluate(target, environment);
    if (value.kind !== 'tuple') throw new Error(`a ${value.kind} has no fields`);
    return value.items[field];
  },
  if: evaluateIf,
  array: evaluateArray,
  convert: evaluateConvert,
  comprehension: (context, expression, environment) =>
    inNotation(context, () => evaluateComprehension(context, expression, environment)),
  read: evaluateRead,
  put: evaluatePut,
  binder: (context, expression, environment) =>
    inNotation(context, () => evaluateBinder(context, expression, environment)),
  derivative: evaluateDerivative,
  variable: evaluateVariable,
  params: evaluateParams,
  with: evaluateWith,
  each: evaluateEach,
};

function evaluateConvert(
  context: Context,
  { value, to }: Of<'convert'>,
  environment: Environment,
): Elaborated {
  const inner = context.evaluate(value, environment);
  if (inner.kind === 'number') return numberOf(inner.value, to.kind !== 'real');
  if (inner.kind === 'tensor') return asTensor(context.builder, inner, dtypeOfBase(to));
  return inner.kind === 'dim' && to.kind === 'real'
    ? asTensor(context.builder, inner, 'f32')
    : inner;
}

function evaluateIf(context: Context, expression: Of<'if'>, environment: Environment): Elaborated {
  const condition = context.evaluate(expression.condition, environment);
  if (condition.kind === 'boolean') {
    const branch = condition.value ? expression.then : expression.else;
    return context.evaluate(branch, environment);
  }
  const [onTrue, onFalse] = [expression.then, expression.else].map((branch) =>
    context.evaluate(branch, environment),
  );
  return choose(context.builder, condition, onTrue, onFalse);
}

function evaluateArray(
  context: Context,
  { items, type }: Of<'array'>,
  environment: Environment,
): Elaborated {
  const { builder } = context;
  const dtype = dtypeOfType(type);
  const values = items.map((item) => context.evaluate(item, environment));
  const numbers = values.flatMap((value) => (value.kind === 'number' ? [value.value] : []));
  if (numbers.length === values.length)
    return tensorOf(builder.constant(concreteTensor(dtype, [numbers.length], numbers, 'f64')));
  const tensors = values.map((value) => asTensor(builder, value, dtype));
  const labels = unionOfLabels(tensors);
  const own = ownShape(tensors[0]);
  const sizes = labels.map((label) => label.size);
  const parts = tensors.map((t) =>
    builder.reshape(spread(builder, t, labels, own), [...sizes, one, ...own]),
  );
  return tensorOf(builder.concatenate(parts, labels.length), labels);
}

/** A tensor whose axes are the index variables of the left side; groups of them are flattened. */
function evaluateComprehension(
  context: Context,
  { axes, body, type }: Of<'comprehension'>,
  environment: Environment,
): Elaborated {
  const { builder } = context;
  let inner = environment;
  const groups = axes.map((indices) => {
    const bound = bindGroup(context, indices, inner);
    inner = bound.environment;
    return { labels: bound.labels, isPack: indices.length === 1 && indices[0].pack !== null };
  });
  const labels = groups.flatMap((group): readonly Label[] => group.labels);
  const { base } = tensorTypeOf(type);
  const element = asTensor(builder, context.evaluate(body, inner), dtypeOfBase(base));
  const mine = { labels };
  const outer = element.labels.filter((label) => !varies(mine, label));
  const sorted = unionOfLabels([{ labels: outer }]);
  const value = spread(builder, element, [...sorted, ...labels], []);
  // A pack alone stays several axes; every other group is one.
  const shape = groups.flatMap((group) => {
    const sizes = group.labels.map((label) => label.size);
    return group.isPack ? sizes : [sizes.reduce(multiply, one)];
  });
  const flattened = builder.reshape(value, [...sorted.map((label) => label.size), ...shape]);
  return tensorOf(flattened, sorted);
}
