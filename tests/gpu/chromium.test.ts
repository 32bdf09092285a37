// Real Chromium computes through WebGPU on SwiftShader.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { openPage, type OpenPage } from './chromium.ts';
import { squares } from './squares.ts';
import { canUnpack } from './unpack.ts';

let folder: string;
let opened: OpenPage;

beforeAll(async () => {
  if (!canUnpack) return;
  folder = await mkdtemp(join(tmpdir(), 'dlg-page-'));
  await writeFile(join(folder, 'index.html'), '<h1>page</h1><script src="page.js"></script>');
  await writeFile(join(folder, 'page.js'), `window.squares = ${squares.toString()};`);
  opened = await openPage(folder);
}, 60_000);

afterAll(async () => {
  await opened?.close();
  if (folder) await rm(folder, { recursive: true });
});

test.runIf(canUnpack)('a kernel computes in a page', async () => {
  const result = await opened.page.evaluate(`(async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter.requestDevice();
    return { driver: adapter.info.architecture, values: await squares(device, [1, 2, 3, 4.5]) };
  })()`);
  expect(result).toEqual({ driver: 'swiftshader', values: [1, 4, 9, 20.25] });
});

test.runIf(canUnpack)('text is drawn, and errors of the page are known', async () => {
  const drawn = await opened.page.screenshot();
  await opened.page.evaluate('document.querySelector("h1").textContent = ""');
  expect((await opened.page.screenshot()).equals(drawn)).toBe(false);
  expect(opened.errors).toEqual([]);
  await opened.page.evaluate('setTimeout(() => { throw new Error("odd"); }), undefined');
  await expect.poll(() => opened.errors).toEqual(['odd']);
});
