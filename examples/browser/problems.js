// What can be wrong, in words, and what to do about it.

import { MissingFile } from './data.js';

const texts = {
  insecure: {
    title: 'WebGPU needs a secure address',
    help: 'Browsers offer WebGPU only over https and on localhost. Open this page at one of those.',
  },
  noWebgpu: {
    title: 'This browser has no WebGPU',
    help: 'Use Chrome or Edge 113 or later, Safari 26 or later, or Firefox 141 or later on Windows.',
  },
  noAdapter: {
    title: 'WebGPU finds no GPU',
    help: 'See whether hardware acceleration is switched on in the settings of the browser, and whether the driver of the GPU is up to date. In Chrome on Linux, switch on chrome://flags/#enable-unsafe-webgpu and chrome://flags/#enable-vulkan; chrome://gpu says what Chrome thinks of the GPU.',
  },
  noModel: {
    title: 'The compiled network is missing',
    help: 'Run “npm run page” in the repository: it compiles the network, puts it beside this page and serves both.',
  },
  noData: {
    title: 'The digits are missing',
    help: 'Run “npm run page” in the repository: it puts the files of MNIST beside this page, in the folder mnist/.',
  },
  noWeights: {
    title: 'There are no learnt weights yet',
    help: '“npm run demo” learns those of the convolutional network, and “npm run page” takes them along; README.md says how to learn those of the other. You still have those that are trained here.',
  },
  lost: {
    title: 'The GPU is lost',
    help: 'The browser or the system took it away, and what was learnt with it. Load the network again to train anew.',
  },
  failed: {
    title: 'Something went wrong',
    help: 'Load the network again; if that does not help, see the console of the browser.',
  },
};

/** @typedef {keyof typeof texts} Kind */

/** Something of which the page knows what to say. */
export class Trouble extends Error {
  /**
   * @param {Kind} kind
   * @param {unknown} [cause]
   */
  constructor(kind, cause) {
    super(texts[kind].title, { cause });
    this.kind = kind;
  }
}

/** Kinds that loading again may mend. */
const mendable = /** @type {readonly Kind[]} */ (['lost', 'failed', 'noModel', 'noData']);

/**
 * Title, help and details of an error, and whether to offer to load again.
 * @param {unknown} error
 */
export function explain(error) {
  const kind =
    error instanceof Trouble ? error.kind : error instanceof MissingFile ? 'noData' : 'failed';
  const cause = error instanceof Trouble ? error.cause : error;
  const detail = cause instanceof Error ? cause.message : '';
  return { ...texts[kind], detail, canLoadAgain: mendable.includes(kind) };
}
