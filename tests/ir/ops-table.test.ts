// docs/ops.md is what the registry says today, and says something about every operation in every column.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { opsTable, rows, tableFile } from './ops-table.ts';

describe('docs/ops.md', () => {
  it('is up to date (npx tsx tests/ir/ops-table.ts)', () => {
    expect(readFileSync(tableFile, 'utf8')).toBe(opsTable());
  });

  it.each(rows())('has every cell of $name', (row) => {
    const empty = Object.entries(row).filter(([, cell]) => cell.trim() === '');
    expect(empty).toEqual([]);
  });
});
