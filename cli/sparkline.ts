// A curve in one line of text, for the end of a run: `loss 2.303 ▇▅▃▂▁▁ 0.071`.

import type { Point } from '../runtime/train.ts';
import { formatNumber } from './progress.ts';

const bars = '▁▂▃▄▅▆▇█';
const width = 40;

/** The means of a measure over the course of training; null where it has fewer than two points. */
export function sparkline(points: readonly Point[], name: string): string | null {
  const values = points.flatMap(({ split, measures }) =>
    split === 'train' && Number.isFinite(measures[name]) ? [measures[name]] : [],
  );
  if (values.length < 2) return null;
  const shown = resampled(values, Math.min(width, values.length));
  const low = Math.min(...shown);
  const range = Math.max(...shown) - low;
  const bar = (value: number): string =>
    bars[range === 0 ? 0 : Math.min(bars.length - 1, Math.floor(((value - low) / range) * 8))];
  const [first, last] = [values[0], values.at(-1) ?? 0].map(formatNumber);
  return `${name} ${first} ${shown.map(bar).join('')} ${last}`;
}

/** Means of `count` parts of about the same length. */
function resampled(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [i, i + 1].map((k) => Math.round((k * values.length) / count));
    const part = values.slice(from, to);
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}
