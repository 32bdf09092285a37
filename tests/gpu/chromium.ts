// A page in a real browser with WebGPU on SwiftShader: Chromium, headless, on a folder that is served for the while.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { chromium, type Page } from 'playwright-core';
import sirv from 'sirv';

import { unpackedChromium } from './unpack.ts';

/** Serves the files of `folder` as they are, on a free port of this machine. */
async function serve(folder: string): Promise<{ server: Server; origin: string }> {
  const server = createServer(sirv(folder, { dev: true }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, origin: `http://127.0.0.1:${port}` };
}

export interface OpenPage {
  readonly page: Page;
  /** What the page threw, or wrote to its console as an error. */
  readonly errors: readonly string[];
  readonly close: () => Promise<void>;
}

export interface PageOptions {
  /** Below the folder, with its query. */
  readonly path?: string;
  /** Whether the browser offers WebGPU. */
  readonly hasWebGpu?: boolean;
}

const webGpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** Opens a page of `folder`. The caller closes it, whatever happens. */
export async function openPage(
  folder: string,
  { path = '/', hasWebGpu = true }: PageOptions = {},
): Promise<OpenPage> {
  const { executable, env } = await unpackedChromium();
  const { server, origin } = await serve(folder);
  const stopServing = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const browser = await chromium
    .launch({
      executablePath: executable,
      env: { ...process.env, ...env },
      // No sandbox: it needs rights that a container rarely gives. No /dev/shm: it is often too small there.
      args: ['--no-sandbox', '--disable-dev-shm-usage', ...(hasWebGpu ? webGpu : [])],
    })
    .catch(async (error: unknown) => {
      await stopServing();
      throw error;
    });
  const errors: string[] = [];
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (entry) => {
    if (entry.type() === 'error') errors.push(entry.text());
  });
  const close = async (): Promise<void> => {
    await browser.close();
    await stopServing();
  };
  await page.goto(`${origin}${path}`).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { page, errors, close };
}
