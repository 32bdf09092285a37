// The expressions directly inside a typed expression.

import type { TypedExpression } from './typed.ts';

export function partsOf(expression: TypedExpression): readonly TypedExpression[] {
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
      return [];
    case 'constant':
    case 'layer':
    case 'state':
    case 'function':
    case 'parameter':
      return expression.owner === null ? [] : [expression.owner];
    case 'element':
    case 'project':
      return [expression.target];
    case 'call': {
      const { callee } = expression;
      const head = callee.kind === 'value' ? callee.value : callee.owner;
      return head === null ? expression.arguments : [head, ...expression.arguments];
    }
    case 'builtin':
      return expression.arguments;
    case 'instantiation':
      return [...expression.value.values.values()];
    case 'tuple':
    case 'array':
      return expression.items;
    case 'if':
      return [expression.condition, expression.then, expression.else];
    case 'params':
      return [expression.of];
    case 'with':
      return [expression.target, expression.params];
    case 'each':
      return [...expression.given.map(({ value }) => value), expression.body];
    case 'convert':
    case 'variable':
      return [expression.value];
    case 'derivative':
      return [
        expression.of,
        expression.by,
        ...(expression.direction === null ? [] : [expression.direction]),
      ];
    case 'comprehension':
      return [expression.body];
    case 'read':
      return [
        expression.target,
        ...expression.slots.flatMap((slot) => {
          if (slot.kind === 'at') return [slot.at];
          return slot.kind === 'group' ? slot.items.map((item) => item.at) : [];
        }),
      ];
    case 'put':
      return [
        expression.target,
        ...expression.slots.flatMap((slot) => (slot.kind === 'at' ? [slot.at] : [])),
        expression.value,
      ];
    case 'binder':
      return [
        ...expression.indices.flatMap(({ prefix }) => (prefix === null ? [] : [prefix.bound])),
        expression.body,
      ];
  }
}
