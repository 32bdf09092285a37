// What the local rules make of small expressions, as listings: the left side of each rule and what is left of it.

import { expect, it } from 'vitest';

import { constant, dimOf, variable } from '../../compiler/dims/arithmetic.ts';
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { printGraph } from '../../compiler/ir/print.ts';
import { shareCommonSubexpressions } from '../../compiler/transform/common-subexpressions.ts';
import { removeDeadCode } from '../../compiler/transform/dead-code.ts';
import { foldConstants } from '../../compiler/transform/fold-constants.ts';
import { recognise } from '../../compiler/transform/recognise.ts';
import { simplify } from '../../compiler/transform/simplify.ts';
import { real, sizes } from './models.ts';

interface Inputs {
  readonly b: GraphBuilder;
  /** f32[B, 3] */
  readonly x: Value;
  readonly y: Value;
  /** f32[3, 4] */
  readonly w: Value;
  /** f32[] */
  readonly s: Value;
  /** bool[B, 3] */
  readonly p: Value;
}

type Expression = (inputs: Inputs) => Value;

function graphOf(expression: Expression): Graph {
  const b = createBuilder();
  const shape = [dimOf(variable('B')), constant(3)];
  const x = b.input('x', 'data', real(shape));
  const y = b.input('y', 'data', real(shape));
  const w = b.input('w', 'data', real(sizes(3, 4)));
  const s = b.input('s', 'data', real([]));
  const p = b.input('p', 'data', { dtype: 'bool', shape });
  b.output('r', 'result', expression({ b, x, y, w, s, p }));
  return b.graph('g');
}

/** The nodes and the result, without types: `%0 = add(x, y); %0`. */
function brief(graph: Graph): string {
  const lines = printGraph(removeDeadCode(graph))
    .split('\n')
    .map((line) => line.trim());
  const nodes = lines
    .filter((line) => line.startsWith('%'))
    .map((line) => line.replaceAll(/(%\d+): \w+\[[^\]]*\]/g, '$1'));
  const [result] = lines.filter((line) => line.startsWith('output'));
  return [...nodes, result.replace(/output r = (\S+).*/, '$1')].join('; ');
}

const matmul = { lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [0] };
const like = (b: GraphBuilder, value: number, x: Value): Value => b.full(value, x.shape);

