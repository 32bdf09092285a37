// WebGPU without a GPU. The npm package @sparticuz/chromium holds SwiftShader, a Vulkan driver that computes on the CPU, with the
// loader it needs, and a Chromium with the libraries a bare Linux lacks, all for Linux on x86-64. They are unpacked once into a
// folder below node_modules, so nothing needs root or a package of the system.

import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

import { extract } from 'tar-fs';

/** Whether what the package holds runs here. */
export const canUnpack = process.platform === 'linux' && process.arch === 'x64';

const packageFolder = (): string => {
  // Its `exports` hide package.json; the entry is build/cjs/index.js.
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  return join(dirname(entry), '..', '..');
};

async function cacheFolder(): Promise<string> {
  const from = packageFolder();
  const text = await readFile(join(from, 'package.json'), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return join(from, '..', '..', '.cache', `dlg-webgpu-${version}`);
}

/** Unpacks one part under a temporary name and renames it, so that workers that do it at once do not disturb each other. */
async function once(
  cache: string,
  part: string,
  unpack: (from: string, into: string) => Promise<unknown>,
): Promise<string> {
  const folder = join(cache, part);
  if (existsSync(folder)) return folder;
  const temporary = join(cache, `${part}.${randomUUID()}`);
  await mkdir(temporary, { recursive: true });
  try {
    await unpack(join(packageFolder(), 'bin'), temporary);
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another worker was faster: a rename never replaces a folder that is not empty.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

const untar = (archive: string, into: string): Promise<void> =>
  pipeline(createReadStream(archive), createBrotliDecompress(), extract(into));

export interface SwiftShader {
  /** The file that tells the Vulkan loader of the driver. */
  readonly icd: string;
  readonly loader: string;
}

export async function swiftShader(cache?: string): Promise<SwiftShader> {
  const folder = await once(cache ?? (await cacheFolder()), 'swiftshader', (bin, into) =>
    untar(join(bin, 'swiftshader.tar.br'), into),
  );
  return {
    icd: join(folder, 'vk_swiftshader_icd.json'),
    loader: join(folder, 'libvulkan.so.1'),
  };
}

/**
 * Makes Dawn in this process find SwiftShader and nothing else, whatever the machine has. In a worker thread `process.env` is a
 * copy that Vulkan does not see: it takes a process.
 */
export async function useSwiftShader(): Promise<void> {
  const { icd, loader } = await swiftShader();
  process.env.VK_ICD_FILENAMES = icd;
  process.env.VK_DRIVER_FILES = icd;
  const keepLoaded = 0x1000; // RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | keepLoaded);
  } catch {
    // Node says that it is no module of Node's, which is so; the library stays loaded, and Dawn finds it by its name.
  }
}

export interface Browser {
  readonly executable: string;
  /** Folders and files its environment must name. */
  readonly env: Readonly<Record<string, string>>;
}

/** Chromium with SwiftShader beside it, where it looks for it; its libraries; and a font, so that every machine draws the same. */
export async function unpackedChromium(): Promise<Browser> {
  const from = await cacheFolder();
  const folder = await once(from, 'chromium', async (bin, into) => {
    const executable = join(into, 'chromium');
    await Promise.all([
      pipeline(
        createReadStream(join(bin, 'chromium.br')),
        createBrotliDecompress(),
        createWriteStream(executable),
      ),
      ...['swiftshader', 'al2023', 'fonts'].map((part) => untar(join(bin, `${part}.tar.br`), into)),
    ]);
    await chmod(executable, 0o755);
    // Whole paths: fontconfig takes relative ones from wherever the process was started.
    await writeFile(join(into, 'fonts.conf'), fontsConfiguration(join(from, 'chromium')));
  });
  return {
    executable: join(folder, 'chromium'),
    env: {
      LD_LIBRARY_PATH: join(folder, 'lib'),
      FONTCONFIG_FILE: join(folder, 'fonts.conf'),
    },
  };
}

const fontsConfiguration = (folder: string): string =>
  '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">' +
  `<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'cache')}</cachedir></fontconfig>\n`;
