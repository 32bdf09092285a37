// The files that show a run: metrics.csv and loss.svg.

import { expect, test } from 'vitest';

import { metricsCsv, parseMetrics } from '../../cli/metrics.ts';
import { lossPlot, ticks } from '../../cli/plot.ts';
import { duration, showMeasures } from '../../cli/progress.ts';
import { sparkline } from '../../cli/sparkline.ts';
import type { Point } from '../../runtime/train.ts';

const points: readonly Point[] = [
  { step: 10, epoch: 0.5, split: 'train', measures: { loss: 0.1 + 0.2, accuracy: 0.5 } },
  { step: 20, epoch: 1, split: 'train', measures: { loss: 1 / 3, accuracy: 0.75 } },
  { step: 20, epoch: 1, split: 'test', measures: { loss: 0.25, accuracy: 1 } },
];

test('metrics come back from their file to the bit, up to a step', () => {
  expect(parseMetrics(metricsCsv(points), 20)).toEqual(points);
  expect(parseMetrics(metricsCsv(points), 19)).toEqual(points.slice(0, 1));
});

test('a file that is no metrics gives none', () => {
  expect(parseMetrics('', 9)).toEqual([]);
  expect(parseMetrics('a,b\n1,2\n', 9)).toEqual([]);
  expect(parseMetrics('step,epoch,split,loss\n1,2\nx,1,train,3\n', 9)).toEqual([]);
});

test('the plot has each point at its place', () => {
  const svg = lossPlot(points, ['loss'], 'a < b');
  expect(svg).toContain('<title>a &#60; b</title>');
  expect(svg.match(/class="test" cx/g)?.length).toBe(1);
  expect(svg.match(/<text[^>]*>(loss|training|test)</g)?.length).toBe(3);
  const path = /<path class="train"[^>]* d="([^"]*)"/.exec(svg)?.[1] ?? '';
  const [first, second] = path
    .split(/[ML]/)
    .filter(Boolean)
    .map((p) => p.split(' ').map(Number));
  // The axis is 632 wide from 64 for epochs 0..1, and 312 high from 40 for losses from 1/3 down to 0.
  expect(first[0]).toBeCloseTo(64 + 316, 1);
  expect(first[1]).toBeCloseTo(40 + (1 - 0.9) * 312, 1);
  expect(second).toEqual([696, 40]);
});

test('several losses have a colour each, and negative ones reach down from 0', () => {
  const svg = lossPlot(
    [1, 2].map((epoch) => ({ step: epoch, epoch, split: 'train', measures: { a: -epoch, b: -4 } })),
    ['a', 'b'],
    't',
  );
  const curves = [...svg.matchAll(/<path class="train" stroke="(\S+)" d="([^"]*)"/g)];
  expect(new Set(curves.map(([, color]) => color)).size).toBe(2);
  // From 0 at 40 to -4 at 352.
  expect(curves.map(([, , d]) => d)).toEqual([
    'M380.0 118.0L696.0 196.0',
    'M380.0 352.0L696.0 352.0',
  ]);
});

test('a curve in a line of text', () => {
  const course = (values: readonly number[]): Point[] =>
    values.map((loss, step) => ({ step, epoch: step, split: 'train', measures: { loss } }));
  expect(sparkline(course([8, 4, 2, 1, 1]), 'loss')).toBe('loss 8.000 █▄▂▁▁ 1.000');
  expect(sparkline(course([1, 1]), 'loss')).toBe('loss 1.000 ▁▁ 1.000');
  expect(sparkline(course([1]), 'loss')).toBeNull();
  const long = sparkline(course(Array.from({ length: 1000 }, (_, i) => i)), 'loss') ?? '';
  expect(long).toMatch(/^loss 0\.000 ▁{5}▂{5}▃{5}▄{5}▅{5}▆{5}▇{5}█{5} 999\.0$/);
});

test('a plot of nothing, or of one point, is still a plot', () => {
  for (const some of [[], points.slice(0, 1)])
    expect(lossPlot(some, ['loss'], 't')).not.toMatch(/NaN|Infinity/);
});

test('ticks are round and inside', () => {
  expect(ticks(0, 1, 6)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(0, 7, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(ticks(-0.02, 0.37, 6)).toEqual([0, 0.1, 0.2, 0.3]);
  expect(ticks(0, 2300, 6)).toEqual([0, 500, 1000, 1500, 2000]);
});

test('numbers for people', () => {
  expect(showMeasures({ loss: 0.123456, rate: 1e-5, count: 0, big: 1234567 })).toBe(
    'loss 0.1235  rate 1.000e-5  count 0.000  big 1.235e+6',
  );
  expect([0.4, 42, 187, 3723].map(duration)).toEqual(['0:00', '0:42', '3:07', '1:02:03']);
});