const cases: readonly (readonly [string, Expression, string])[] = [
  [
    'x^T + y^T',
    ({ b, x, y }) => b.add(b.transpose(x, [1, 0]), b.transpose(y, [1, 0])),
    '%0 = add(x, y); %1 = transpose(%0) by 1, 0; %1',
  ],
  [
    'x^T + 1',
    ({ b, x }) => {
      const t = b.transpose(x, [1, 0]);
      return b.add(t, like(b, 1, t));
    },
    '%0 = broadcast_in_dim(1); %1 = add(x, %0); %2 = transpose(%1) by 1, 0; %2',
  ],
  [
    'a row of x^T',
    ({ b, x }) => {
      const t = b.transpose(x, [1, 0]);
      const rows = b.slice(t, sizes(1, 0), [constant(2), t.shape[1]]);
      return b.reshape(rows, [t.shape[1]]);
    },
    '%0 = slice(x) [0:B, 1:2]; %1 = reshape(%0); %1',
  ],
  [
    // [3, 4] by [3, 4], free axes 3 and 4 apart: the last axis stays where the operands are swapped
    'a product and a transpose that leaves rows in place',
    ({ b, w }) => {
      const outer = { lhsBatch: [], rhsBatch: [], lhsContracting: [], rhsContracting: [] };
      const product = b.dotGeneral(b.reduce('add', w, [0]), w, outer);
      return b.transpose(product, [1, 2, 0]);
    },
    '%0 = reduce(w) add over 0; %1 = dot_general(w, %0) outer; %1',
  ],
  ['x + 0', ({ b, x }) => b.add(x, like(b, 0, x)), 'x'],
  ['x + -y', ({ b, x, y }) => b.add(x, b.negate(y)), '%0 = subtract(x, y); %0'],
  ['x - -y', ({ b, x, y }) => b.subtract(x, b.negate(y)), '%0 = add(x, y); %0'],
  ['0 - x', ({ b, x }) => b.subtract(like(b, 0, x), x), '%0 = negate(x); %0'],
  ['1 x', ({ b, x }) => b.multiply(like(b, 1, x), x), 'x'],
  [
    '0 x stays',
    ({ b, x }) => b.multiply(like(b, 0, x), x),
    '%0 = broadcast_in_dim(0); %1 = multiply(%0, x); %1',
  ],
  ['-x * -y', ({ b, x, y }) => b.multiply(b.negate(x), b.negate(y)), '%0 = multiply(x, y); %0'],
  ['--x', ({ b, x }) => b.negate(b.negate(x)), 'x'],
  ['-(x - y)', ({ b, x, y }) => b.negate(b.subtract(x, y)), '%0 = subtract(y, x); %0'],
  [
    '2 (3 x)',
    ({ b, s }) => b.multiply(b.scalar(2), b.multiply(b.scalar(3), s)),
    '%0 = multiply(6, s); %0',
  ],
  [
    's (x / s)',
    ({ b, x, s }) => b.multiply(b.fill(s, x.shape), b.divide(x, b.fill(s, x.shape))),
    '%0 = divide(s, s); %1 = broadcast_in_dim(%0); %2 = multiply(%1, x); %2',
  ],
  ['x^0', ({ b, s }) => b.binary('power', s, b.scalar(0)), '1'],
  ['x^2', ({ b, x }) => b.binary('power', x, like(b, 2, x)), '%0 = multiply(x, x); %0'],
  ['x^-1', ({ b, s }) => b.binary('power', s, b.scalar(-1)), '%0 = divide(1, s); %0'],
  ['x^0.5', ({ b, x }) => b.binary('power', x, like(b, 0.5, x)), '%0 = sqrt(x); %0'],
  ['x^2.5 stays', ({ b, s }) => b.binary('power', s, b.scalar(2.5)), '%0 = power(s, 2.5); %0'],
  ['if p then x else x', ({ b, x, p }) => b.select(p, x, x), 'x'],
  ['if not p', ({ b, x, y, p }) => b.select(b.unary('not', p), x, y), '%0 = select(p, y, x); %0'],
  [
    'if p then (if p then x ..)',
    ({ b, x, y, p }) => b.select(p, b.select(p, x, y), y),
    '%0 = select(p, x, y); %0',
  ],
  ['transposed twice', ({ b, x }) => b.transpose(b.transpose(x, [1, 0]), [1, 0]), 'x'],
  ['reshaped back', ({ b, w }) => b.reshape(b.reshape(w, sizes(12)), sizes(3, 4)), 'w'],
  ['reversed back', ({ b, x }) => b.reverse(b.reverse(x, [0]), [0]), 'x'],
  [
    'broadcast of a broadcast',
    ({ b, s, x }) => b.broadcastInDim(b.fill(s, sizes(3)), x.shape, [1]),
    '%0 = broadcast_in_dim(s); %0',
  ],
  [
    'transposed broadcast',
    ({ b, s, w }) => b.transpose(b.fill(s, w.shape), [1, 0]),
    '%0 = broadcast_in_dim(s); %0',
  ],
  [
    'f of a broadcast',
    ({ b, s, x }) => b.exp(b.fill(s, x.shape)),
    '%0 = exponential(s); %1 = broadcast_in_dim(%0); %1',
  ],
  [
    'sum of what repeats',
    ({ b, s, x }) => b.reduce('add', b.fill(s, x.shape), [1]),
    '%0 = multiply(s, 3); %1 = broadcast_in_dim(%0); %1',
  ],
  ['largest of what repeats', ({ b, s, w }) => b.reduce('max', b.fill(s, w.shape), [0, 1]), 's'],
  [
    'sum of a transpose',
    ({ b, w }) => b.reduce('add', b.transpose(w, [1, 0]), [0]),
    '%0 = reduce(w) add over 1; %0',
  ],
  [
    'product with a transpose',
    ({ b, x, w }) => b.dotGeneral(x, b.transpose(b.transpose(w, [1, 0]), [1, 0]), matmul),
    '%0 = dot_general(x, w) contracting 1x0; %0',
  ],
  [
    'product of transposes',
    ({ b, x, w }) => b.dotGeneral(b.transpose(w, [1, 0]), b.transpose(x, [1, 0]), matmul),
    '%0 = dot_general(w, x) contracting 0x1; %0',
  ],
  [
    'transposed product',
    ({ b, x, w }) => b.transpose(b.dotGeneral(x, w, matmul), [1, 0]),
    '%0 = dot_general(w, x) contracting 0x1; %0',
  ],
  ['converted to what it is', ({ b, x }) => b.emit('convert', [x], { dtype: 'f32' })[0], 'x'],
];

