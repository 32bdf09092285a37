// Which variant computes a product of which size: written by `npm run bench:variants`, not by hand.
// By reasoning, 2026-11-24, measured on no GPU: the largest tiles of which there are enough to keep a GPU busy, 64 of 128 x 128 or 32 of
// 64 x 64; slices of a long sum where there are few; blocks of registers, or single elements, where a side is too short for tiles.

import type { VariantName } from './adapter.ts';

export const letters: Readonly<Record<string, VariantName>> = {
  '.': 'single',
  b: 'blocks',
  s: 'small',
  m: 'medium',
  l: 'large',
  k: 'slices',
};

/** `choices` by batch and by terms: one word a number of rows, in it one letter a number of columns. */
export const productTable = {
  sizes: {
    batch: [1, 8, 64, 512],
    sum: [16, 64, 256, 1024, 4096],
    side: [4, 16, 64, 256, 1024, 4096],
  },
  choices: [
    [
      '....bb ...bbb ..sssm .bssml bbsmll bbmlll',
      '....bb ...bbb ..sssm .bssml bbsmll bbmlll',
      'kkkkkk kkkkkk kkkkkm kkkkml kkkmll kkmlll',
      'kkkkkk kkkkkk kkkkkm kkkkml kkkmll kkmlll',
      'kkkkkk kkkkkk kkkkkm kkkkml kkkmll kkmlll',
    ],
    [
      '...bbb ..bbbb .bsmmm bbmmll bbmlll bbmlll',
      '...bbb ..bbbb .bsmmm bbmmll bbmlll bbmlll',
      'kkkkbb kkkkbb kkkmmm kkmmll bbmlll bbmlll',
      'kkkkbb kkkkbb kkkmmm kkmmll bbmlll bbmlll',
      'kkkkbb kkkkbb kkkmmm kkmmll bbmlll bbmlll',
    ],
    [
      '.bbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
      '.bbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
      'kkkbbb kkkbbb kkmmmm bbmlll bbmlll bbmlll',
      'kkkbbb kkkbbb kkmmmm bbmlll bbmlll bbmlll',
      'kkkbbb kkkbbb kkmmmm bbmlll bbmlll bbmlll',
    ],
    [
      'bbbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
      'bbbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
      'bbbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
      'bbbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
      'bbbbbb bbbbbb bbmmmm bbmlll bbmlll bbmlll',
    ],
  ],
};
