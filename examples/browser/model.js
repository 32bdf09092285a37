// Opens the module of a program, which `dlg build --target wgsl` wrote.

import { Trouble } from './problems.js';

/** @typedef {import('./train.js').Fit} Fit */
/** @typedef {import('./settings.js').Choice} Choice */

/**
 * What this page uses of a module.
 * @typedef {object} Model
 * @property {(inputs: { x: Float32Array }) => Promise<{ p: { data: ArrayLike<number> } }>} classify
 * @property {Fit} digits
 * @property {{ save: () => Promise<Uint8Array<ArrayBuffer>> }} weights
 * @property {GPUDevice} device
 * @property {Promise<unknown>} lost
 * @property {() => void} dispose
 */

/**
 * @param {Choice} choice
 * @param {string} ending
 */
export const fileOf = ({ folder, name }, ending) =>
  new URL(`${folder}/${name}.${ending}`, import.meta.url).href;

/**
 * Without weights, on a device of its own.
 * @param {Choice} choice
 * @returns {Promise<Model>}
 */
export async function openModel(choice) {
  if (navigator.gpu === undefined) throw new Trouble(isSecureContext ? 'noWebgpu' : 'insecure');
  if ((await navigator.gpu.requestAdapter()) === null) throw new Trouble('noAdapter');
  const { load } = await moduleOf(choice);
  return load({ weights: null });
}

/**
 * With the weights that lie beside the module, on a device that is there.
 * @param {Choice} choice
 * @param {GPUDevice} device
 * @returns {Promise<Model>}
 */
export async function openLearnt(choice, device) {
  const { load } = await moduleOf(choice);
  return load({ device, weights: fileOf(choice, 'safetensors') }).catch(
    (/** @type {unknown} */ error) => {
      throw new Trouble('noWeights', error);
    },
  );
}

/** @param {Choice} choice */
const moduleOf = (choice) =>
  import(fileOf(choice, 'js')).catch((error) => {
    throw new Trouble('noModel', error);
  });