it.each(cases)('%s', (_name, expression, expected) => {
  expect(brief(simplify(graphOf(expression)))).toBe(expected);
});

it('constants are computed once, in double precision', () => {
  const graph = graphOf(({ b, s }) => b.multiply(s, b.sqrt(b.divide(b.scalar(2), b.scalar(3)))));
  expect(brief(foldConstants(graph))).toBe('%0 = multiply(s, 0.8164966); %0');
});

it('a free size is no constant', () => {
  const graph = graphOf(({ b, x, s }) => b.divide(s, b.dim(x.shape[0], 'f32')));
  expect(brief(foldConstants(graph))).toBe('%0 = dim_value() B; %1 = divide(s, %0); %1');
});

it('equal expressions are one, also with operands swapped', () => {
  const graph = graphOf(({ b, x, y }) => b.multiply(b.add(x, y), b.add(y, x)));
  expect(brief(shareCommonSubexpressions(graph))).toBe('%0 = add(x, y); %1 = multiply(%0, %0); %1');
  const differing = graphOf(({ b, x }) =>
    b.add(b.reduce('add', x, [0, 1]), b.reduce('max', x, [0, 1])),
  );
  expect(shareCommonSubexpressions(differing).nodes).toHaveLength(3);
});

const normalised =
  (root: 'sqrt' | 'rsqrt', early: boolean, by: 'divide' | 'multiply'): Expression =>
  ({ b, x }) => {
    const count = by === 'divide' ? b.scalar(3) : b.scalar(1 / 3);
    const mean = (of: Value): Value =>
      b.binary(by, b.reduce('add', of, [1]), b.fill(count, of.shape.slice(0, 1)));
    const centred = b.subtract(x, b.broadcastInDim(mean(x), x.shape, [0]));
    const variance = b.add(mean(b.multiply(centred, centred)), b.full(1e-5, x.shape.slice(0, 1)));
    const spread = (of: Value): Value => b.broadcastInDim(of, x.shape, [0]);
    const scale = early ? spread(b.unary(root, variance)) : b.unary(root, spread(variance));
    return root === 'sqrt' ? b.divide(centred, scale) : b.multiply(scale, centred);
  };

it.each([
  ['sqrt', true, 'divide'],
  ['sqrt', false, 'multiply'],
  ['rsqrt', true, 'multiply'],
  ['rsqrt', false, 'divide'],
] as const)(
  'layer normalisation is recognised: %s, root taken early %s, mean by %s',
  (root, early, by) => {
    const graph = recognise(simplify(graphOf(normalised(root, early, by))));
    expect(brief(graph)).toBe('%0, %1, %2 = standardize(x) axis 1 epsilon 0.00001; %0');
  },
);

it('what only looks like it is left alone', () => {
  const halved: Expression = ({ b, x }) => {
    const mean = (of: Value): Value =>
      b.divide(b.reduce('add', of, [1]), b.full(2, of.shape.slice(0, 1)));
    const centred = b.subtract(x, b.broadcastInDim(mean(x), x.shape, [0]));
    const variance = b.add(mean(b.multiply(centred, centred)), b.full(1e-5, x.shape.slice(0, 1)));
    return b.divide(centred, b.broadcastInDim(b.sqrt(variance), x.shape, [0]));
  };
  expect(brief(recognise(simplify(graphOf(halved))))).not.toContain('standardize');
});

it('log(softmax) is log_softmax', () => {
  expect(brief(recognise(graphOf(({ b, x }) => b.log(b.softmax(x, 1)))))).toBe(
    '%0 = log_softmax(x) axis 1; %0',
  );
});

it('relu moves behind max_pool, where it has less to do', () => {
  const graph = graphOf(({ b, w }) => {
    const zero = b.full(0, w.shape);
    const window = { axes: [0], sizes: sizes(2), strides: sizes(1), dilations: sizes(1) };
    return b.emit('max_pool', [b.select(b.compare('gt', w, zero), w, zero)], { window })[0];
  });
  expect(brief(recognise(graph))).toMatch(
    /^%0 = max_pool\(w\) .*; %1 = broadcast_in_dim\(0\); %2 = compare\(%0, %1\) gt; %3 = select\(%2, %0, %1\); %3$/,
  );
});
