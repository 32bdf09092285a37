// Tests of samples against distributions. Each rejects a sample of the true distribution once in 10,000 seeds; the seeds of the
// tests are fixed.

/** The limit of sqrt(n) D at 10^-4, from 2 exp(-2 t^2) (Kolmogorov 1933). */
const kolmogorovLimit = 2.2253;

/** Whether the Kolmogorov-Smirnov distance of the sample from `cdf` is small enough. */
export function followsCdf(sample: ArrayLike<number>, cdf: (x: number) => number): boolean {
  const sorted = Float64Array.from(sample).sort();
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    const p = cdf(x);
    distance = Math.max(distance, (i + 1) / n - p, p - i / n);
  });
  return Math.sqrt(n) * distance < kolmogorovLimit;
}

/** Upper points of chi-square at 10^-4, by degrees of freedom (tables; R's qchisq(1e-4, df, lower = FALSE)). */
const chiSquareLimits: Readonly<Record<number, number>> = {
  1: 15.137,
  3: 21.108,
  9: 33.72,
  23: 57.075,
};

/** Whether the counts of the outcomes fit their probabilities; an outcome of probability 0 must not occur. */
export function followsCounts(
  sample: ArrayLike<number>,
  probabilities: readonly number[],
): boolean {
  const counts = probabilities.map(() => 0);
  for (const outcome of Array.from(sample)) counts[outcome]++;
  const possible = probabilities.filter((p) => p > 0).length;
  const statistic = probabilities.reduce((sum, p, k) => {
    const expected = p * sample.length;
    if (p === 0) return counts[k] === 0 ? sum : Infinity;
    return sum + (counts[k] - expected) ** 2 / expected;
  }, 0);
  return statistic < chiSquareLimits[possible - 1];
}

/** Mean and variance within `errors` standard errors: 3.89 is met by chance with 10^-4 each. */
export function hasMoments(
  sample: ArrayLike<number>,
  mean: number,
  variance: number,
  fourth: number,
): boolean {
  const values = Array.from(sample);
  const n = values.length;
  const average = values.reduce((a, b) => a + b, 0) / n;
  const spread = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  return (
    Math.abs(average - mean) < 3.89 * Math.sqrt(variance / n) &&
    Math.abs(spread - variance) < 3.89 * Math.sqrt((fourth - variance ** 2) / n)
  );
}

/** The standard normal distribution function, within 1.5e-7 (Abramowitz and Stegun 7.1.26). */
export function normalCdf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series =
    t *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = (series * Math.exp(-z * z)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/** Pearson's correlation. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = a.length;
  const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((s, v) => s + v, 0) / n;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
