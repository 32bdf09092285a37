// The example programs, found by reading their folders, at the sizes they are written with and at sizes for tests; and every graph that a
// program consists of.

import { readdirSync, readFileSync } from 'node:fs';

import type { Graph } from '../../compiler/ir/graph.ts';
import type { CompiledProgram, DataPort } from '../../compiler/program.ts';
import { host } from '../../cli/sources.ts';
import { compiled } from './compile.ts';

const folder = new URL('../../examples/', import.meta.url);

/** `digits-cnn/digits.dlg`. */
export const examples: readonly string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) =>
    readdirSync(new URL(`${name}/`, folder))
      .filter((file) => file.endsWith('.dlg'))
      .map((file) => `${name}/${file}`),
  )
  .sort();

/** Of more than a hundred kernels. */
export const slowExamples: readonly string[] = [
  'bunny-sdf/bunny-sdf.dlg',
  'digits-ddpm/digits-ddpm.dlg',
  'flows/digits.dlg',
  'unrolled-gan/ring.dlg',
];

/** What is put for what in the text of an example, once each, so that it is small. */
const smaller: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  'bunny-sdf/bunny-sdf.dlg': [['SDF(128)', 'SDF(8)']],
  'digits-cnn/digits.dlg': [
    ['Conv2d(1, 16,', 'Conv2d(1, 2,'],
    ['Conv2d(16, 32,', 'Conv2d(2, 3,'],
    ['Dense(1568, 128)', 'Dense(147, 9)'],
    ['Dense(128, 10)', 'Dense(9, 10)'],
  ],
  'digits-ddpm/digits-ddpm.dlg': [
    ['Cosine(200)', 'Cosine(3)'],
    ['UNet(24, 64)', 'UNet(2, 4)'],
    ['512', '9'],
  ],
  'digits-lstm/digits-lstm.dlg': [['RowReader(64)', 'RowReader(5)']],
  'digits-mlp/digits-mlp.dlg': [
    ['Dense(784, 512)', 'Dense(784, 9)'],
    ['Dense(512, 256)', 'Dense(9, 7)'],
    ['Dense(256, 10)', 'Dense(7, 10)'],
  ],
  'digits-vae/digits-vae.dlg': [
    ['net = VAE(784, 400, 20)', 'net = VAE(784, 9, 3)'],
    ['disentangled = VAE(784, 400, 20)', 'disentangled = VAE(784, 9, 3)'],
    ['VAE(784, 400, 20, linear)', 'VAE(784, 9, 3, linear)'],
  ],
  'flows/digits.dlg': [
    ['Flow(32)', 'Flow(2)'],
    ['x: [64,', 'x: [2,'],
    ['p: [64,', 'p: [2,'],
    ['q: [64,', 'q: [2,'],
  ],
  'flows/moons.dlg': [
    ['RealNVP(2, 64, 8, tanh)', 'RealNVP(2, 5, 2, tanh)'],
    ['moons(256)', 'moons(9)'],
    ['moons(2000)', 'moons(20)'],
    ['[2000, 2]', '[20, 2]'],
    ['log_density(grid(300))', 'log_density(grid(5))'],
    ['grid(200)', 'grid(5)'],
    ['p: [200, 200]', 'p: [5, 5]'],
    ['i < 200, j < 200', 'i < 5, j < 5'],
  ],
  'gridworld/gridworld.dlg': [['policy_iteration(grid, 10)', 'policy_iteration(grid, 2)']],
  // On the GPU a loop runs all its steps, those after its end for nothing.
  'std/rl.dlg': [
    [
      'fix V = zeros(m.S) tol 1e-5 within 10000 {\n    V <- improve',
      'fix V = zeros(m.S) tol 1e-5 within 300 {\n    V <- improve',
    ],
    [
      'fix V = zeros(m.S) tol 1e-5 within 10000 {\n    V <- bellman',
      'fix V = zeros(m.S) tol 1e-5 within 300 {\n    V <- bellman',
    ],
  ],
  'unrolled-gan/ring.dlg': [
    ['G = Net(2, 64, 2)', 'G = Net(2, 5, 2)'],
    ['D = Net(2, 64, 1)', 'D = Net(2, 5, 1)'],
  ],
};

export const exampleText = (example: string): string =>
  readFileSync(new URL(example, folder), 'utf8');

const shrunk = (path: string, text: string): string =>
  (smaller[path] ?? []).reduce((whole, [from, to]) => {
    if (whole.split(from).length !== 2) throw new Error(`${path} has not one "${from}"`);
    return whole.replace(from, to);
  }, text);

export function compiledExample(example: string, size: 'full' | 'small'): CompiledProgram {
  const at = (name: string, text: string): string => (size === 'full' ? text : shrunk(name, text));
  const text = at(example, exampleText(example));
  return compiled(text, new URL(example, folder).pathname, {
    read(path) {
      const found = host.read(path);
      return found === null ? null : at(path, found);
    },
  });
}

export interface NamedGraph {
  readonly name: string;
  readonly graph: Graph;
  readonly data: readonly DataPort[];
}

/** First values, export fns, and of each train block first values, step and evaluation. */
export const graphsOf = ({ init, functions, trains }: CompiledProgram): NamedGraph[] => [
  { name: 'init', graph: init, data: [] },
  ...functions,
  ...trains.flatMap(({ name, data, ...graphs }) =>
    (['init', 'step', 'evaluate'] as const).map((of) => ({
      name: `${name}.${of}`,
      graph: graphs[of],
      data,
    })),
  ),
];
