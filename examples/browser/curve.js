// A live curve as SVG: values over steps. Colours come from the style sheet, so that it follows light and dark.

/**
 * @typedef {object} Look
 * @property {string} name for those who do not see it
 * @property {number} height
 * @property {(low: number, high: number) => readonly number[]} ticks the marks of the vertical axis; the first and the last are its ends
 * @property {(value: number) => number} place from values to even distances
 * @property {(value: number) => string} label
 * @property {boolean} isNoisy draws the range of the values faintly, and their moving mean boldly
 */

/** @typedef {{ steps: number[], values: number[] }} Series */

const margin = { left: 44, right: 14, top: 10, bottom: 22 };
/** As many as are told apart. */
const most = { ranges: 120, points: 300 };

/** The ladder 1, 2, 3, 5 in every power of ten, from one that is at most `low` to one that is at least `high`.
 * @param {number} low
 * @param {number} high
 */
export function logTicks(low, high) {
  const ladder = [1, 2, 3, 5];
  const rungs = [];
  for (let power = -6; power <= 6; power++)
    for (const rung of ladder) rungs.push(Number((rung * 10 ** power).toPrecision(3)));
  const first = Math.max(
    0,
    rungs.findLastIndex((rung) => rung <= low),
  );
  const last = rungs.findIndex((rung) => rung >= high);
  const ticks = rungs.slice(first, last < 0 ? undefined : last + 1);
  // Threes only where there is room for them, and never at the cost of an end.
  return ticks.filter(
    (tick, i) => i === 0 || i === ticks.length - 1 || ticks.length <= 6 || !/3/.test(String(tick)),
  );
}

/** Round numbers from 0 to at most `high`, about `wanted` of them.
 * @param {number} high
 * @param {number} wanted
 */
export function stepTicks(high, wanted) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, high / wanted)));
  const stride = power * ([1, 2, 5, 10].find((m) => high / (m * power) <= wanted) ?? 10);
  return Array.from({ length: Math.floor(high / stride) + 1 }, (_, i) => i * stride);
}

/**
 * The exponential moving mean, without the pull of a first value: each counts half after about `half` steps.
 * @param {readonly number[]} values
 * @param {number} half
 */
export function movingMean(values, half) {
  const keep = 0.5 ** (1 / half);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/**
 * Least and greatest value of each of at most `count` spans of neighbours, so that a long run draws as fast as a short one.
 * @param {Series} series
 * @param {number} count
 */
export function ranges({ steps, values }, count) {
  const span = Math.max(1, Math.ceil(values.length / count));
  return Array.from({ length: Math.ceil(values.length / span) }, (_, i) => {
    const part = values.slice(i * span, (i + 1) * span);
    return { step: steps[i * span], low: Math.min(...part), high: Math.max(...part) };
  });
}

/**
 * @param {SVGSVGElement} svg
 * @param {Look} look
 */
export function createCurve(svg, look) {
  /** @type {Series} */
  let series = { steps: [], values: [] };
  let isDue = false;
  const redraw = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw(svg, look, series);
    });
  };
  new ResizeObserver(redraw).observe(svg);
  return {
    /** @param {number} step @param {number} value */
    add(step, value) {
      series.steps.push(step);
      series.values.push(value);
      redraw();
    },
    clear() {
      series = { steps: [], values: [] };
      redraw();
    },
  };
}

/**
 * @param {SVGSVGElement} svg
 * @param {Look} look
 * @param {Series} series
 */
function draw(svg, look, series) {
  const width = svg.clientWidth || 320;
  const { steps, values } = series;
  const last = steps.at(-1) ?? 0;
  const marks = look.ticks(Math.min(...values), Math.max(...values));
  const [bottom, top] = [look.place(marks[0]), look.place(marks[marks.length - 1])];
  const right = Math.max(10, last);
  const inner = {
    width: width - margin.left - margin.right,
    height: look.height - margin.top - margin.bottom,
  };
  /** @param {number} step */
  const x = (step) => fixed(margin.left + (step / right) * inner.width);
  /** @param {number} value */
  const y = (value) =>
    fixed(margin.top + (1 - (look.place(value) - bottom) / (top - bottom)) * inner.height);

  const said =
    values.length === 0 ? 'no values yet' : `${look.label(values.at(-1) ?? 0)} at step ${last}`;
  svg.setAttribute('viewBox', `0 0 ${width} ${look.height}`);
  svg.setAttribute('aria-label', `${look.name}: ${said}`);
  svg.innerHTML = [
    ...marks.map(
      (mark) =>
        `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y(mark)}" y2="${y(mark)}"/>` +
        `<text class="value" x="${margin.left - 8}" y="${y(mark)}" dy="0.32em">${look.label(mark)}</text>`,
    ),
    ...stepTicks(right, width / 90).map(
      (tick) => `<text class="step" x="${x(tick)}" y="${look.height - 4}">${tick}</text>`,
    ),
    look.isNoisy ? noisy(series, x, y) : dotted(series, x, y),
  ].join('');
}

/** @param {number} n */
const fixed = (n) => n.toFixed(1);

/** @typedef {(value: number) => string} Scale */

/** @param {readonly string[]} points */
const path = (points) => (points.length === 0 ? '' : `M${points.join('L')}`);

/** @param {Series} series @param {Scale} x @param {Scale} y */
function noisy(series, x, y) {
  const spans = ranges(series, most.ranges);
  const above = spans.map(({ step, high }) => `${x(step)} ${y(high)}`);
  const below = spans.map(({ step, low }) => `${x(step)} ${y(low)}`).reverse();
  // Few steps are smoothed little: the mean of a short run would lag behind its fall.
  const mean = movingMean(series.values, Math.min(12, 1 + series.values.length / 25));
  const stride = Math.ceil(mean.length / most.points);
  const line = mean.flatMap((value, i) =>
    i % stride === 0 || i === mean.length - 1 ? [`${x(series.steps[i])} ${y(value)}`] : [],
  );
  return `<path class="range" d="${path([...above, ...below])}"/><path class="line" d="${path(line)}"/>`;
}

/** @param {Series} series @param {Scale} x @param {Scale} y */
function dotted({ steps, values }, x, y) {
  const points = values.map((value, i) => ({ x: x(steps[i]), y: y(value) }));
  const dots = points.map((p) => `<circle class="dot" cx="${p.x}" cy="${p.y}" r="3"/>`);
  return `<path class="line" d="${path(points.map((p) => `${p.x} ${p.y}`))}"/>${dots.join('')}`;
}
