// A network that predicts updates against plain gradient descent, after as many steps, on problems that neither has seen: the angles
// of a planar arm from where its joints are.

import { expect, test } from 'vitest';

import { tensor } from '../../compiler/ir/tensor.ts';
import { randomTensor } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { course } from './course.ts';
import { interpreter } from './executors.ts';

const program = compiledWithLibrary(`
fn joints(t: [..S, 3]) -> x: [..S, 6] {
  a[.., i] = sum[j <= i] t[.., j]
  c = cos(a)
  s = sin(a)
  u[.., i] = sum[j <= i] c[.., j]
  v[.., i] = sum[j <= i] s[.., j]
  x = concat(u, v)
}
fn misfit(t: [..S, 3], x: [..S, 6]) -> L: [..S] {
  d = joints(t) - x
  L[..] = sum[i] d[.., i]^2
}
layer net = LearnedDescent(3, 6, 64, misfit)
train learn(angles: [B, 3]) {
  x = joints(angles)
  minimize mean(misfit(net(0 * angles, x, 4), x)) over net using Adam(1e-2, decay = 2e-3)
}
export fn compare(angles: [B, 3], lr: real) -> (first: real, learned: real, plain: real) {
  x = joints(angles)
  t = 0 * angles
  first = mean(misfit(t, x))
  learned = mean(misfit(net(t, x, 4), x))
  plain = mean(misfit(descend(misfit, t, x, 4, lr), x))
}
`);

test('four learned steps lead further than four of gradient descent at its best rate', async () => {
  const { state } = await course(trainOf(program), 1, 3000, (i) => ({
    angles: randomTensor(i * 2_654_435 + 1, [64, 3], 1.2),
  }));
  const { graph } = functionOf(program, 'compare');
  const angles = randomTensor(99_991, [256, 3], 1.2);
  const at = async (lr: number) =>
    interpreter.run(graph, { ...state, angles, lr: tensor('f32', [], [lr], 'f64') });
  const runs = await Promise.all([0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2].map(at));
  const plain = Math.min(...runs.map((run) => run.plain.data[0]));
  const { first, learned } = runs[0];
  expect(plain).toBeLessThan(first.data[0]);
  expect(learned.data[0]).toBeLessThan(plain / 3);
});
