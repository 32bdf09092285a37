// Where functions have kinks, poles and ties: what the records' documentation promises there, in the interpreter. The expected
// values are those of IEEE 754, or of JAX's conventions (ties share) where the documentation names them.

import { describe, expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { Builder } from '../../compiler/ir/builder-types.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { TensorType, Value } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { runInterpreter, typeOf } from './run-graph.ts';

type Body = (b: Builder, xs: readonly Value[]) => readonly Value[];

/** The results of `body` on real vectors, as plain numbers; the operands' `types` are those of the vectors, if not given. */
function onVectors(
  vectors: readonly (readonly number[])[],
  body: Body,
  types?: readonly TensorType[],
): number[][] {
  const inputs = vectors.map((x) => tensor('f32', [x.length], x, 'f64'));
  const builder = createBuilder();
  const xs = inputs.map((x, i) => builder.input(`x${i}`, 'data', types?.[i] ?? typeOf(x)));
  body(builder, xs).forEach((y, i) => builder.output(`y${i}`, 'result', y));
  const outputs = runInterpreter(differentiate(builder.graph('edge')), inputs, 'f64');
  return Object.values(outputs).map(({ data }) => Array.from(data));
}

/** Derivatives of the sum of `f`. */
const derivativesOf =
  (f: (b: Builder, xs: readonly Value[]) => Value): Body =>
  (b, xs) => {
    const y = f(b, xs);
    const total = b.reduce(
      'add',
      y,
      y.shape.map((_, axis) => axis),
    );
    return b.gradient(total, xs);
  };

describe('ties and kinks', () => {
  it.each(['maximum', 'minimum'] as const)('%s shares a tie in halves', (name) => {
    const f = derivativesOf((b, [x, y]) => b.binary(name, x, y));
    const first = name === 'maximum' ? [0, 0.5, 1] : [1, 0.5, 0];
    const second = first.map((weight) => 1 - weight);
    expect(onVectors([[1, 2, 3], [2, 2, 2]], f)).toEqual([first, second]); // prettier-ignore
  });

  it.each(['max', 'min'] as const)('reduce %s shares among all that attain it', (kind) => {
    const sign = kind === 'max' ? 1 : -1;
    const f = derivativesOf((b, [x]) => b.reduce(kind, x, [0]));
    const [gradient] = onVectors([[3, 1, 3, 3].map((x) => sign * x)], f);
    expect(gradient).toEqual([1 / 3, 0, 1 / 3, 1 / 3]);
  });

  it('abs has derivative 0 at 0', () => {
    const f = derivativesOf((b, [x]) => b.unary('abs', x));
    expect(onVectors([[-2, 0, 2]], f)).toEqual([[-1, 0, 1]]);
  });

  it('power: by the base 0 where the exponent is 0, by the exponent 0 where the base is not positive', () => {
    const f = derivativesOf((b, [x, y]) => b.binary('power', x, y));
    expect(onVectors([[0, 0, 0, -2], [0, 1, 2, 3]], f)).toEqual([[0, 1, 0, 12], [0, 0, 0, 0]]); // prettier-ignore
  });

  it('power has its second derivative at 0', () => {
    const slope = derivativesOf((b, [x, y]) => b.binary('power', x, y));
    const f = derivativesOf((b, xs) => slope(b, xs)[0]);
    expect(onVectors([[0, 0, 0], [0, 1, 2]], f)[0]).toEqual([0, 0, 2]); // prettier-ignore
  });
});

describe('the derivative of a product', () => {
  const size = dimOf(variable('N'));
  const shapes = { 'of a static size': constant(4), 'of a free size': size };

  describe.each(Object.entries(shapes))('%s', (_name, length) => {
    const types: TensorType[] = [{ dtype: 'f32', shape: [length] }];
    const slopes = derivativesOf((b, [x]) => b.reduce('multiply', x, [0]));

    it.each([
      { x: [2, 3, 5, 7], expected: [105, 70, 42, 30] },
      { x: [2, 0, 5, 7], expected: [0, 70, 0, 0] },
      { x: [2, 0, 0, 7], expected: [0, 0, 0, 0] },
    ])('at $x', ({ x, expected }) => {
      expect(onVectors([x], slopes, types)).toEqual([expected]);
    });

    it('is differentiable at two zeros', () => {
      const secondOnly = tensor('f32', [4], [0, 1, 0, 0]);
      const f = derivativesOf((b, xs) => {
        const mask = b.reshape(b.constant(secondOnly), [length]);
        return b.multiply(slopes(b, xs)[0], mask);
      });
      expect(onVectors([[2, 0, 0, 7]], f, types)).toEqual([[0, 0, 14, 0]]);
    });
  });
});

describe('rounding', () => {
  it('takes halves to the even integer', () => {
    const f: Body = (b, [x]) => [b.unary('round_even', x)];
    expect(onVectors([[-2.5, -1.5, 0.5, 1.5, 2.5, 2.4, 1e300]], f)).toEqual([
      [-2, -2, 0, 2, 2, 2, 1e300],
    ]);
  });
});
