// The training loop: batches in a seeded order, a step at a time on the GPU, measured on test digits now and then. It gives way to
// the page, and can be paused between any two steps.

import { takeBatch } from './data.js';
import { shuffled } from './order.js';

/** @typedef {import('./data.js').Digits} Digits */
/** @typedef {{ x: Float32Array, y: Int32Array }} Batch */

/**
 * What the module of a program gives for its train block.
 * @typedef {object} Fit
 * @property {(seed: number) => Promise<void>} start
 * @property {(batch: Batch) => Promise<{ loss: number, accuracy: number }>} step
 * @property {(batch: Batch) => Promise<{ loss: number, accuracy: number }>} evaluate
 */

/**
 * @typedef {object} Settings
 * @property {Digits} train
 * @property {Digits} test
 * @property {number} batch
 * @property {number} seed
 * @property {number} steps how many at most
 */

/**
 * @typedef {object} Events
 * @property {(event: { step: number, epoch: number, loss: number, perSecond: number }) => void} onStep
 * @property {(event: { step: number, accuracy: number }) => void} onTest
 */

const testsAnEpoch = 4;
const testBatch = 250;
/** In milliseconds: a page should draw and answer within a frame or so. */
const longestWithoutRest = 12;
/** So many steps wait on the GPU, which is then never idle; where one takes long, only one, so that a drawing is read in between. */
const mostUnderway = 4;
const longestOfMany = 20;

/**
 * Draws the first parameters; `run` then trains them.
 * @param {Fit} fit
 * @param {Settings} settings
 * @param {Events} events
 */
export async function startTraining(fit, { train, test, batch, seed, steps }, { onStep, onTest }) {
  const perEpoch = Math.ceil(train.rows / batch);
  const perTest = Math.ceil(perEpoch / testsAnEpoch);
  const testOrder = Uint32Array.from({ length: test.rows }, (_, i) => i);
  const rest = createRest();
  let order = shuffled(train.rows, seed, 0);
  /** How many are handed to the GPU. */
  let step = 0;
  let lastDone = 0;
  let isSlow = true;
  let isPaused = false;
  /** @type {Promise<'paused' | 'done'> | null} */
  let running = null;

  /** Hands a step to the GPU, and tells of it when it is done. */
  const takeStep = async () => {
    const done = step % perEpoch;
    if (done === 0 && step > 0) order = shuffled(train.rows, seed, step / perEpoch);
    const to = Math.min((done + 1) * batch, train.rows);
    const taken = takeBatch(train, order, done * batch, to);
    const number = ++step;
    const since = performance.now();
    const { loss } = await fit.step(taken);
    const now = performance.now();
    if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} at step ${number}`);
    const took = now - Math.max(since, lastDone);
    lastDone = now;
    isSlow = took > longestOfMany;
    onStep({
      step: number,
      epoch: number / perEpoch,
      loss,
      perSecond: (1000 * taken.y.length) / took,
    });
  };

  const measure = async () => {
    let right = 0;
    for (let from = 0; from < test.rows; from += testBatch) {
      if (isPaused) return;
      const to = Math.min(from + testBatch, test.rows);
      const { accuracy } = await fit.evaluate(takeBatch(test, testOrder, from, to));
      right += accuracy * (to - from);
      await rest();
    }
    onTest({ step, accuracy: right / test.rows });
  };

  /** @returns {Promise<'paused' | 'done'>} */
  const loop = async () => {
    /** @type {Promise<void>[]} */
    const underway = [];
    while (!isPaused && step < steps) {
      const taken = takeStep();
      // It is awaited below; until then its failure is not one that nobody caught.
      taken.catch(() => {});
      underway.push(taken);
      const isDue = step % perTest === 0 || step === steps;
      while (underway.length >= (isDue || isSlow ? 1 : mostUnderway)) await underway.shift();
      if (isDue) await measure();
      await rest();
    }
    await Promise.all(underway);
    return step < steps ? 'paused' : 'done';
  };

  await fit.start(seed);
  return {
    isRunning: () => running !== null,
    /** Trains until it is paused or all steps are taken; resolves to which. */
    run() {
      isPaused = false;
      running ??= loop().finally(() => (running = null));
      return running;
    },
    /** Resolves when no step runs any more. */
    async pause() {
      isPaused = true;
      await running?.catch(() => {});
    },
  };
}

/** Lets the page draw and answer, if it has not for a while. A timer rather than a frame: hidden pages have no frames. */
function createRest() {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < longestWithoutRest) return;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  };
}
