// Bases: fin -> int -> real wherever the context asks for it, and questions about typed expressions that many rules ask.

import { constant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Shape } from '../dims/shape.ts';
import { substituteSize } from './substitute.ts';
import type { TypedExpression } from './typed.ts';
import type { Base, TensorType, Type } from './types.ts';

export const real: Base = { kind: 'real' };
export const int: Base = { kind: 'int' };
export const bool: Base = { kind: 'bool' };

export const tensor = (base: Base, shape: Shape = []): TensorType => ({
  kind: 'tensor',
  base,
  shape,
});

export const realScalar: TensorType = tensor(real);
export const intScalar: TensorType = tensor(int);
export const boolScalar: TensorType = tensor(bool);

export const isScalar = (type: Type): type is TensorType =>
  type.kind === 'tensor' && type.shape.length === 0;

/** `value` with another base; nothing where it has that base already. */
export function convertTo(value: TypedExpression, to: Base): TypedExpression {
  if (value.type.kind !== 'tensor' || value.type.base.kind === to.kind) return value;
  return { kind: 'convert', value, to, type: tensor(to, value.type.shape), span: value.span };
}

const rank: Readonly<Record<Base['kind'], number | null>> = { fin: 0, int: 1, real: 2, bool: null };

/** Whether a value of base `from` may stand where `to` is wanted, sizes of `fin` aside. */
export function converts(from: Base, to: Base): boolean {
  if (from.kind === to.kind) return true;
  const [a, b] = [rank[from.kind], rank[to.kind]];
  return a !== null && b !== null && a < b;
}

/** The smallest base that both convert to. */
export function joinBases(a: Base, b: Base): Base | null {
  if (a.kind === 'fin' && b.kind === 'fin') return a.size.key === b.size.key ? a : int;
  if (converts(a, b)) return b;
  return converts(b, a) ? a : null;
}

/** The size that an expression is, where it is one: a size, a whole number, or a constant that is one. */
export function sizeOfExpression(expression: TypedExpression): Dim | null {
  switch (expression.kind) {
    case 'dim':
      return expression.dim;
    case 'number':
      return Number.isSafeInteger(expression.value) ? constant(expression.value) : null;
    case 'constant': {
      const size = sizeOfExpression(expression.constant.value);
      const owner = expression.owner?.type;
      if (size === null || owner === undefined || owner.kind !== 'instance') return size;
      return substituteSize(size, owner.bindings);
    }
    case 'convert':
      return expression.to.kind === 'int' ? sizeOfExpression(expression.value) : null;
    default:
      return null;
  }
}
