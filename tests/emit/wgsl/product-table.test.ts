// The table of products: complete, and what `npm run bench:variants` would write if it measured what stands there.

import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { tableShapes } from '../../../bench/variants/shapes.ts';
import { tableText } from '../../../bench/variants/table.ts';
import { gpuVariant } from '../../../compiler/emit/wgsl/product-variants.ts';

const choicesOf = (text: string): string => text.slice(text.indexOf('export const letters'));

it('says every shape, and is written as it is read', () => {
  for (const shape of tableShapes()) expect(gpuVariant(shape), shape.join()).toBeDefined();
  const origin = { adapter: 'none', date: '2026-11-24', measured: 0, all: 0 };
  const path = new URL('../../../compiler/emit/wgsl/product-table.ts', import.meta.url);
  expect(choicesOf(tableText(gpuVariant, origin))).toBe(choicesOf(readFileSync(path, 'utf8')));
});

it('takes the nearest shape, by factors', () => {
  expect(gpuVariant([1, 4000, 5000, 500])).toBe(gpuVariant([1, 4096, 4096, 256]));
  expect(gpuVariant([1, 1, 1, 100_000])).toBe(gpuVariant([1, 4, 4, 4096]));
});
