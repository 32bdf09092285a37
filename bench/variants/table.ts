// The text of compiler/emit/wgsl/product-table.ts.

import type { VariantName } from '../../compiler/emit/wgsl/adapter.ts';
import { letters, productTable } from '../../compiler/emit/wgsl/product-table.ts';
import type { Shape } from './shapes.ts';

export interface Origin {
  readonly adapter: string;
  readonly date: string;
  /** How many shapes were measured, of how many; the others keep what stood there. */
  readonly measured: number;
  readonly all: number;
}

export function tableText(
  choice: (shape: Shape) => VariantName,
  { adapter, date, measured, all }: Origin,
): string {
  const { sizes } = productTable;
  const letterOf = (name: VariantName): string =>
    Object.keys(letters).find((letter) => letters[letter] === name) ?? '?';
  const words = (batch: number, sum: number): string =>
    sizes.side
      .map((rows) =>
        sizes.side.map((columns) => letterOf(choice([batch, rows, columns, sum]))).join(''),
      )
      .join(' ');
  const blocks = sizes.batch.map((batch) => {
    const lines = sizes.sum.map((sum) => `      '${words(batch, sum)}',`);
    return `    [\n${lines.join('\n')}\n    ],`;
  });
  const named = Object.entries(letters).map(
    ([letter, name]) => `  ${quotedKey(letter)}: '${name}',`,
  );
  return `// Which variant computes a product of which size: written by \`npm run bench:variants\`, not by hand.
// ${adapter}, ${date}: ${measured} of ${all} shapes measured; the others keep what stood here before.

import type { VariantName } from './adapter.ts';

export const letters: Readonly<Record<string, VariantName>> = {
${named.join('\n')}
};

/** \`choices\` by batch and by terms: one word a number of rows, in it one letter a number of columns. */
export const productTable = {
  sizes: {
    batch: [${sizes.batch.join(', ')}],
    sum: [${sizes.sum.join(', ')}],
    side: [${sizes.side.join(', ')}],
  },
  choices: [
${blocks.join('\n')}
  ],
};
`;
}

const quotedKey = (letter: string): string => (/^\w$/.test(letter) ? letter : `'${letter}'`);
