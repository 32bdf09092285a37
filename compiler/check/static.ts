// What is known when the program is built: hyper-parameters, sizes, constants and what is computed from them.

import type { Local, TypedExpression, TypedModel } from './typed.ts';

/** Whether all that a definition computes is known when the program is built: schedules and decision processes. */
export const isTabulated = ({ keyword }: TypedModel): boolean =>
  keyword === 'schedule' || keyword === 'mdp';

/** Whether the value of an expression is known at elaboration; `isStaticLocal` knows the hyper-parameters. */
export function isStatic(
  expression: TypedExpression,
  isStaticLocal: (local: Local) => boolean,
): boolean {
  const all = (items: readonly TypedExpression[]): boolean =>
    items.every((item) => isStatic(item, isStaticLocal));
  switch (expression.kind) {
    case 'number':
    case 'boolean':
    case 'string':
    case 'dim':
    case 'training':
    case 'self':
    case 'function':
    case 'builtin-function':
    case 'layer':
    case 'element':
      return true;
    case 'local':
      return isStaticLocal(expression.local);
    case 'instantiation':
      return all([...expression.value.values.values()]);
    case 'constant':
      if (expression.owner?.type.kind === 'instance' && isTabulated(expression.owner.type.model))
        return true;
      return isStatic(expression.constant.value, isStaticLocal);
    case 'builtin':
      return expression.type.kind === 'tensor' && expression.type.shape.length === 0
        ? all(expression.arguments)
        : false;
    case 'call':
      return (
        expression.type.kind === 'tensor' &&
        expression.type.shape.length === 0 &&
        expression.callee.kind === 'function' &&
        expression.callee.owner === null &&
        all(expression.arguments)
      );
    case 'convert':
      return isStatic(expression.value, isStaticLocal);
    case 'if':
      return all([expression.condition, expression.then, expression.else]);
    case 'tuple':
    case 'array':
      return all(expression.items);
    case 'project':
      return isStatic(expression.target, isStaticLocal);
    case 'index':
    case 'parameter':
    case 'state':
    case 'comprehension':
    case 'read':
    case 'put':
    case 'binder':
    case 'derivative':
    case 'params':
    case 'with':
    case 'each':
    case 'variable':
      return false;
  }
}
