// Derivatives inside programs: against closed forms and float64 differences, on the interpreter and ONNX Runtime; and a loss
// that differentiates a gradient trains.

import { describe, expect, it } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { descend } from '../models/descend.ts';
import { executors, interpreter, onnxRuntime } from '../models/executors.ts';
import { compileText, program, run, seeded, wavy } from './compile-text.ts';
import { close, differences, results, scalar, vector } from './numbers.ts';

const table = (rows: number, columns: number, f: (i: number, j: number) => number): number[] =>
  Array.from({ length: rows * columns }, (_, k) => f(Math.floor(k / columns), k % columns));

describe('grad', () => {
  it('of a power, three times', () => {
    const text = `export fn f(x: real) -> (a: real, b: real, c: real) {
      y = x^5
      a = grad(y, x)
      b = grad(a, x)
      c = grad(b, x)
    }`;
    const { a, b, c } = results(text, { x: scalar(0.7) });
    close(a, [5 * 0.7 ** 4]);
    close(b, [20 * 0.7 ** 3]);
    close(c, [60 * 0.7 ** 2]);
  });

  it('is a function of that binding: of x through z, of z alone', () => {
    const text = `export fn f(x: [n]) -> (p: [n], q: [n]) {
      z = x
      y = sum(x * z)
      p = grad(y, z)
      q = grad(y, x)
    }`;
    const { p, q } = results(text, { x: vector(1, -2, 3) });
    close(p, [1, -2, 3]);
    close(q, [2, -4, 6]);
  });

  it('tells variables with equal values apart, and sees through what simplifies away', () => {
    const text = `export fn f(x: [n, m]) -> (p: [n, m], q: [m, n]) {
      a = 2 * x
      b = 2 * x
      p = grad(sum(a * b), a)
      t[j, i] = x[i, j]
      back[i, j] = t[j, i]
      q = grad(sum(back^2), t)
    }`;
    const x = wavy([2, 3]);
    const { p, q } = results(text, { x });
    close(
      p,
      Array.from(x.data, (v) => 2 * v),
    );
    close(
      q,
      table(3, 2, (j, i) => 2 * x.data[3 * i + j]),
    );
  });

  it('by a number that is known when the program is built', () => {
    const text = `fn slope(t: real) -> real = grad(t^3 + 2 * t, t)
      fn other() -> real {
        s = 3.0
        return grad(s^2, s)
      }
      export fn f(x: real) -> (a: real, b: real) { a = slope(2) + 0 * x b = other() + 0 * x }`;
    const { a, b } = results(text, { x: scalar(0) });
    close(a, [14]);
    close(b, [6]);
  });

  it('by a tuple', () => {
    const text = `fn norm(p: (a: [n], b: real)) -> (da: [n], db: real) = grad(sum(p.a^2) * p.b, p)
      export fn f(a: [n], b: real) -> (da: [n], db: real) = norm((a, b))`;
    const { da, db } = results(text, { a: vector(1, 2), b: scalar(3) });
    close(da, [6, 12]);
    close(db, [5]);
  });

  it('takes what `stop` holds as constant', () => {
    const text = 'export fn f(x: [n]) -> g: [n] = grad(sum(x * stop(x)), x)';
    close(results(text, { x: vector(3, 4) }).g, [3, 4]);
  });

  it('in a function that index notation calls: each element has its own', () => {
    const text = `fn slope(x: [m], c: real) -> real = grad(c * sum(x^2), c) + sum(grad(c * sum(x^2), x))
      export fn f(x: [n, m], c: [k]) -> y: [n, k] { y[i, j] = slope(x[i, :], c[j]) }`;
    const x = wavy([2, 3]);
    const c = [0.5, -1.5];
    const expected = table(2, 2, (i, j) => {
      const row = [0, 1, 2].map((l) => x.data[3 * i + l]);
      return row.reduce((sum, v) => sum + v * v + 2 * c[j] * v, 0);
    });
    close(results(text, { x, c: vector(...c) }).y, expected);
  });

  it('of constants for the loop around it stands inside index notation', () => {
    const text = 'export fn f(x: [n]) -> y: [n] { y[i] = x[i] * grad(sum(x^2), x)[i] }';
    close(results(text, { x: vector(1, 2) }).y, [2, 8]);
  });

  it('through layers, convolution and pooling, agrees with differences', () => {
    const text = `import "std/nn"
      import "std/cnn"
      layer c = Conv2d(1, 2, 3)
      layer net = MLP(8, 5, 1, tanh)
      export fn f(x: [2, 1, 6, 6]) -> (y: real, g: [2, 1, 6, 6]) {
        h = max_pool(c(x), 2)
        z[b, (i, j, k)] = h[b, i, j, k]
        y = sum(net(z)^2)
        g = grad(y, x)
      }`;
    const { functions, init } = program(text);
    const feeds = { ...run(init, seeded(3)), x: wavy([2, 1, 6, 6]) };
    close(run(functions[0].graph, feeds).g, differences(text, feeds, 'x', 'y'), 7);
  });
});

