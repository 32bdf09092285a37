// What stands directly inside typed expressions and statements.

import type { Local, TypedExpression, TypedStatement, TypedStep } from './typed.ts';

/** The expressions directly inside an expression. */
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

/** The expressions directly inside a step. */
export function expressionsOf(step: TypedStep): readonly TypedExpression[] {
  switch (step.kind) {
    case 'let':
    case 'update':
    case 'report':
      return [step.value];
    case 'draw':
      return step.draw.arguments;
    case 'optimize':
      return [
        step.objective,
        ...step.optimizer.values.values(),
        ...(step.clip === null ? [] : [step.clip]),
      ];
    case 'track':
      return [step.decay];
    case 'every':
    case 'repeat':
      return step.steps.flatMap(expressionsOf);
    case 'if':
      return [step.condition, ...[...step.then, ...step.else].flatMap(expressionsOf)];
    case 'for':
      return [
        ...(step.over.kind === 'layers' ? [step.over.layers] : []),
        ...step.carries.map(({ initial }) => initial),
        ...step.body.flatMap(expressionsOf),
        ...(step.until === null ? [] : [step.until]),
      ];
    case 'fix':
      return [...step.carries.map(({ initial }) => initial), ...step.body.flatMap(expressionsOf)];
    case 'root':
      return [step.low, step.high, ...step.body.flatMap(expressionsOf), step.value];
  }
}

/** The locals that a statement binds in the body around it. */
export function boundBy(statement: TypedStatement): readonly Local[] {
  switch (statement.kind) {
    case 'let':
    case 'draw':
      return [statement.local];
    case 'update':
      return [];
    case 'if':
      return [...statement.then, ...statement.else].flatMap(boundBy);
    case 'for':
    case 'fix': {
      const stacked = statement.kind === 'for' ? statement.stacked : [];
      return [...statement.carries, ...stacked].map(({ after }) => after);
    }
    case 'root':
      return [statement.after];
  }
}
