// The noise schedules of the library against their closed forms, and what diffusion models need of them.

import { describe, expect, test } from 'vitest';

import { tensor } from '../../compiler/ir/tensor.ts';
import { compiled, functionOf } from './compile.ts';
import { everywhere } from './executors.ts';

const T = 50;

interface Steps {
  readonly name: string;
  readonly made: string;
  readonly beta: (t: number) => number;
}

const f = (u: number): number => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2;

const schedules: readonly Steps[] = [
  {
    name: 'Linear',
    made: `Linear(${T}, 0.001, 0.2)`,
    beta: (t) => 0.001 + ((0.2 - 0.001) * t) / (T - 1),
  },
  {
    name: 'Cosine',
    made: `Cosine(${T})`,
    beta: (t) => Math.min(1 - f((t + 1) / T) / f(t / T), 0.999),
  },
];

const program = (made: string): string => `import "std/schedules"
const q = ${made}
export fn tables(t: fin(q.T)[B]) -> (beta: [B], alpha: [B], abar: [B], snr: [B], posterior: [B]) {
  beta[b] = q.beta[t[b]]
  alpha[b] = q.alpha[t[b]]
  abar[b] = q.abar[t[b]]
  snr[b] = q.snr[t[b]]
  posterior[b] = q.posterior[t[b]]
}

## The mean of x[t - 1] given x[t]: from x[0], and from the noise, as the notes write it.
export fn means(x: [B], e: [B], t: fin(q.T)[B]) -> (from_x: [B], from_e: [B]) {
  xt[b] = sqrt(q.abar[t[b]]) * x[b] + sqrt(1 - q.abar[t[b]]) * e[b]
  before[b] = q.abar[t[b]] / q.alpha[t[b]]
  from_x[b] = (sqrt(before[b]) * q.beta[t[b]] * x[b] + sqrt(q.alpha[t[b]]) * (1 - before[b]) * xt[b]) / (1 - q.abar[t[b]])
  from_e[b] = (xt[b] - (1 - q.alpha[t[b]]) / sqrt(1 - q.abar[t[b]]) * e[b]) / sqrt(q.alpha[t[b]])
}
`;

const times = tensor(
  'i32',
  [T],
  Array.from({ length: T }, (_, t) => t),
);

describe.each(schedules)('$name', ({ made, beta }) => {
  const file = compiled(program(made));

  test.each(everywhere)('is its closed form in $name', async ({ run, tolerance }) => {
    const found = await run(functionOf(file, 'tables').graph, { t: times });
    let abar = 1;
    for (let t = 0; t < T; t++) {
      const before = abar;
      abar *= 1 - beta(t);
      const expected = {
        beta: beta(t),
        alpha: 1 - beta(t),
        abar,
        snr: abar / (1 - abar),
        posterior: (beta(t) * (1 - before)) / (1 - abar),
      };
      for (const [name, value] of Object.entries(expected)) {
        const error = Math.abs(found[name].data[t] - value);
        expect(error, `${name}[${t}]`).toBeLessThan(tolerance * Math.max(value, 1e-3));
      }
    }
  });

  test.each(everywhere)('gives both forms of the posterior mean in $name', async (executor) => {
    const wave = (phase: number) =>
      tensor(
        'f32',
        [T],
        Array.from({ length: T }, (_, i) => 2 * Math.sin(2.3 * i + phase)),
        'f64',
      );
    const { from_x, from_e } = await executor.run(functionOf(file, 'means').graph, {
      x: wave(0),
      e: wave(1),
      t: times,
    });
    from_x.data.forEach((value, t) =>
      expect(Math.abs(value - from_e.data[t]), `t = ${t}`).toBeLessThan(40 * executor.tolerance),
    );
  });
});

test('the linear schedule of the paper leaves little of the signal', () => {
  const text = (most: string): string =>
    `import "std/schedules"\nconst q = Linear(1000)\nschedule Check(q: Linear(T)) where T >= 2 {\n  check q.abar[T - 1] < ${most}\n}\nconst checked = Check(q)\n`;
  compiled(text('4.1e-5'));
  expect(() => compiled(text('4.0e-5'))).toThrow(/`q.abar\[T - 1\]` is 0.0000403583/);
});
