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
/** A page should answer within a frame or so. */
const longestWithoutRest = 12;

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
  let step = 0;
  let isPaused = false;
  /** @type {Promise<'paused' | 'done'> | null} */
  let running = null;

  const oneStep = async () => {
    const done = step % perEpoch;
    if (done === 0 && step > 0) order = shuffled(train.rows, seed, step / perEpoch);
    const to = Math.min((done + 1) * batch, train.rows);
    const since = performance.now();
    const { loss } = await fit.step(takeBatch(train, order, done * batch, to));
    const seconds = (performance.now() - since) / 1000;
    if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} at step ${step + 1}`);
    step++;
    onStep({ step, epoch: step / perEpoch, loss, perSecond: (to - done * batch) / seconds });
  };

  const measure = async () => {
    let right = 0;
    for (let from = 0; from < test.rows; from += testBatch) {
      const to = Math.min(from + testBatch, test.rows);
      const { accuracy } = await fit.evaluate(takeBatch(test, testOrder, from, to));
      right += accuracy * (to - from);
      await rest();
    }
    onTest({ step, accuracy: right / test.rows });
  };

  /** @returns {Promise<'paused' | 'done'>} */
  const loop = async () => {
    while (!isPaused && step < steps) {
      await oneStep();
      if (step % perTest === 0 || step === steps) await measure();
      await rest();
    }
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
