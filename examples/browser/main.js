// The page: loads the network and the digits, trains, shows what it learns, and has it read what a person draws.

import { createCurve, logTicks } from './curve.js';
import { fetchDigits } from './data.js';
import { elements } from './elements.js';
import { fileOf, openLearnt, openModel } from './model.js';
import { explain, Trouble } from './problems.js';
import { createReader } from './reader.js';
import { programs, readSettings } from './settings.js';
import { startTraining } from './train.js';

/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('./data.js').Digits} Digits */

const settings = readSettings(new URLSearchParams(location.search));
const choice = programs[settings.program];

/**
 * What is on the GPU; null before it is loaded and when the GPU is lost. There is no training while parameters are drawn.
 * @type {{ model: Model, training: Awaited<ReturnType<typeof startTraining>> | null } | null}
 */
let loaded = null;

/**
 * The same network with the weights of the demo, once they are asked for.
 * @type {Promise<Model> | null}
 */
let learnt = null;

/**
 * Training and test digits: they stay when the GPU does not.
 * @type {Promise<[Digits, Digits]> | null}
 */
let digits = null;

/** @type {number[]} the loss of each step */
const losses = [];

const curves = {
  loss: createCurve(elements.lossCurve, {
    name: 'Loss',
    height: 210,
    ticks: (low, high) => (low <= high ? logTicks(low, Math.max(high, low * 2)) : logTicks(0.1, 3)),
    place: Math.log10,
    label: String,
    isNoisy: true,
  }),
  accuracy: createCurve(elements.accuracyCurve, {
    name: 'Test accuracy',
    height: 130,
    ticks: accuracyTicks,
    place: (value) => value,
    label: (value) => `${Number((100 * value).toFixed(2))}%`,
    isNoisy: false,
  }),
};

/**
 * From the highest of these that is below all values.
 * @param {number} low
 */
function accuracyTicks(low) {
  const from = [0.95, 0.9, 0.8, 0.5].find((end) => end < low && Number.isFinite(low)) ?? 0;
  return Array.from({ length: 6 }, (_, i) => from + ((1 - from) * i) / 5);
}

const reader = createReader(async (digit) => {
  const model = elements.learnt.checked ? await learnt : loaded?.model;
  if (!model) return null;
  const { p } = await model.classify({ x: digit });
  return p.data;
}, failed);

/** Shows what is wrong. @param {unknown} error */
function tell(error) {
  const { title, help, detail, canLoadAgain } = explain(error);
  elements.noticeTitle.textContent = title;
  elements.noticeHelp.textContent = help;
  elements.noticeDetail.textContent = detail;
  elements.noticeDetail.hidden = detail === '';
  elements.again.hidden = !canLoadAgain;
  elements.notice.hidden = false;
}

/**
 * Shows an error of the network, unless the GPU is lost: that is said by itself, and brings much else down before and after.
 * @param {unknown} error
 */
async function failed(error) {
  const { model } = loaded ?? {};
  await new Promise((resolve) => setTimeout(resolve));
  if (model && loaded?.model === model) tell(error);
}

/** Loads the network, and the digits if they are not there yet; shows why where that fails. */
async function open() {
  elements.notice.hidden = true;
  unload();
  ready('Loading');
  try {
    digits ??= fetchAll();
    const fetched = digits;
    // They come while the network is opened; that they do not is told below.
    fetched.catch(() => {});
    const model = await openModel(choice);
    loaded = { model, training: null };
    void model.lost.then((reason) => {
      if (loaded?.model === model) onLost(reason);
    });
    showDevice(model.device);
    await fetched;
  } catch (error) {
    unload();
    ready('');
    tell(error);
    return;
  }
  await begin();
}

/** Frees what is on the GPU. */
function unload() {
  const { model } = loaded ?? {};
  loaded = null;
  learnt = null;
  elements.beingTrained.checked = true;
  model?.dispose();
}

/** @returns {Promise<[Digits, Digits]>} */
async function fetchAll() {
  const { loading } = elements;
  loading.hidden = false;
  try {
    return await Promise.all([
      fetchDigits('mnist', 'train', settings.rows, (part) => (loading.value = part)),
      fetchDigits('mnist', 't10k', settings.test),
    ]);
  } catch (error) {
    digits = null;
    throw error;
  } finally {
    loading.hidden = true;
  }
}

/** Draws new parameters and empties the curves. */
async function begin() {
  if (loaded === null || digits === null) return;
  const { model } = loaded;
  loaded.training = null;
  losses.length = 0;
  curves.loss.clear();
  curves.accuracy.clear();
  for (const name of /** @type {const} */ (['loss', 'accuracy', 'pace']))
    elements[name].textContent = '–';
  elements.epoch.textContent = '0';
  elements.step.textContent = '0';
  ready('Loading');
  const [train, test] = await digits;
  const events = { onStep: showStep, onTest: showTest };
  try {
    const training = await startTraining(model.digits, { ...settings, train, test }, events);
    if (loaded?.model === model) loaded.training = training;
  } catch (error) {
    await failed(error);
  }
  ready('');
  await reader.say();
}