const softmax = `export fn f(x: [n], v: [n]) -> (y: [n], J: [n, n], jv: [n], vj: [n]) {
  y[i] = softmax[i] x[i]
  J = jac(y, x)
  jv = jvp(y, x, v)
  vj = vjp(y, x, v)
}`;

describe('jac, jvp, vjp', () => {
  it.each(executors)(
    'of softmax are diag(y) - y y^T: $name',
    async ({ run: execute, tolerance }) => {
      const feeds = { x: vector(1, 2, 0.5), v: vector(0.3, -1, 2) };
      const { y, J, jv, vj } = await execute(program(softmax).functions[0].graph, feeds);
      const expected = table(3, 3, (i, j) => (i === j ? y.data[i] : 0) - y.data[i] * y.data[j]);
      const digits = -Math.log10(tolerance);
      close(J, expected, digits);
      const product = (i: number): number =>
        [0, 1, 2].reduce((sum, j) => sum + expected[3 * i + j] * feeds.v.data[j], 0);
      close(jv, [0, 1, 2].map(product), digits);
      close(vj, [0, 1, 2].map(product), digits);
    },
  );

  it('of a map between different shapes: the axes of y, then those of x', () => {
    const text = `export fn f(A: [m, n, k], x: [n, k], v: [n, k], u: [m]) -> (J: [m, n, k], p: [m], q: [n, k]) {
      y[i] = sum[j, l] A[i, j, l] * x[j, l]^2
      z = 3 * y
      J = jac(z, x)
      p = jvp(z, x, v)
      q = vjp(z, x, u)
    }`;
    const feeds = {
      A: wavy([2, 3, 2]),
      x: wavy([3, 2], 1),
      v: wavy([3, 2], 2),
      u: vector(0.4, -2),
    };
    const { J, p, q } = results(text, feeds);
    const entry = (i: number, j: number): number => 6 * feeds.A.data[6 * i + j] * feeds.x.data[j];
    close(J, table(2, 6, entry));
    const six = [0, 1, 2, 3, 4, 5];
    close(
      p,
      [0, 1].map((i) => six.reduce((sum, j) => sum + entry(i, j) * feeds.v.data[j], 0)),
    );
    close(
      q,
      six.map((j) => [0, 1].reduce((sum, i) => sum + entry(i, j) * feeds.u.data[i], 0)),
    );
  });

  it('the direction of a vjp is constant, also where it depends on x', () => {
    const text = `export fn f(x: [n]) -> (a: [n], b: [n]) {
      y = x^2
      a = vjp(y, x, y)
      b = grad(sum(a), x)
    }`;
    const { a, b } = results(text, { x: vector(3, -1) });
    close(a, [54, -2]);
    close(b, [54, 6]);
  });

  it('several Jacobians in one function', () => {
    const text = `export fn f(x: [n]) -> (J: [n, n], K: [n, n]) {
      y = x^2
      J = jac(y, x)
      z = x * y
      K = jac(z, x)
    }`;
    const { J, K } = results(text, { x: vector(1, 2) });
    close(J, [2, 0, 0, 4]);
    close(K, [3, 0, 0, 12]);
  });

  it('jvp by a tuple adds the directions', () => {
    const text = `fn along(p: ([n], real), v: ([n], real)) -> [n] {
        a, b = p
        return jvp(a * b, p, v)
      }
      export fn f(a: [n], b: real, c: [n], d: real) -> y: [n] = along((a, b), (c, d))`;
    const feeds = { a: vector(1, 2), b: scalar(3), c: vector(5, 7), d: scalar(11) };
    close(results(text, feeds).y, [26, 43]);
  });

  it('a Hessian is the Jacobian of a gradient; its trace is differentiable', () => {
    const text = `export fn f(x: [n]) -> (H: [n, n], g: [n]) {
      y = sum(x^3) * x[0]
      d = grad(y, x)
      H = jac(d, x)
      trace = sum[i] H[i, i]
      g = grad(trace, x)
    }`;
    const [a, b] = [0.7, -1.2];
    const { H, g } = results(text, { x: vector(a, b) });
    close(H, [12 * a * a, 3 * b * b, 3 * b * b, 6 * a * b]);
    close(g, [24 * a + 6 * b, 6 * a]);
  });

  it('a Jacobian in a branch, of what both branches bind', () => {
    const text = `export fn f(x: [n]) -> J: [n, n] {
      if training { y = x } else { z = x * x[0] y = z * 2 }
      J = jac(y, x)
    }`;
    const x = [2, 3];
    const expected = table(2, 2, (i, j) => 2 * ((i === j ? x[0] : 0) + (j === 0 ? x[i] : 0)));
    close(results(text, { x: vector(...x) }).J, expected);
  });
});

