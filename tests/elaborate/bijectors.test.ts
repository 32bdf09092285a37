// Derived inverses and log-determinants: of random bijectors against the determinant of the full Jacobian, of every form on its own, on the
// interpreter and on ONNX Runtime; and their derivatives against differences.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { isConstant } from '../../compiler/dims/arithmetic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { onnxRuntime } from '../models/executors.ts';
import { bijector, forms, net, weights } from './bijector-forms.ts';
import { compileText, opsOf, program, run, wavy } from './compile-text.ts';
import { logDeterminants } from './determinant.ts';

const BATCH = 2;

/** Values for all inputs; free sizes are the batch. */
const feedsFor = ({ inputs }: Graph, phase = 0): Record<string, Tensor> =>
  Object.fromEntries(
    inputs.map(({ name, value }, i) => [
      name,
      wavy(
        value.shape.map((d) => isConstant(d) ?? BATCH),
        phase + 3.1 * i,
      ),
    ]),
  );

const close = (actual: Tensor, expected: ArrayLike<number>, digits = 8): void => {
  expect(actual.data.length).toBe(expected.length);
  Array.from(actual.data).forEach((x, i) => expect(x, `[${i}]`).toBeCloseTo(expected[i], digits));
};

const sumOf = ({ data }: Tensor): number => Array.from(data).reduce((a, b) => a + b);

/** Both directions of `F(...)`, from x: [B, ..event]. */
const bothWays = (definitions: string, layer: string, event: string, output = event): string => `
  ${definitions}
  layer f = ${layer}
  export fn forward(x: [B, ${event}]) -> (y: [B, ${output}], l: [B], x': [B, ${event}], m: [B]) {
    y = f(x)
    l = f.logdet(x)
    x' = f.inverse(y)
    m = f.inverse.logdet(y)
  }
  export fn jacobian(x: [B, ${event}]) -> J: [B, ${output}, B, ${event}] {
    y = f(x)
    J = jac(y, x)
  }
  export fn again(x: [B, ${event}]) -> (y: [B, ${output}], y': [B, ${output}]) {
    y = f(x)
    y' = f(f.inverse(y))
  }`;

/** Fails unless the inverse is one, on both sides, and the log-determinants are those of the Jacobian. */
function holds(text: string, phase = 0): void {
  const [forward, jacobian, again] = program(text).functions.map(({ graph }) => graph);
  const feeds = feedsFor(forward, phase);
  const { y, l, "x'": back, m } = run(forward, feeds);
  close(back, feeds.x.data);
  const { y: once, "y'": twice } = run(again, feeds);
  close(once, y.data);
  close(twice, y.data);
  const expected = logDeterminants(run(jacobian, feeds).J, BATCH);
  close(l, expected);
  close(
    m,
    expected.map((x) => -x),
  );
}

describe('every form', () => {
  it.each(Object.entries(forms))('%s', (_, [members, body]) => {
    const imports = 'import "std/nn"\n';
    holds(imports + bothWays(bijector(members, body), 'F(4)', '4'));
  });

  it('elements of a batch of several axes have each their own', () => {
    const text = `${bijector(weights, forms['lower triangle'][1])}
      layer f = F(4)
      export fn g(x: [B, T, 4]) -> (l: [B, T], x': [B, T, 4]) {
        l = f.logdet(x)
        x' = f.inverse(f(x))
      }`;
    const { graph } = program(text).functions[0];
    const feeds = feedsFor(graph);
    const { l, "x'": back } = run(graph, feeds);
    const total = sumOf(feeds['f.s']);
    close(
      l,
      Array.from({ length: BATCH * BATCH }, () => total),
    );
    close(back, feeds.x.data);
  });

  it('without a batch it is one number; conditions are known on both ways', () => {
    const text = `bijector G(d: dim) {
        fn (x: [d], c: [d], k: real) -> y: [d] = x * exp(c) + k
      }
      layer f = G(3)
      export fn g(x: [3], c: [3]) -> (l: real, x': [3]) {
        l = f.logdet(x, c, 2)
        x' = f.inverse(f(x, c, 2), c, 2)
      }`;
    const { graph } = program(text).functions[0];
    const feeds = feedsFor(graph);
    const { l, "x'": back } = run(graph, feeds);
    close(l, [sumOf(feeds.c)]);
    close(back, feeds.x.data);
  });
});

const images = `
  bijector Squeeze() {
    fn (x: [B, H, W, c]) -> y: [B, H / 2, W / 2, 4 * c] where H % 2 == 0, W % 2 == 0 {
      y[b, i, j, (u < 2, v < 2, e)] = x[b, 2 * i + u, 2 * j + v, e]
    }
  }
  bijector Mix(c: dim) {
    param s: [c] ~ normal(0, 1)
    param A: [c, c] ~ normal(0, 1)
    fn (x: [..B, c]) -> y: [..B, c] {
      y[.., o] = exp(s[o]) * x[.., o] + sum[i < o] A[o, i] * x[.., i]
    }
  }`;

