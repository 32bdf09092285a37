// The library's layers and functions at every rank they promise, and models that are passed, shared and nested.

import { describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { expectClose } from '../ir/expect-close.ts';
import { randomTensor, vector } from './arithmetic.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import { everywhere, interpreter } from './executors.ts';

const reshaped = ({ dtype, data }: Tensor, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data,
});

describe.each(everywhere)('in $name', (executor) => {
  const run = async (text: string, feeds: Readonly<Record<string, Tensor>>): Promise<Tensor> =>
    (await executor.run(functionOf(compiledWithLibrary(text), 'f').graph, feeds)).y;

  test('a layer on one row, a batch and a batch of sequences gives the same rows', async () => {
    const x = randomTensor(1, [6, 4]);
    const weights = {
      'net.l1.W': randomTensor(2, [5, 4]),
      'net.l1.b': randomTensor(3, [5]),
      'net.l2.W': randomTensor(4, [3, 5]),
      'net.l2.b': randomTensor(5, [3]),
    };
    const on = (shape: string, value: Tensor): Promise<Tensor> =>
      run(
        `layer net = MLP(4, 5, 3, silu)\nexport fn f(x: [${shape}4]) -> y: [${shape}3] = net(x)`,
        {
          x: value,
          ...weights,
        },
      );
    const batch = await on('B, ', x);
    const sequences = await on('B, T, ', reshaped(x, [2, 3, 4]));
    expectClose(sequences, reshaped(batch, [2, 3, 3]), executor.tolerance, 'sequences');
    const row = await on('', vector(Array.from(x.data.slice(0, 4))));
    expectClose(row, vector(Array.from(batch.data.slice(0, 3))), executor.tolerance, 'row');
  });

  test('layer norm of one row', async () => {
    const y = await run('layer net = LayerNorm(3)\nexport fn f(x: [3]) -> y: [3] = net(x)', {
      x: vector([1, 2, 6]),
      'net.gamma': vector([1, 1, 2]),
      'net.beta': vector([0, 1, 0]),
    });
    const scale = 1 / Math.sqrt(14 / 3 + 1e-5);
    expectClose(y, vector([-2 * scale, 1 - scale, 6 * scale]), executor.tolerance, 'y');
  });

  test('an embedding of one symbol and cross-entropy of one row', async () => {
    const y = await run(
      `layer net = Embedding(3, 2)
      export fn f(t: fin(3), u: fin(2)) -> y: real = cross_entropy(net(t), u)`,
      {
        t: tensor('i32', [], [2]),
        u: tensor('i32', [], [1]),
        'net.E': tensor('f32', [3, 2], [9, 9, 9, 9, 1, 3], 'f64'),
      },
    );
    const expected = tensor('f32', [], [Math.log1p(Math.exp(-2))], 'f64');
    expectClose(y, expected, executor.tolerance, 'y');
  });

  test('activations of a number', async () => {
    const y = await run('export fn f(x: real) -> y: real = gelu(relu(x)) + elu(-x)', {
      x: tensor('f32', [], [0.5], 'f64'),
    });
    const phi = 0.6914624612740131;
    const expected = tensor('f32', [], [0.5 * phi + Math.expm1(-0.5)], 'f64');
    expectClose(y, expected, executor.tolerance, 'y');
  });

  test('a kernel as large as the padded image, and windows of one', async () => {
    const x = randomTensor(6, [2, 1, 2, 2]);
    const y = await run(
      `layer net = Conv2d(1, 1, 4, padding = 1)
      export fn f(x: [B, 1, 2, 2]) -> y: [B, 1, 1, 1] = max_pool(net(x), 1)`,
      { x, 'net.K': tensor('f32', [1, 1, 4, 4], Array(16).fill(1), 'f64'), 'net.b': vector([1]) },
    );
    const sums = [0, 4].map(
      (from) => 1 + x.data[from] + x.data[from + 1] + x.data[from + 2] + x.data[from + 3],
    );
    expectClose(y, tensor('f32', [2, 1, 1, 1], sums, 'f64'), executor.tolerance, 'y');
  });

  test('convolutions of images of free sizes', async () => {
    const text = `layer net = Conv2d(1, 1, 3, padding = 1)
      export fn f(x: [B, 1, H, W]) -> y: [B, 1, H // 2, W // 2] = avg_pool(net(x), 2)`;
    const kernel = tensor('f32', [1, 1, 3, 3], [0, 0, 0, 0, 2, 0, 0, 0, 0], 'f64');
    const x = tensor(
      'f32',
      [1, 1, 3, 5],
      Array.from({ length: 15 }, (_, i) => i),
      'f64',
    );
    const y = await run(text, { x, 'net.K': kernel, 'net.b': vector([1]) });
    expectClose(y, tensor('f32', [1, 1, 1, 2], [7, 11], 'f64'), executor.tolerance, 'y');
  });

  test('strided and transposed convolutions of images of free sizes, and their gradients', async () => {
    const train = trainOf(
      compiledWithLibrary(`
      layer down = Conv2d(1, 2, 3, stride = 2, padding = 1)
      layer up = ConvTranspose2d(2, 1, 4, stride = 2, padding = 1)
      train fit(x: [B, 1, H, W]) { minimize mean(relu(up(max_pool(down(x), 1)))) over down, up using SGD(1) }
    `),
    );
    const first = await interpreter.run(train.init, { seed: tensor('u32', [], [4]) });
    for (const [height, width] of [
      [4, 6],
      [5, 3],
    ]) {
      const x = randomTensor(height, [2, 1, height, width]);
      const outputs = await executor.run(train.step, { ...first, x });
      const loss = async (path: string, change: number): Promise<number> => {
        const { dtype, shape, data } = first[path];
        const moved = tensor(dtype, shape, data, 'f64');
        moved.data[1] += change;
        return (await interpreter.run(train.evaluate, { ...first, [path]: moved, x })).loss.data[0];
      };
      for (const path of ['down.K', 'up.K']) {
        const slope = ((await loss(path, 1e-5)) - (await loss(path, -1e-5))) / 2e-5;
        expect(Math.abs(slope), path).toBeGreaterThan(1e-4);
        const moved = first[path].data[1] - outputs[`${path}.next`].data[1];
        expect(Math.abs(moved - slope), `${path} at ${height} x ${width}`).toBeLessThan(1e-6);
      }
    }
  });
});

