// Reads what is drawn: from ink to a digit of 28 x 28, to probabilities, to bars, as often as the network can.

import { createBars } from './bars.js';
import { side, toDigit } from './digit.js';
import { createDrawing } from './draw.js';
import { elements } from './elements.js';

/**
 * @param {(digit: Float32Array) => Promise<ArrayLike<number> | null>} classify null while there is no network
 * @param {(error: unknown) => void} onError
 */
export function createReader(classify, onError) {
  const { drawing: canvas, pen, hint, verdict, seen, bars: list, said, truth } = elements;
  const bars = createBars(list, verdict);
  /** @type {Promise<void> | null} */
  let reading = null;
  let isDue = false;
  let best = -1;
  let saidTimes = 0;

  const read = async () => {
    const { ink, width, height } = drawing.ink();
    const digit = toDigit(ink, width, height);
    hint.hidden = digit !== null;
    if (digit === null) truth.textContent = '';
    paint(seen, digit);
    best = bars.show(digit === null ? null : await classify(digit));
  };

  const readAll = async () => {
    try {
      while (isDue) {
        isDue = false;
        await read();
      }
    } catch (error) {
      onError(error);
    } finally {
      reading = null;
    }
  };

  /** Reads now, or once more when what is being read is done; resolves when nothing is left to read. */
  const refresh = () => {
    isDue = true;
    reading ??= readAll();
    return reading;
  };

  /** Reads, and says aloud what, unless a new stroke has begun: at every movement would be too much. */
  const say = async () => {
    const time = ++saidTimes;
    await refresh();
    if (time === saidTimes) said.textContent = best < 0 ? '' : `Read as ${best}`;
  };

  const drawing = createDrawing(canvas, pen, {
    onInk: () => void refresh(),
    onStart() {
      saidTimes++;
      said.textContent = '';
      truth.textContent = '';
    },
    onEnd: () => void say(),
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => void refresh());
  return { refresh, say, drawing };
}

/**
 * Draws a digit pixel by pixel, in the colour of the text.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array | null} digit
 */
function paint(canvas, digit) {
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, side, side);
  context.fillStyle = getComputedStyle(canvas).color;
  digit?.forEach((value, i) => {
    context.globalAlpha = value;
    context.fillRect(i % side, Math.floor(i / side), 1, 1);
  });
}