describe('loops over layers', () => {
  it('run backwards, and add up', () => {
    const text = bothWays(
      `import "std/nn"
      bijector Step(d: dim) where d % 2 == 0 {
        layer net = MLP(d / 2, 3, d)
        fn (x: [..B, d]) -> y: [..B, d] {
          a, b = halves(x)
          s, m = halves(net(a))
          y = concat(b * exp(tanh(s)) + m, a)
        }
      }
      bijector F(d: dim, L: dim) where d % 2 == 0 {
        layer steps[L] = Step(d)
        fn (x: [..B, d]) -> y: [..B, d] {
          for f in steps with z = x { z <- f(z) }
          y = 2 * z
        }
      }`,
      'F(4, 3)',
      '4',
    );
    holds(text);
    const back = `${text.split('export')[0]}
      export fn g(y: [B, 4]) -> (x: [B, 4], m: [B]) {
        x = f.inverse(y)
        m = f.inverse.logdet(y)
      }`;
    // Each of 3 steps has 2 products, which the inverse and its log-determinant share.
    const ops = opsOf(program(back).functions[0].graph);
    expect(ops.filter((op) => op === 'dot_general').length).toBe(6);
  });
});

describe('images', () => {
  it('are squeezed and mixed channel by channel; the inverse binds their sizes by the squeezed ones', () => {
    const text = bothWays(
      `${images}
      bijector F() {
        layer squeeze = Squeeze()
        layer mix = Mix(4)
        fn (x: [B, H, W, 1]) -> y: [B, H / 2, W / 2, 4] where H % 2 == 0, W % 2 == 0 =
          x |> squeeze |> mix
      }`,
      'F()',
      '2, 4, 1',
      '1, 2, 4',
    );
    holds(text);
  });

  it('levels of a flow: a tuple, some of it finished early', () => {
    const text = `${images}
      bijector F() {
        layer squeeze = Squeeze()
        layer first = Mix(4)
        layer second = Mix(8)
        fn (x: [B, H, W, 1]) -> (p: [B, H / 2, W / 2, 2], q: [B, H / 4, W / 4, 8])
            where H % 4 == 0, W % 4 == 0 {
          a, b = halves(x |> squeeze |> first)
          p = a
          q = b |> squeeze |> second
        }
      }
      layer f = F()
      export fn forward(x: [B, 4, 4, 1]) -> (l: [B], x': [B, 4, 4, 1], m: [B]) {
        l = f.logdet(x)
        x' = f.inverse(f(x))
        m = f.inverse.logdet(f(x))
      }
      export fn jacobian(x: [B, 4, 4, 1]) -> J: [B, 16, B, 4, 4, 1] {
        p, q = f(x)
        y = concat(flatten(p), flatten(q))
        J = jac(y, x)
      }`;
    const [forward, jacobian] = program(text).functions.map(({ graph }) => graph);
    const feeds = feedsFor(forward);
    const { l, "x'": back, m } = run(forward, feeds);
    close(back, feeds.x.data);
    const expected = logDeterminants(run(jacobian, feeds).J, BATCH);
    close(l, expected);
    close(
      m,
      expected.map((x) => -x),
    );
  });
});

/** Steps that keep [..B, 4] and its range moderate, by number. */
const steps = Object.keys(forms).filter(
  (name) => !['exp and back', 'expm1 and log1p', 'tanh', 'sigmoid'].includes(name),
);

describe('random compositions', () => {
  it('are inverted, with the determinant of the full Jacobian', () => {
    const composition = fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(composition, fc.double({ min: 0, max: 6, noNaN: true }), (names, phase) => {
        const parts = names.map((name, i) =>
          bijector(...forms[name]).replace('bijector F', `bijector F${i}`),
        );
        const layers = names.map((_, i) => `layer f${i} = F${i}(d)`);
        const pipe = ['x', ...names.map((_, i) => `f${i}`)].join(' |> ');
        const whole = bijector(layers.join('\n'), `y = ${pipe}`);
        holds(`import "std/nn"\n${bothWays([...parts, whole].join('\n'), 'F(4)', '4')}`, phase);
      }),
      { numRuns: 12, seed: 1 },
    );
  });
});

const couplings = `import "std/nn"
  ${bijector(net, forms['affine coupling'][1])}
  bijector Flow(d: dim) where d == 4 {
    layer steps[2] = F(d)
    fn (x: [..B, d]) -> y: [..B, d] = x |> steps[0] |> steps[1]
  }
  layer f = Flow(4)`;