/** @param {unknown} reason */
function onLost(reason) {
  unload();
  ready('');
  tell(new Trouble('lost', reason));
}

/** What can be pressed when nothing runs. @param {string} status */
function ready(status) {
  elements.status.textContent = status;
  elements.train.textContent = losses.length > 0 && loaded !== null ? 'Go on' : 'Train';
  for (const name of /** @type {const} */ (['train', 'over', 'save']))
    elements[name].disabled = !loaded?.training;
  elements.sample.disabled = digits === null;
  elements.weights.disabled = loaded === null;
}

const endings = { paused: 'Paused', done: 'Done' };

async function train() {
  const { training } = loaded ?? {};
  if (!training) return;
  if (training.isRunning()) {
    elements.status.textContent = 'Pausing';
    await training.pause();
    return;
  }
  elements.train.textContent = 'Pause';
  elements.status.textContent = losses.length > 0 ? 'Training' : 'Compiling the kernels';
  try {
    const ending = await training.run();
    if (loaded?.training !== training) return;
    ready(endings[ending]);
    elements.train.disabled = ending === 'done';
    await reader.say();
  } catch (error) {
    if (loaded?.training === training) ready('');
    await failed(error);
  }
}

async function startOver() {
  await loaded?.training?.pause();
  await begin();
}

/** Digits a second, a mean of the last steps; the first step compiles. */
let pace = 0;
let lastRead = 0;

/** @type {import('./train.js').Events['onStep']} */
function showStep({ step, epoch, loss, perSecond }) {
  losses.push(loss);
  if (step === 1) elements.status.textContent = 'Training';
  curves.loss.add(step, loss);
  pace = step <= 2 ? perSecond : 0.9 * pace + 0.1 * perSecond;
  elements.step.textContent = String(step);
  elements.epoch.textContent = epoch.toFixed(2);
  elements.loss.textContent = loss.toPrecision(3);
  elements.pace.textContent = Math.round(pace).toLocaleString('en');
  // What is drawn is read anew as the network learns, a few times a second.
  if (elements.beingTrained.checked && performance.now() - lastRead > 200) {
    lastRead = performance.now();
    void reader.refresh();
  }
}

/** @type {import('./train.js').Events['onTest']} */
function showTest({ step, accuracy }) {
  curves.accuracy.add(step, accuracy);
  elements.accuracy.textContent = `${(100 * accuracy).toFixed(2)}%`;
}

async function chooseWeights() {
  if (loaded === null) return;
  try {
    if (elements.learnt.checked) await (learnt ??= openLearnt(choice, loaded.model.device));
  } catch (error) {
    learnt = null;
    elements.beingTrained.checked = true;
    await failed(error);
  }
  await reader.say();
}

async function showSample() {
  if (digits === null) return;
  const [, { rows, images, labels, pixels }] = await digits;
  const row = Math.floor(Math.random() * rows);
  const side = Math.sqrt(pixels);
  await reader.drawing.show(images.subarray(row * pixels, (row + 1) * pixels), side);
  elements.truth.textContent = `Its label: ${labels[row]}`;
}

async function saveWeights() {
  if (loaded === null) return;
  const bytes = await loaded.model.weights.save();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = `${choice.name}.safetensors`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** @param {GPUDevice} device */
function showDevice({ adapterInfo }) {
  const { description, architecture, vendor } = adapterInfo ?? {};
  const name = description || [vendor, architecture].filter(Boolean).join(' ');
  elements.device.textContent = name ? `Computing on ${name}.` : '';
}

function showPrograms() {
  for (const [name, { title }] of Object.entries(programs)) {
    const query = new URLSearchParams(location.search);
    query.set('program', name);
    const link = document.createElement('a');
    link.href = `?${query}`;
    link.textContent = title;
    if (name === settings.program) link.ariaCurrent = 'page';
    elements.programs.append(link);
  }
  elements.source.href = fileOf(choice, 'dlg');
  elements.code.href = fileOf(choice, 'js');
}

elements.train.addEventListener('click', () => void train());
elements.over.addEventListener('click', () => void startOver());
elements.save.addEventListener('click', () => saveWeights().catch(failed));
elements.again.addEventListener('click', () => void open());
elements.clear.addEventListener('click', () => reader.drawing.clear());
elements.sample.addEventListener('click', () => void showSample());
elements.weights.addEventListener('change', () => void chooseWeights());

// For the console of the browser.
Object.assign(globalThis, { page: { losses, settings, loaded: () => loaded } });

showPrograms();
void open();
