// metrics.csv: every point of the curve, one row each, with the names of losses and reports at its head.

import type { Point } from '../runtime/train.ts';

const fixed = ['step', 'epoch', 'split'];

const namesOf = (points: readonly Point[]): readonly string[] => [
  ...new Set(points.flatMap(({ measures }) => Object.keys(measures))),
];

export function metricsCsv(points: readonly Point[]): string {
  const names = namesOf(points);
  const rows = points.map(({ step, epoch, split, measures }) =>
    [step, epoch, split, ...names.map((name) => measures[name] ?? '')].join(','),
  );
  return [[...fixed, ...names].join(','), ...rows, ''].join('\n');
}

const isSplit = (text: string | undefined): text is Point['split'] =>
  text === 'train' || text === 'validation' || text === 'test';

/** The points of a file that `metricsCsv` wrote, up to `lastStep`; none where it is anything else. */
export function parseMetrics(text: string, lastStep: number): readonly Point[] {
  const [head, ...rows] = text.split('\n').filter((line) => line !== '');
  const names = head?.split(',') ?? [];
  if (fixed.some((name, i) => names[i] !== name)) return [];
  return rows.flatMap((row): Point[] => {
    const [step, epoch, split, ...values] = row.split(',');
    if (values.length !== names.length - fixed.length) return [];
    if (!isSplit(split) || !(Number(step) <= lastStep)) return [];
    const measures = Object.fromEntries(
      values.flatMap((value, i) =>
        value === '' ? [] : [[names[fixed.length + i], Number(value)]],
      ),
    );
    return [{ step: Number(step), epoch: Number(epoch), split, measures }];
  });
}
