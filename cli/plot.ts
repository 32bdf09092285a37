// loss.svg: the loss over epochs, on the training data as a line and on the test data as dots. Plain SVG that any browser shows,
// light or dark.

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

interface Series {
  readonly split: Point['split'];
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const seriesOf = (points: readonly Point[], name: string, split: Point['split']): Series => ({
  split,
  points: points.flatMap(({ epoch, split: of, measures }) =>
    of === split && Number.isFinite(measures[name]) ? [{ x: epoch, y: measures[name] }] : [],
  ),
});

const style = `
  text { font: 12px system-ui, sans-serif; fill: #444 }
  .title { font-size: 14px; font-weight: 600 }
  .grid { stroke: #8883; stroke-width: 1 }
  .train { fill: none; stroke: #3572b0; stroke-width: 2; stroke-linejoin: round }
  .test { fill: #d1622b; stroke: none }
  @media (prefers-color-scheme: dark) { text { fill: #ccc } }
`;

/** The curve of the measure called `name`. */
export function lossPlot(points: readonly Point[], name: string, title: string): string {
  const [trained, tested] = [seriesOf(points, name, 'train'), seriesOf(points, name, 'test')];
  const all = [...trained.points, ...tested.points];
  const right = Math.max(1, ...all.map(({ x }) => x));
  const top = Math.max(0, ...all.map(({ y }) => y)) || 1;
  const bottom = Math.min(0, ...all.map(({ y }) => y));
  const x = (v: number): number => margin.left + (v / right) * inner.width;
  const y = (v: number): number => margin.top + (1 - (v - bottom) / (top - bottom)) * inner.height;
  const vertical = ticks(bottom, top, 6).map(
    (v) =>
      `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${fixed(y(v))}" y2="${fixed(y(v))}"/>` +
      `<text x="${margin.left - 8}" y="${fixed(y(v) + 4)}" text-anchor="end">${v}</text>`,
  );
  const horizontal = ticks(0, right, 10).map(
    (v) =>
      `<text x="${fixed(x(v))}" y="${height - margin.bottom + 20}" text-anchor="middle">${v}</text>`,
  );
  const path = trained.points
    .map((p, i) => `${i === 0 ? 'M' : 'L'}${fixed(x(p.x))} ${fixed(y(p.y))}`)
    .join('');
  const dots = tested.points.map(
    (p) => `<circle class="test" cx="${fixed(x(p.x))}" cy="${fixed(y(p.y))}" r="4"/>`,
  );
  const legend =
    `<line class="train" x1="${width - 190}" x2="${width - 166}" y1="22" y2="22"/><text x="${width - 160}" y="26">training</text>` +
    (dots.length === 0
      ? ''
      : `<circle class="test" cx="${width - 86}" cy="22" r="4"/><text x="${width - 76}" y="26">test</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${style}</style>`,
    `<text class="title" x="${margin.left}" y="26">${escape(title)}</text>`,
    legend,
    ...vertical,
    ...horizontal,
    `<text x="${margin.left + inner.width / 2}" y="${height - 8}" text-anchor="middle">epochs</text>`,
    `<path class="train" d="${path}"/>`,
    ...dots,
    '</svg>',
    '',
  ].join('\n');
}
