// A dataset: one column for each data input of a train block, all with the same rows, handed out in batches.

import { constant, isConstant } from '../../compiler/dims/arithmetic.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { showPort, type DataPort } from '../../compiler/program.ts';
import { count, isProblem, plural, problem, type Problem } from '../problem.ts';
import { fitAll, takeRows, type Column, type Loaded } from './fit.ts';
import { loadArray, parseLocation } from './load.ts';

export interface Dataset {
  readonly kind: 'dataset';
  readonly columns: readonly Column[];
  readonly rows: number;
  /** The batch size where the declaration fixes it, as `x: [64, 784]` does. */
  readonly fixedBatch: number | null;
}

/** Where each input's data lies: `x` -> `images.npy`. */
export type Sources = ReadonlyMap<string, string>;

/**
 * Loads one file for each port and checks them against the declarations and each other.
 */
export function loadDataset(ports: readonly DataPort[], sources: Sources): Dataset | Problem {
  const loaded = loadPorts(ports, sources);
  if (isProblem(loaded)) return loaded;
  return datasetOf(loaded);
}

/** For a block that takes no data: an epoch of `steps` steps. */
export const withoutData = (steps: number): Dataset => ({
  kind: 'dataset',
  columns: [],
  rows: steps,
  fixedBatch: 1,
});

/** Loads one array for each port, nothing checked yet but the names. */
export function loadPorts(
  ports: readonly DataPort[],
  sources: Sources,
): readonly Loaded[] | Problem {
  const wrong = checkNames(ports, sources);
  if (wrong !== null) return wrong;
  const loaded: Loaded[] = [];
  for (const port of ports) {
    const file = sources.get(port.name) ?? '';
    const array = loadArray(parseLocation(file), port.name);
    if (isProblem(array)) return array;
    loaded.push({ port, file, array });
  }
  return loaded;
}

/** Every port has a source and every source a port. */
export function checkNames(ports: readonly DataPort[], sources: Sources): Problem | null {
  const declared = ports.map((port) => `${port.name}: ${showPort(port)}`).join(', ');
  const names = new Set(ports.map((port) => port.name));
  for (const name of sources.keys())
    if (!names.has(name))
      return problem(
        'E0506',
        null,
        `there is no data input called ${name}`,
        ports.length === 0 ? 'it takes no data' : `it takes ${declared}`,
      );
  const missing = ports.filter((port) => !sources.has(port.name));
  if (missing.length === 0) return null;
  return problem(
    'E0505',
    null,
    `no data given for ${missing.map((p) => p.name).join(' and ')}`,
    `it takes ${declared}`,
  );
}

/** Checks the arrays and makes the dataset. */
export function datasetOf(loaded: readonly Loaded[]): Dataset | Problem {
  const flat = loaded.find(({ port }) => port.shape.length === 0);
  if (flat !== undefined)
    return problem(
      'E0503',
      null,
      `${flat.port.name} is a single number, so it cannot come in batches`,
      `declare it with a row each: ${flat.port.name}: ${showPort(flat.port)}[B]`,
    );
  const fixed = new Set(
    loaded.map(({ port }) => isConstant(port.shape[0])).filter((n) => n !== null),
  );
  const [fixedBatch = null] = fixed;
  const uneven = unequalRows(loaded);
  if (uneven !== null) return uneven;
  // The first axis counts rows here and a batch in the program: its size is checked against the batch, not the file.
  const fitted = fitAll(
    loaded.map((item) => (fixedBatch === null ? item : { ...item, port: freeRows(item) })),
  );
  if (isProblem(fitted)) return fitted;
  const rows = fitted.columns[0]?.shape[0] ?? 0;
  if (fixedBatch !== null && rows < fixedBatch)
    return problem(
      'E0512',
      loaded[0].file,
      `has ${plural(rows, 'row')}, but the program takes ${count(fixedBatch)} at a time`,
    );
  return { kind: 'dataset', columns: fitted.columns, rows, fixedBatch };
}

/** The declaration with the size of the file in place of the fixed batch. */
const freeRows = ({ port, array }: Loaded): DataPort => ({
  ...port,
  shape: [constant(array.shape[0]), ...port.shape.slice(1)],
});

function unequalRows(loaded: readonly Loaded[]): Problem | null {
  const [first, ...others] = loaded;
  const other = others.find(({ array }) => array.shape[0] !== first.array.shape[0]);
  if (other === undefined) return null;
  const rowsOf = ({ file, array, port }: Loaded): string =>
    `${file} has ${plural(array.shape[0] ?? 0, 'row')} for ${port.name}`;
  return problem(
    'E0507',
    null,
    `the data differ in length: ${rowsOf(first)}, but ${rowsOf(other)}`,
    'each row of one belongs to the same row of the other',
  );
}

/** The feeds of a step on the rows `order[from..to)`. */
export function takeBatch(
  dataset: Dataset,
  order: Uint32Array,
  from: number,
  to: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    dataset.columns.map((column) => [column.port.name, takeRows(column, order, from, to)]),
  );
}

/** One line for people: `x: 60,000 rows of [28, 28] bytes, scaled to 0..1`. */
export function describeColumn(column: Column): string {
  const { port, shape, scale, file } = column;
  const [rows, ...row] = shape;
  const what = row.length === 0 ? '' : ` of [${row.join(', ')}]`;
  return `${port.name}: ${plural(rows, 'row')}${what}${scale === 1 ? '' : ', bytes scaled to 0..1'} (${file})`;
}