describe('models within models', () => {
  test('a perceptron has ReLU where no activation is given: exclusive or in closed form', async () => {
    const program = compiledWithLibrary(
      `layer net = MLP(2, 2, 1)
      export fn f(x: [B, 2]) -> y: [B, 1] = net(x)`,
    );
    const { y } = await interpreter.run(functionOf(program, 'f').graph, {
      x: tensor('f32', [4, 2], [0, 0, 0, 1, 1, 0, 1, 1]),
      'net.l1.W': tensor('f32', [2, 2], [1, 1, 1, 1]),
      'net.l1.b': vector([0, -1]),
      'net.l2.W': tensor('f32', [1, 2], [1, -2]),
      'net.l2.b': vector([0]),
    });
    expect(Array.from(y.data)).toEqual([0, 1, 1, 0]);
  });

  test('what is not given has its default, what is given replaces it', async () => {
    const program = compiledWithLibrary(
      `layer net = BatchNorm(1, eps = 0.5)
      export fn f(x: [B]) -> y: [B] = leaky_relu(x) + leaky_relu(x, 0.5) + elu(x, a = 2)
      export fn g(x: [B, 1]) -> y: [B, 1] = net(x)`,
    );
    const { y } = await interpreter.run(functionOf(program, 'f').graph, { x: vector([-1, 2]) });
    expect(y.data[0]).toBeCloseTo(-0.01 - 0.5 + 2 * Math.expm1(-1), 12);
    expect(y.data[1]).toBe(6);
    const one = vector([1]);
    const normalised = await interpreter.run(functionOf(program, 'g').graph, {
      x: tensor('f32', [1, 1], [3]),
      ...{ 'net.gamma': one, 'net.beta': one, 'net.mu': one, 'net.var': vector([3.5]) },
    });
    expect(normalised.y.data[0]).toBeCloseTo(2, 12);
  });

  test('a layer that is used twice has one set of parameters, and both uses move it', async () => {
    const program = compiledWithLibrary(`
      model Twice() {
        param w: real = 3
        fn (x: [B]) -> y: [B] = w * x
      }
      layer net = Twice()
      train fit(x: [B]) { minimize sum(net(net(x))) over net using SGD(1) }
    `);
    const { step } = trainOf(program);
    const parameters = step.inputs.filter(({ role }) => role === 'parameter');
    expect(parameters.map(({ name }) => name)).toEqual(['net.w']);
    const outputs = await interpreter.run(step, {
      x: vector([1, 1]),
      'net.w': tensor('f32', [], [3]),
      step: tensor('i32', [], [0]),
    });
    // w^2 (x1 + x2), whose derivative is 2 w (x1 + x2) = 12.
    expect(outputs['net.w.next'].data[0]).toBe(3 - 12);
  });

  test('paths name the layers on the way', () => {
    const { init } = compiledWithLibrary('layer net = TransformerBlock(4, 2, 8)');
    const names = init.outputs.map(({ name }) => name);
    expect(names).toEqual([
      ...['gamma', 'beta'].map((name) => `net.norm1.${name}`),
      ...['query', 'key', 'value', 'out'].flatMap((part) =>
        ['W', 'b'].map((name) => `net.attention.${part}.${name}`),
      ),
      ...['gamma', 'beta'].map((name) => `net.norm2.${name}`),
      ...['l1.W', 'l1.b', 'l2.W', 'l2.b'].map((name) => `net.mlp.${name}`),
    ]);
  });

  test('only the layers named after `over` learn', async () => {
    const program = compiledWithLibrary(`
      layer a = Dense(2, 2)
      layer b = Dense(2, 1)
      train fit(x: [B, 2], t: [B, 1]) { minimize mse(b(tanh(a(x))), t) over b using SGD(0.1) }
    `);
    const { step, init } = trainOf(program);
    const first = await interpreter.run(init, { seed: tensor('u32', [], [1]) });
    const data = { x: randomTensor(1, [4, 2]), t: randomTensor(2, [4, 1]) };
    const outputs = await interpreter.run(step, { ...first, ...data });
    expect(outputs['a.W.next']?.data ?? first['a.W'].data).toEqual(first['a.W'].data);
    expect(outputs['b.W.next'].data).not.toEqual(first['b.W'].data);
  });
});
