// A hash of a dataset, kept in checkpoints: a run that goes on with other data would not be the same run.

import { createHash } from 'node:crypto';

import { showPort } from '../../compiler/program.ts';
import type { Dataset } from './dataset.ts';

/** Of each column's declaration, shape, scale and elements; whatever the file is called. */
export function fingerprint({ columns }: Dataset): string {
  const hash = createHash('sha256');
  for (const { port, shape, scale, data } of columns) {
    hash.update(JSON.stringify([port.name, showPort(port), shape, scale]));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
