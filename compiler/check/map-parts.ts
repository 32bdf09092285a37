// A typed expression with the expressions directly inside it replaced.

import type { Index, ReadSlot, TypedExpression } from './typed.ts';

/** `expression` with `change` applied to each of its parts; itself where no part changes. */
export function mapParts(expression: TypedExpression, change: Change): TypedExpression {
  const owner = (of: TypedExpression | null): TypedExpression | null =>
    of === null ? null : change(of);
  const all = (items: readonly TypedExpression[]): readonly TypedExpression[] => items.map(change);
  switch (expression.kind) {
    case 'number':
    case 'boolean':
    case 'string':
    case 'dim':
    case 'local':
    case 'index':
    case 'training':
    case 'self':
    case 'builtin-function':
      return expression;
    case 'constant':
    case 'layer':
    case 'state':
    case 'function':
      return { ...expression, owner: owner(expression.owner) };
    case 'parameter':
      return { ...expression, owner: change(expression.owner) };
    case 'element':
    case 'project':
      return { ...expression, target: change(expression.target) };
    case 'call':
      return mapCall(expression, change);
    case 'builtin':
      return { ...expression, arguments: all(expression.arguments) };
    case 'tuple':
    case 'array':
      return { ...expression, items: all(expression.items) };
    case 'if':
      return {
        ...expression,
        condition: change(expression.condition),
        then: change(expression.then),
        else: change(expression.else),
      };
    case 'convert':
    case 'variable':
      return { ...expression, value: change(expression.value) };
    case 'instantiation':
    case 'params':
    case 'with':
    case 'each':
    case 'put':
      return mapOfLayers(expression, change);
    case 'derivative':
      // What it is taken by is a name, not a value.
      return {
        ...expression,
        of: change(expression.of),
        direction: owner(expression.direction),
      };
    case 'comprehension':
      return { ...expression, body: change(expression.body) };
    case 'read':
      return {
        ...expression,
        target: change(expression.target),
        slots: expression.slots.map((slot) => mapSlot(slot, change)),
      };
    case 'binder':
      return {
        ...expression,
        indices: expression.indices.map(({ index, prefix }) => ({
          index,
          prefix: prefix === null ? null : { ...prefix, bound: change(prefix.bound) },
        })),
        body: change(expression.body),
      };
  }
}

type Change = (part: TypedExpression) => TypedExpression;
type Of<K extends TypedExpression['kind']> = Extract<TypedExpression, { kind: K }>;

const mapCall = (expression: Of<'call'>, change: Change): TypedExpression => {
  const { callee } = expression;
  const { owner } = callee.kind === 'value' ? { owner: null } : callee;
  return {
    ...expression,
    callee:
      callee.kind === 'value'
        ? { ...callee, value: change(callee.value) }
        : { ...callee, owner: owner === null ? null : change(owner) },
    arguments: expression.arguments.map(change),
  };
};

/** The forms that work on layers, their parameters and states. */
function mapOfLayers(
  expression: Of<'instantiation' | 'params' | 'with' | 'each' | 'put'>,
  change: Change,
): TypedExpression {
  switch (expression.kind) {
    case 'instantiation': {
      const { values } = expression.value;
      const changed = new Map([...values].map(([local, value]) => [local, change(value)]));
      return { ...expression, value: { ...expression.value, values: changed } };
    }
    case 'params':
      return { ...expression, of: change(expression.of) };
    case 'with':
      return {
        ...expression,
        target: change(expression.target),
        params: change(expression.params),
      };
    case 'each':
      // Its body has locals of its own.
      return {
        ...expression,
        given: expression.given.map((given) => ({ ...given, value: change(given.value) })),
      };
    case 'put':
      return {
        ...expression,
        target: change(expression.target),
        slots: expression.slots.map((slot) =>
          slot.kind === 'at' ? { ...slot, at: change(slot.at) } : slot,
        ),
        value: change(expression.value),
      };
  }
}

function mapSlot(slot: ReadSlot, change: Change): ReadSlot {
  if (slot.kind === 'at') return { ...slot, at: change(slot.at) };
  if (slot.kind !== 'group') return slot;
  return { ...slot, items: slot.items.map((item) => ({ ...item, at: change(item.at) })) };
}

/** `expression` with an index variable replaced by an integer expression; it must not be bound inside. */
export function substituteIndex(
  expression: TypedExpression,
  index: Index,
  by: TypedExpression,
): TypedExpression {
  if (expression.kind === 'index') return expression.index === index ? by : expression;
  return mapParts(expression, (part) => substituteIndex(part, index, by));
}