describe('derivatives inside functions that derivatives go through', () => {
  it('the Laplacian of each row, and its gradient', () => {
    const text = `fn bowl(x: [n]) -> real = sum(x^4)
      fn trace(f: ([n]) -> real, x: [n]) -> real {
        g = grad(f(x), x)
        H = jac(g, x)
        return sum[i] H[i, i]
      }
      fn laplacian(x: [B, n]) -> y: [B] { y[b] = trace(bowl, x[b, :]) }
      export fn f(x: [B, n]) -> (y: [B], g: [B, n]) {
        y = laplacian(x)
        g = grad(sum(y), x)
      }`;
    const { y, g } = results(text, { x: tensor('f32', [2, 2], [1, 2, 3, 0.5], 'f64') });
    close(y, [60, 111]);
    close(g, [24, 48, 72, 12]);
  });

  it('a Jacobian of a function that takes a jvp by a variable of its own', () => {
    const text = `fn inner(x: [n], c: real) -> [n] {
        z = c * x
        return jvp(sin(z), z, x)
      }
      export fn f(x: [n]) -> J: [n, n] {
        w = inner(x, 2)
        J = jac(w, x)
      }`;
    const slope = (x: number): number => Math.cos(2 * x) - 2 * x * Math.sin(2 * x);
    close(results(text, { x: vector(1, 2) }).J, [slope(1), 0, 0, slope(2)]);
  });
});

describe('derivatives and draws', () => {
  it('by a draw, and of a value with a draw in it', () => {
    const text = `export fn f(x: [n]) -> (e: [n], J: [n, n], g: [n]) {
      e: [n] ~ normal(0, 1)
      y = x^2 * e
      J = jac(y, x)
      g = grad(sum(y), e)
    }`;
    const { e, J, g } = results(text, { ...seeded(5), x: vector(3, -2) });
    close(J, [6 * e.data[0], 0, 0, -4 * e.data[1]]);
    close(g, [9, 4]);
  });

  it('a Jacobian would draw once for each element, and is refused', () => {
    const codes = (draw: string): string[] =>
      compileText(`fn noisy(x: [n]) -> y: [n] { e: [n] ~ normal(0, 1) y = x * e }
        export fn f(x: [n]) -> J: [n, n] { ${draw} J = jac(y, x) }`).diagnostics.map((d) => d.code);
    expect(codes('y = noisy(x)')).toEqual(['E0705']);
    expect(codes('m = sum(x) y: [n] ~ normal(m, 1)')).toEqual(['E0900']);
  });
});

