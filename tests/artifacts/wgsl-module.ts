// Modules of `dlg build --target wgsl`, written to a folder and loaded from there, as a page or a script would.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll } from 'vitest';

import { bundleRuntime } from '../../cli/wgsl-runtime/bundle.mjs';
import type { Target } from '../../compiler/emit/wgsl/adapter.ts';
import { exportWgsl } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';

export interface HostTensor {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** Of a module whose types a test does not know. */
export interface AnyModel {
  readonly device: GPUDevice;
  readonly lost: Promise<GPUDeviceLostInfo>;
  readonly weights: {
    readonly read: () => Promise<Record<string, HostTensor>>;
    readonly save: () => Promise<Uint8Array>;
    readonly load: (source: unknown) => Promise<void>;
  };
  readonly dispose: () => void;
}

const folders: string[] = [];

/** A folder below node_modules, where a module's own imports would be found if it had any. */
function folderForModules(): string {
  const parent = join(import.meta.dirname, '../../node_modules/.cache');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'dlg-wgsl-'));
  folders.push(folder);
  return folder;
}

export const removeModules = (): void =>
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const runtime = bundleRuntime();

export interface WrittenModule {
  readonly folder: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly load: <Model = AnyModel>(options?: object) => Promise<Model>;
}

/** Writes the program's artifact, and weights beside it. */
export async function writeModule(
  program: CompiledProgram,
  { weights, ...target }: Partial<Target> & { readonly weights?: Uint8Array } = {},
): Promise<WrittenModule> {
  const folder = folderForModules();
  const file = `${program.name}.safetensors`;
  const texts = exportWgsl(program, {
    target: { adapter: 'software', ...target },
    runtime: await runtime,
    weights: weights === undefined ? null : file,
  });
  for (const [name, text] of texts) writeFileSync(join(folder, name), text);
  if (weights !== undefined) writeFileSync(join(folder, file), weights);
  const url = pathToFileURL(join(folder, `${program.name}.js`)).href;
  const { load } = (await import(/* @vite-ignore */ url)) as Pick<WrittenModule, 'load'>;
  return { folder, texts, load };
}
