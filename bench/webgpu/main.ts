// DLG and its peers on WebGPU, on the same adapter in one run: `npm run bench:webgpu` (after `npm ci --prefix bench`).
//
//     npm run bench:webgpu -- [matmul conv ...]     on SwiftShader, smaller batches
//     npm run bench:webgpu -- --gpu                 on this machine's GPU
//     npm run bench:webgpu -- --gpu --only-prepare  writes out/bench-webgpu, to be carried to a machine with a GPU

import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { swiftShader } from '../../tests/gpu/unpack.ts';
import { prepare } from './prepare.ts';

const folder = fileURLToPath(new URL('../../out/bench-webgpu', import.meta.url));
const options = process.argv.slice(2);
const gpu = options.includes('--gpu');
const wanted = options.filter((option) => !option.startsWith('--'));

await prepare(folder, { software: !gpu, wanted });
if (!options.includes('--only-prepare')) {
  const { icd, loader } = await swiftShader();
  const env = gpu ? {} : { VK_ICD_FILENAMES: icd, LD_LIBRARY_PATH: dirname(loader) };
  execFileSync(process.execPath, [`${folder}/race.mjs`], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
}