describe('what a bijector is given', () => {
  it('may not draw either: that shows when the program is built', () => {
    const text = `import "std/nn"
      bijector F(d: dim, g: ([..S]) -> [..S]) where d % 2 == 0 {
        fn (x: [..B, d]) -> y: [..B, d] {
          a, b = halves(x)
          y = concat(a, b + g(a))
        }
      }
      layer drop = Dropout(0.5)
      layer f = F(4, drop)
      model M() {
        param w: [4] = 1
        fn (x: [B, 4]) -> real = mean(f.inverse(w * x))
      }
      layer m = M()
      train t(x: [B, 4]) {
        minimize m(x) over m using SGD(1)
      }`;
    const { diagnostics } = compileText(`import "std/optim"\n${text}`);
    expect(diagnostics.map(({ code, data }) => [code, data.verb])).toEqual([['E0478', 'draws']]);
  });

  it('may be other parameters, of the inverse as well', () => {
    const text = `${couplings}
      export fn g(x: [B, 4]) -> (y: [B, 4], z: [B, 4]) {
        w = 0.5 * params(f)
        y = f.inverse(f(x with w) with w)
        z = f(x with w) - f(x)
      }`;
    const { graph } = program(text).functions[0];
    const feeds = feedsFor(graph);
    const { y, z } = run(graph, feeds);
    close(y, feeds.x.data);
    expect(Math.max(...Array.from(z.data, Math.abs))).toBeGreaterThan(0.01);
  });
});

describe('what is derived', () => {
  it('shares the work of f(x) and f.logdet(x)', () => {
    const dots = (body: string): number => {
      const text = `${couplings}\nexport fn g(x: [B, 4]) -> (y: [B, 4], l: [B]) {\n${body}\n}`;
      const ops = opsOf(program(text).functions[0].graph);
      return ops.filter((op) => op === 'dot_general').length;
    };
    const alone = dots('y = f(x)\n l[b] = sum[i] y[b, i]');
    expect(alone).toBe(4);
    expect(dots('y = f(x)\n l = f.logdet(x)')).toBe(alone);
    expect(dots('y = f.inverse(x)\n l = f.inverse.logdet(x)')).toBe(alone);
    // Of a step whose parts are put together and taken apart again, the parts are known.
    expect(dots('y = f.steps[0].inverse(x)\n l = f.steps[0].logdet(y)')).toBe(2);
  });

  it('runs on ONNX Runtime', async () => {
    const text = `${couplings}
      ${bijector(weights, forms['upper triangle'][1]).replace('F(', 'U(')}
      layer u = U(4)
      export fn g(x: [B, 4]) -> (y: [B, 4], l: [B], x': [B, 4]) {
        z = u(x)
        y = f(z)
        l = u.logdet(x) + f.logdet(z)
        x' = u.inverse(f.inverse(y))
      }`;
    const { graph } = program(text).functions[0];
    const feeds = feedsFor(graph);
    const expected = run(graph, feeds);
    const actual = await onnxRuntime.run(graph, feeds);
    for (const name of Object.keys(expected)) close(actual[name], expected[name].data, 4);
  });

  it('is differentiated, twice', () => {
    const text = `${couplings}
      export fn g(x: [B, 4]) -> (l: real, g: [B, 4], h: real, k: [B, 4]) {
        z = f.inverse(x)
        l = sum(f.logdet(z)) + sum(z^2)
        g = grad(l, x)
        h = sum(g^2)
        k = grad(h, x)
      }`;
    const { graph } = program(text).functions[0];
    const feeds = feedsFor(graph);
    const out = run(graph, feeds);
    const step = 1e-5;
    const at = (i: number, by: number): Record<string, Tensor> => {
      const data = feeds.x.data.slice();
      data[i] += by;
      return run(graph, { ...feeds, x: { ...feeds.x, data } });
    };
    const slope = (name: string) => (_: number, i: number) =>
      (at(i, step)[name].data[0] - at(i, -step)[name].data[0]) / (2 * step);
    close(out.g, Array.from(feeds.x.data, slope('l')), 6);
    close(out.k, Array.from(feeds.x.data, slope('h')), 5);
  });

  it('can be passed as a function, and the inverse of the inverse is f', () => {
    const text = `${couplings}
      fn twice(g: ([B, 4]) -> [B, 4], x: [B, 4]) -> y: [B, 4] = g(g(x))
      export fn g(x: [B, 4]) -> (a: [B, 4], b: [B, 4], c: [B, 4]) {
        a = twice(f.inverse, f(f(x)))
        b = f.inverse.inverse(x)
        c = f(x)
      }`;
    const { graph } = program(text).functions[0];
    const feeds = feedsFor(graph);
    const { a, b, c } = run(graph, feeds);
    close(a, feeds.x.data);
    close(b, c.data);
  });

  it('trains: the likelihood of a flow climbs', () => {
    const text = `import "std/optim"
      ${couplings}
      train fit(x: [B, 4]) {
        z = f(x)
        minimize -mean[b] (f.logdet(x)[b] - sum[i] z[b, i]^2 / 2) over f using SGD(0.1)
      }`;
    const { step } = program(text).trains[0];
    let feeds = feedsFor(step);
    feeds = { ...feeds, step: tensor('i32', [], [0]) };
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) {
      const out = run(step, feeds);
      losses.push(out.loss.data[0]);
      for (const name of Object.keys(feeds))
        if (out[`${name}.next`] !== undefined) feeds = { ...feeds, [name]: out[`${name}.next`] };
    }
    losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(losses[i]));
  });
});
