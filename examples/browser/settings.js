// What the address asks for: ?program=mlp&rows=6000&test=1000&batch=32&steps=500&seed=1

/**
 * The programs that `npm run page` builds: where their modules lie, and what they are.
 * @typedef {object} Choice
 * @property {string} title
 * @property {string} source in the repository
 * @property {string} folder of its module in the page
 * @property {string} name of the module, without its ending
 * @property {string} weights where in the repository its training leaves them
 */
export const programs = /** @type {Readonly<Record<string, Choice>>} */ ({
  cnn: {
    title: 'Convolutional',
    source: 'examples/digits-cnn/digits.dlg',
    folder: 'model/cnn',
    name: 'digits',
    weights: 'out/demo/digits.safetensors',
  },
  mlp: {
    title: 'Multilayer',
    source: 'examples/digits-mlp/digits-mlp.dlg',
    folder: 'model/mlp',
    name: 'digits-mlp',
    weights: 'out/digits-mlp/digits-mlp.safetensors',
  },
});

const ranges = /** @type {const} */ ({
  rows: { first: 60_000, least: 1, most: 60_000 },
  test: { first: 10_000, least: 1, most: 10_000 },
  batch: { first: 64, least: 1, most: 4096 },
  seed: { first: 0, least: 0, most: 2 ** 32 - 1 },
  steps: { first: null, least: 1, most: 1_000_000 },
});

const epochs = 10;

/**
 * Numbers out of range, and what is none, are as if they were not there.
 * @param {URLSearchParams} query
 */
export function readSettings(query) {
  /** @param {keyof typeof ranges} name */
  const number = (name) => {
    const { least, most } = ranges[name];
    const given = query.get(name);
    const value = given === null ? NaN : Number(given);
    return Number.isInteger(value) && value >= least && value <= most ? value : null;
  };
  const asked = query.get('program') ?? '';
  const rows = number('rows') ?? ranges.rows.first;
  const batch = number('batch') ?? ranges.batch.first;
  return {
    program: Object.hasOwn(programs, asked) ? asked : 'cnn',
    rows,
    batch,
    test: number('test') ?? ranges.test.first,
    seed: number('seed') ?? ranges.seed.first,
    steps: number('steps') ?? epochs * Math.ceil(rows / batch),
  };
}
