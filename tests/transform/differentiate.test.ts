// Gradients of whole models, at first, second and third order, against central differences in float64 and closed forms.

import { describe, expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { range } from '../../compiler/ir/shape-arithmetic.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { dense, generator, perceptronStep, randomTensor, real, relu, sizes } from './models.ts';

const f64 = { precision: 'f64' } as const;
const total = (b: GraphBuilder, x: Value): Value => b.reduce('add', x, range(x.shape.length));

/** The derivatives of a scalar function of scalars, by nesting: [f, f', f'', ...] at `at`. */
function derivatives(f: (b: GraphBuilder, x: Value) => Value, at: number, order: number): number[] {
  const b = createBuilder();
  const x = b.input('x', 'data', real([]));
  let y = f(b, x);
  b.output('d0', 'result', y);
  for (let n = 1; n <= order; n++) {
    [y] = b.gradient(y, [x]);
    b.output(`d${n}`, 'result', y);
  }
  const results = interpret(optimise(b.graph('f')), { x: tensor('f32', [], [at], 'f64') }, f64);
  return range(order + 1).map((n) => results[`d${n}`].data[0]);
}

describe('nested derivatives against closed forms', () => {
  const at = 0.7;
  it.each([
    [
      'sin',
      (b: GraphBuilder, x: Value) => b.unary('sine', x),
      [Math.sin, Math.cos, (x: number) => -Math.sin(x), (x: number) => -Math.cos(x)],
    ],
    [
      'x^5',
      (b: GraphBuilder, x: Value) => b.binary('power', x, b.scalar(5)),
      [
        (x: number) => x ** 5,
        (x: number) => 5 * x ** 4,
        (x: number) => 20 * x ** 3,
        (x: number) => 60 * x ** 2,
      ],
    ],
    [
      'log',
      (b: GraphBuilder, x: Value) => b.log(x),
      [Math.log, (x: number) => 1 / x, (x: number) => -1 / x ** 2, (x: number) => 2 / x ** 3],
    ],
    [
      'exp(2x)',
      (b: GraphBuilder, x: Value) => b.exp(b.add(x, x)),
      [0, 1, 2, 3].map((n) => (x: number) => 2 ** n * Math.exp(2 * x)),
    ],
    [
      '1/sqrt',
      (b: GraphBuilder, x: Value) => b.unary('rsqrt', x),
      [
        (x: number) => x ** -0.5,
        (x: number) => -0.5 * x ** -1.5,
        (x: number) => 0.75 * x ** -2.5,
        (x: number) => -1.875 * x ** -3.5,
      ],
    ],
  ] as const)('%s', (_name, f, expected) => {
    const actual = derivatives(f, at, 3);
    expected.forEach((exact, n) => expect(actual[n]).toBeCloseTo(exact(at), 10));
  });
});

interface Model {
  readonly name: string;
  /** A scalar of the inputs. */
  readonly loss: (b: GraphBuilder, inputs: readonly Value[]) => Value;
  readonly shapes: readonly (readonly number[])[];
}

const models: readonly Model[] = [
  {
    name: 'perceptron with cross-entropy',
    shapes: [[3, 4], [5, 4], [5], [2, 5], [2]],
    loss: (b, [x, w1, b1, w2, b2]) => {
      const logits = dense(b, b.unary('tanh', dense(b, x, w1, b1)), w2, b2);
      return b.negate(total(b, b.slice(b.logSoftmax(logits, 1), sizes(0, 0), sizes(3, 1))));
    },
  },
  {
    name: 'attention',
    shapes: [
      [2, 3, 4],
      [2, 3, 4],
      [2, 3, 4],
    ],
    loss: (b, [q, k, v]) => {
      const scores = b.dotGeneral(q, k, {
        lhsBatch: [0],
        rhsBatch: [0],
        lhsContracting: [2],
        rhsContracting: [2],
      });
      const weights = b.softmax(scores, 2);
      const mixed = b.dotGeneral(weights, v, {
        lhsBatch: [0],
        rhsBatch: [0],
        lhsContracting: [2],
        rhsContracting: [1],
      });
      return total(b, b.multiply(mixed, mixed));
    },
  },
  {
    name: 'layer norm between dense layers',
    shapes: [[3, 4], [5, 4], [5]],
    loss: (b, [x, w, bias]) => {
      const [y] = b.emit('standardize', [dense(b, x, w, bias)], { axis: 1, epsilon: 1e-2 });
      return total(b, b.unary('erf', y));
    },
  },
  {
    name: 'convolution, pooling, relu',
    shapes: [
      [2, 2, 6, 6],
      [3, 2, 3, 3],
      [2, 27],
    ],
    loss: (b, [image, kernel, w]) => {
      const one = constant(1);
      const pads = { low: one, high: one };
      const window = {
        strides: [one, one],
        padding: [pads, pads],
        lhsDilation: [one, one],
        rhsDilation: [one, one],
      };
      const features = relu(b, b.convolution(image, kernel, window, one));
      const tiles = {
        axes: [2, 3],
        sizes: sizes(2, 2),
        strides: sizes(2, 2),
        dilations: sizes(1, 1),
      };
      const [pooled] = b.emit('max_pool', [features], { window: tiles });
      const flat = b.reshape(pooled, sizes(2, 27));
      return total(
        b,
        b.unary(
          'logistic',
          b.dotGeneral(flat, w, {
            lhsBatch: [],
            rhsBatch: [],
            lhsContracting: [1],
            rhsContracting: [1],
          }),
        ),
      );
    },
  },
  {
    name: 'a loss of a gradient, as signed-distance fields have',
    shapes: [[3, 2], [4, 2], [4], [1, 4], [1]],
    loss: (b, [points, w1, b1, w2, b2]) => {
      const field = dense(b, b.unary('sine', dense(b, points, w1, b1)), w2, b2);
      const [slope] = b.gradient(total(b, field), [points]);
      const length = b.sqrt(b.reduce('add', b.multiply(slope, slope), [1]));
      const off = b.subtract(length, b.full(1, length.shape));
      return total(b, b.multiply(off, off));
    },
  },
];

const step = 1e-5;

/** Compares the derivatives of output `loss`, outputs d0, d1, ..., with central differences at some elements of each input. */
function expectDerivatives(graph: Graph, feeds: Readonly<Record<string, Tensor>>): void {
  const exact = interpret(graph, feeds, f64);
  const lossAt = (name: string, at: number, by: number): number => {
    const data = feeds[name].data.slice();
    data[at] += by;
    return interpret(graph, { ...feeds, [name]: { ...feeds[name], data } }, f64)['loss'].data[0];
  };
  for (const name of Object.keys(feeds)) {
    const { data } = exact[`d${name}`];
    for (let at = 0; at < data.length; at += Math.ceil(data.length / 6)) {
      const difference = (lossAt(name, at, step) - lossAt(name, at, -step)) / (2 * step);
      expect(
        Math.abs(data[at] - difference) / Math.max(1, Math.abs(difference)),
        `${name}[${at}]`,
      ).toBeLessThan(1e-7);
    }
  }
}

describe.each(models)('$name', ({ loss, shapes }) => {
  it.each([1, 2, 3])('derivatives of order %i', (order) => {
    const b = createBuilder();
    const inputs = shapes.map((shape, i) => b.input(`x${i}`, 'data', real(sizes(...shape))));
    const next = generator(11);
    let y = loss(b, inputs);
    // Each order differentiates a random projection of the one below.
    for (let n = 1; n < order; n++)
      y = b
        .gradient(y, inputs)
        .map((g, i) => total(b, b.multiply(g, b.constant(randomTensor(shapes[i], next)))))
        .reduce((sum, term) => b.add(sum, term));
    b.output('loss', 'loss', y);
    b.gradient(y, inputs).forEach((g, i) => b.output(`dx${i}`, 'result', g));
    const feeds = Object.fromEntries(
      shapes.map((shape, i) => [`x${i}`, randomTensor(shape, next)]),
    );
    for (const transform of [differentiate, optimise]) {
      const graph = transform(b.graph('model'));
      expect(verify(graph)).toEqual([]);
      expectDerivatives(graph, feeds);
    }
  });
});

describe('what is differentiated', () => {
  const run = (
    build: (b: GraphBuilder, x: Value) => Record<string, Value>,
  ): Record<string, number[]> => {
    const b = createBuilder();
    const x = b.input('x', 'data', real([dimOf(variable('B'))]));
    for (const [name, value] of Object.entries(build(b, x))) b.output(name, 'result', value);
    const results = interpret(
      differentiate(b.graph('f')),
      { x: tensor('f32', [2], [3, 4], 'f64') },
      f64,
    );
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
  };

  it('is zero where nothing connects the two', () => {
    const { d } = run((b, x) => ({ d: b.gradient(b.scalar(5), [x])[0] }));
    expect(d).toEqual([0, 0]);
  });

  it('is one for a value by itself', () => {
    const { d } = run((b, x) => {
      const y = total(b, x);
      return { d: b.gradient(y, [y])[0] };
    });
    expect(d).toEqual([1]);
  });

  it('passes through an intermediate that is itself asked for', () => {
    const { dx, dy } = run((b, x) => {
      const y = b.multiply(x, x);
      const [dx, dy] = b.gradient(total(b, b.multiply(y, x)), [x, y]);
      return { dx, dy };
    });
    expect(dx).toEqual([27, 48]);
    expect(dy).toEqual([3, 4]);
  });

  it('sees nothing behind stop_gradient, and leaves none of it', () => {
    const { d } = run((b, x) => ({
      d: b.gradient(total(b, b.multiply(x, b.stopGradient(x))), [x])[0],
    }));
    expect(d).toEqual([3, 4]);
    const b = createBuilder();
    const x = b.input('x', 'data', real([]));
    b.output('y', 'result', b.stopGradient(x));
    expect(differentiate(b.graph('stop')).nodes).toEqual([]);
  });

  it('stops at comparisons', () => {
    const { d } = run((b, x) => {
      const above = b.convert(b.compare('gt', x, b.full(3.5, x.shape)), 'f32');
      return { d: b.gradient(total(b, b.multiply(above, x)), [x])[0] };
    });
    expect(d).toEqual([0, 1]);
  });
});

it('grows linearly with the number of layers', () => {
  const nodesOf = (layers: number): number =>
    optimise(perceptronStep([4, ...Array<number>(layers).fill(4), 4]).graph).nodes.length;
  const [few, some, many] = [10, 20, 40].map(nodesOf);
  expect(many - some).toBe(2 * (some - few));
});

it('reads each node a bounded number of times, however many parameters there are', () => {
  const touches = (layers: number): number => {
    const { graph } = perceptronStep([4, ...Array<number>(layers).fill(4), 4]);
    let count = 0;
    const nodes = graph.nodes.map(
      (node) => new Proxy(node, { get: (of, key) => (count++, Reflect.get(of, key)) }),
    );
    optimise({ ...graph, nodes });
    return count;
  };
  const [few, some, many] = [10, 20, 40].map(touches);
  expect((many - some) / (some - few)).toBeLessThan(2.2);
});
