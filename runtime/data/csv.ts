// Tables of numbers as text: comma, semicolon or tab between fields, one row a line, an optional line of column names.

import { count, plural, problem, type Problem } from '../problem.ts';
import type { ArrayFile } from './array.ts';

/** A table and its columns' names (`1`, `2`, ... where the file has none). */
export interface Table {
  readonly names: readonly string[];
  readonly array: ArrayFile;
}

/** The separator of the first line: what it has most of. */
function separatorOf(line: string): string {
  const counts = [',', '\t', ';'].map((s) => [s, line.split(s).length] as const);
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

const unquoted = (field: string): string => {
  const text = field.trim();
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
};

/** A number, or NaN for what is none: unlike Number(), the empty text is none. */
const numberOf = (field: string): number => (field === '' ? Number.NaN : Number(field));

const isNumber = (field: string): boolean => !Number.isNaN(numberOf(field)) || /^nan$/i.test(field);

export function readCsv(path: string, text: string): Table | Problem {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const used = lines
    .map((line, at) => ({ line, number: at + 1 }))
    .filter(({ line }) => line.trim() !== '');
  const first = used[0];
  if (first === undefined) return problem('E0502', path, 'is empty');
  const separator = separatorOf(first.line);
  const fields = (line: string): string[] => line.split(separator).map(unquoted);
  const head = fields(first.line);
  const named = !head.every(isNumber);
  const rows = named ? used.slice(1) : used;
  if (rows.length === 0) return problem('E0502', path, 'has column names but no rows');
  const data = new Float64Array(rows.length * head.length);
  for (const [i, { line, number }] of rows.entries()) {
    const row = fields(line);
    if (row.length !== head.length)
      return problem(
        'E0502',
        path,
        `line ${count(number)} has ${plural(row.length, 'field')}, but line ${first.number} has ${head.length}`,
      );
    for (const [j, field] of row.entries()) {
      if (!isNumber(field)) return notANumber(path, number, named ? head[j] : `${j + 1}`, field);
      data[i * head.length + j] = numberOf(field);
    }
  }
  return {
    names: named ? head : head.map((_, i) => String(i + 1)),
    array: { kind: 'array', type: 'number', shape: [rows.length, head.length], data },
  };
}

const notANumber = (path: string, line: number, column: string, field: string): Problem =>
  problem(
    'E0502',
    path,
    `line ${count(line)}, column ${column}: ${field === '' ? 'the field is empty' : `"${field}" is not a number`}`,
    'code categories as 0, 1, 2, ... first; select other columns with FILE:COLUMN,COLUMN or FILE:FIRST-LAST',
  );

/**
 * The columns that `selector` names, in its order: names of the head line or numbers from 1, with commas between and `a-b` for
 * ranges. One column gives one axis, [rows].
 */
export function selectColumns(path: string, table: Table, selector: string): ArrayFile | Problem {
  const { names, array } = table;
  const find = (name: string): number => {
    const named = names.indexOf(name);
    if (named >= 0) return named;
    const number = Number(name);
    return Number.isInteger(number) && number >= 1 && number <= names.length ? number - 1 : -1;
  };
  const chosen: number[] = [];
  for (const part of selector.split(',').map((p) => p.trim())) {
    const whole = find(part);
    const ends = part.split('-').map((end) => find(end.trim()));
    const [from, to] = whole >= 0 ? [whole, whole] : ends.length === 2 ? ends : [-1, -1];
    if (from < 0 || to < from)
      return problem(
        'E0502',
        path,
        `has no column ${part}`,
        names.length <= 20
          ? `its columns are ${names.join(', ')}`
          : `it has ${plural(names.length, 'column')}`,
      );
    for (let i = from; i <= to; i++) chosen.push(i);
  }
  const rows = array.shape[0];
  const data = new Float64Array(rows * chosen.length);
  for (let row = 0; row < rows; row++)
    for (const [j, column] of chosen.entries())
      data[row * chosen.length + j] = array.data[row * names.length + column];
  const shape = chosen.length === 1 ? [rows] : [rows, chosen.length];
  return { kind: 'array', type: 'number', shape, data };
}
