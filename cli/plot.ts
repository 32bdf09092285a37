// loss.svg: the losses over epochs, a colour each, on training, validation and test data. Plain SVG that any browser shows, light or
// dark.

import type { Point } from '../runtime/train.ts';

const width = 720;
const height = 400;
const margin = { left: 64, right: 24, top: 40, bottom: 48 };
const inner = {
  width: width - margin.left - margin.right,
  height: height - margin.top - margin.bottom,
};

/** About `wanted` round numbers that span `low..high`: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, wanted: number): readonly number[] {
  const span = high - low || 1;
  const power = 10 ** Math.floor(Math.log10(span / wanted));
  const step = power * ([1, 2, 5, 10].find((m) => span / (m * power) <= wanted) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const length = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

const fixed = (n: number): string => n.toFixed(1);

/** One measure on one kind of data. */
interface Series {
  readonly name: string;
  readonly split: Split;
  /** Of the measure's colour. */
  readonly color: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

type Split = Point['split'];

const colors = ['#3572b0', '#d1622b', '#3a8a52', '#8a5bb0', '#b03560', '#7a7a2a'];

/** How each kind of data is drawn; in the legend too. */
const splits: readonly { readonly split: Split; readonly label: string }[] = [
  { split: 'train', label: 'training' },
  { split: 'validation', label: 'validation' },
  { split: 'test', label: 'test' },
];

function seriesOf(points: readonly Point[], names: readonly string[]): readonly Series[] {
  return names.flatMap((name, i) =>
    splits.map(({ split }) => ({
      name,
      split,
      color: colors[i % colors.length],
      points: points.flatMap(({ epoch, split: of, measures }) =>
        of === split && Number.isFinite(measures[name]) ? [{ x: epoch, y: measures[name] }] : [],
      ),
    })),
  );
}

const style = `
  text { font: 12px system-ui, sans-serif; fill: #444 }
  .title { font-size: 14px; font-weight: 600 }
  .grid { stroke: #8883; stroke-width: 1 }
  .train { fill: none; stroke-width: 2; stroke-linejoin: round }
  .validation { fill: none; stroke-width: 1.5; stroke-dasharray: 5 3 }
  @media (prefers-color-scheme: dark) { text { fill: #ccc } }
`;

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** The curves of the measures called `names`: of training data a line, of validation data a dashed one, of test data dots. */
export function lossPlot(
  points: readonly Point[],
  names: readonly string[],
  title: string,
): string {
  const series = seriesOf(points, names).filter((s) => s.points.length > 0);
  const all = series.flatMap((s) => s.points);
  const right = Math.max(1, ...all.map(({ x }) => x));
  const bottom = Math.min(0, ...all.map(({ y }) => y));
  const highest = Math.max(0, ...all.map(({ y }) => y));
  const top = highest > bottom ? highest : bottom + 1;
  const scale: Scale = {
    x: (v) => margin.left + (v / right) * inner.width,
    y: (v) => margin.top + (1 - (v - bottom) / (top - bottom)) * inner.height,
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${style}</style>`,
    `<text class="title" x="${margin.left}" y="26">${escape(title)}</text>`,
    ...legend(series),
    ...axes(scale, right, bottom, top),
    ...series.map((s) => curve(scale, s)),
    '</svg>',
    '',
  ].join('\n');
}

function axes(scale: Scale, right: number, bottom: number, top: number): string[] {
  const rows = ticks(bottom, top, 6).map((v) => {
    const y = scale.y(v);
    return (
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${fixed(y)}" y2="${fixed(y)}"/>` +
      `<text x="${margin.left - 8}" y="${fixed(y + 4)}" text-anchor="end">${v}</text>`
    );
  });
  const columns = ticks(0, right, 10).map(
    (v) =>
      `<text x="${fixed(scale.x(v))}" y="${height - margin.bottom + 20}" text-anchor="middle">${v}</text>`,
  );
  const label = `<text x="${margin.left + inner.width / 2}" y="${height - 8}" text-anchor="middle">epochs</text>`;
  return [...rows, ...columns, label];
}

function curve({ x, y }: Scale, { split, color, points }: Series): string {
  if (split === 'test')
    return points
      .map(
        (p) =>
          `<circle class="test" cx="${fixed(x(p.x))}" cy="${fixed(y(p.y))}" r="4" fill="${color}"/>`,
      )
      .join('');
  const path = points
    .map((p, i) => `${i === 0 ? 'M' : 'L'}${fixed(x(p.x))} ${fixed(y(p.y))}`)
    .join('');
  return `<path class="${split}" stroke="${color}" d="${path}"/>`;
}

/** An entry a measure, and one a kind of data where there are several; from the right. */
function legend(series: readonly Series[]): string[] {
  const names = new Map(series.map(({ name, color }) => [name, color]));
  const kinds = splits.filter(({ split }) => series.some((s) => s.split === split));
  const entries = [
    ...[...names].map(([name, color]) => ({ text: name, mark: mark('train', color) })),
    ...(kinds.length < 2 ? [] : kinds).map(({ split, label }) => ({
      text: label,
      mark: mark(split, '#888'),
    })),
  ];
  let right = width - margin.right;
  return entries.toReversed().map(({ text, mark: draw }) => {
    // About 7 pixels a character.
    const at = right - 7 * text.length;
    right = at - 48;
    return `${draw(at - 30)}<text x="${fixed(at)}" y="26">${escape(text)}</text>`;
  });
}

const mark =
  (split: Split, color: string) =>
  (x: number): string =>
    split === 'test'
      ? `<circle cx="${fixed(x + 16)}" cy="22" r="4" fill="${color}"/>`
      : `<line class="${split}" stroke="${color}" x1="${fixed(x)}" x2="${fixed(x + 24)}" y1="22" y2="22"/>`;