describe('jac where a state changes', () => {
  const refused = (body: string): readonly (readonly [string, unknown])[] =>
    compileText(`import "std/optim"
      model Counted() {
        param w: real = 2
        state seen: real = 0
        fn (x: [n]) -> [n] {
          ${body}
          return w * x
        }
      }
      layer net = Counted()
      fn spread(x: [n]) -> real {
        y = net(x)
        return sum(jac(y, x)^2)
      }
      train t(x: [3]) { minimize spread(x) over net using SGD(0.1) }`).diagnostics.map(
      ({ code, data }) => [code, data['feature'] ?? data['name']],
    );

  it('is refused, for it would change once for each element', () => {
    expect(refused('seen <- seen + 1')).toEqual([
      ['E0900', '`jac` through a layer that updates a state'],
    ]);
    expect(refused('seen <- sum(x)')).toEqual([['E0701', 'seen']]);
    expect(refused('')).toEqual([]);
  });
});

const circle = `import "std/nn"
import "std/optim"
fn sdf_loss(f: ([N, 2]) -> [N], on: [N, 2], off: [N, 2]) -> real {
  g = grad(sum(f(off)), off)
  return mean(f(on)^2) + 0.1 * mean[i] (sqrt(sum[k] g[i, k]^2) - 1)^2
}
model Field(h: dim) {
  layer net = MLP(2, h, 1, tanh)
  fn (x: [N, 2]) -> d: [N] = net(x)[:, 0]
}
layer field = Field(16)
train circle(on: [N, 2], off: [N, 2]) {
  minimize sdf_loss(field, on, off) over field using Adam(1e-2)
}
export fn look(on: [N, 2], off: [N, 2]) -> (loss: real, g: [N, 2]) {
  loss = sdf_loss(field, on, off)
  g = grad(loss, off)
}
`;

/** Points on the unit circle, and points around it. */
function points(count: number): { readonly on: Tensor; readonly off: Tensor } {
  const on = table(count, 2, (i, k) => Math.cos((2 * Math.PI * i) / count - (k * Math.PI) / 2));
  const off = on.map((x, at) => x * (0.4 + 0.15 * ((at >> 1) % 8)));
  return { on: tensor('f32', [count, 2], on, 'f64'), off: tensor('f32', [count, 2], off, 'f64') };
}

describe('a loss with a gradient in it', () => {
  it('has the derivatives that differences give', () => {
    const { functions, init } = program(circle);
    const feeds = { ...run(init, seeded(1)), ...points(5) };
    close(run(functions[0].graph, feeds).g, differences(circle, feeds, 'off', 'loss'), 7);
  });

  it('trains: the signed distance of a circle from its points alone', async () => {
    const { trains } = program(circle);
    const start = await onnxRuntime.run(trains[0].init, seeded(0));
    const steps = 3;
    const [exact, fast] = await Promise.all(
      [interpreter, onnxRuntime].map((executor) =>
        descend(executor, trains[0].step, start, points(16), steps),
      ),
    );
    // Adam divides by the size of a gradient, so the rounding of small ones shows after a step.
    fast.losses.forEach((loss, i) => expect(loss).toBeCloseTo(exact.losses[i], i === 0 ? 5 : 3));
    const { losses } = await descend(interpreter, trains[0].step, start, points(16), 300);
    expect(losses[0]).toBeGreaterThan(1);
    expect(losses[299]).toBeLessThan(0.03);
  });
});
