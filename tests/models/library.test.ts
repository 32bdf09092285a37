// Every layer, activation, loss and metric of the standard library against JAX: results with a free batch size, and gradients with respect
// to data and parameters, in the interpreter, in ONNX Runtime and in WGSL.

import { describe, expect, test } from 'vitest';

import type { CompiledProgram } from '../../compiler/program.ts';
import { executors, webgpu, type Executor } from './executors.ts';
import { fixtures } from './fixtures.ts';
import { checkForward, checkGradients, probeProgram, type Probe } from './probe.ts';

const functions = (names: readonly string[], call: string): [string, Probe][] =>
  names.map((name) => [name, { call: `${name}(${call})` }]);

const activations = [
  ...['relu', 'leaky_relu', 'elu', 'softplus', 'logsigmoid', 'gelu', 'silu', 'linear'],
];
const losses = ['bce_with_logits', 'squared_error', 'mse', 'l1', 'hinge'];
const labelled = (name: string): [string, Probe] => [name, { call: `${name}(x, t)`, classes: 4 }];

const probes: Readonly<Record<string, Probe>> = Object.fromEntries<Probe>([
  ...functions(activations, 'x'),
  ...functions(losses, 'x, t'),
  labelled('cross_entropy'),
  labelled('nll'),
  ['Dense', { layer: 'Dense(5, 4)' }],
  ['MLP', { layer: 'MLP(4, 6, 2, tanh)' }],
  ['Embedding', { layer: 'Embedding(5, 3)', call: 'net(t)', classes: 5 }],
  ['LayerNorm', { layer: 'LayerNorm(7)' }],
  ['BatchNorm/training', { layer: 'BatchNorm(3)' }],
  ['BatchNorm/inference', { layer: 'BatchNorm(3)' }],
  ['BatchNorm2d/training', { layer: 'BatchNorm2d(2)' }],
  ['BatchNorm2d/inference', { layer: 'BatchNorm2d(2)' }],
  ['Conv2d', { layer: 'Conv2d(3, 4, 3)' }],
  ['Conv2d/stride', { layer: 'Conv2d(2, 3, 3, stride = 2)' }],
  ['Conv2d/padding', { layer: 'Conv2d(2, 3, 3, padding = 1)' }],
  ['Conv2d/dilation', { layer: 'Conv2d(2, 2, 3, dilation = 2)' }],
  ['Conv2d/groups', { layer: 'Conv2d(4, 6, 3, groups = 2)' }],
  ['Conv2d/depthwise', { layer: 'Conv2d(3, 3, 3, groups = 3, padding = 1)' }],
  ['Conv2d/all', { layer: 'Conv2d(4, 4, 2, stride = 3, padding = 2, dilation = 2, groups = 2)' }],
  ['Conv2d/pointwise', { layer: 'Conv2d(3, 5, 1)' }],
  ['Conv1d', { layer: 'Conv1d(3, 4, 3)' }],
  ['Conv1d/all', { layer: 'Conv1d(4, 6, 3, stride = 2, padding = 3, dilation = 2, groups = 2)' }],
  ['ConvTranspose2d', { layer: 'ConvTranspose2d(3, 2, 3)' }],
  ['ConvTranspose2d/stride', { layer: 'ConvTranspose2d(2, 3, 4, stride = 2)' }],
  ['ConvTranspose2d/both', { layer: 'ConvTranspose2d(2, 3, 4, stride = 2, padding = 1)' }],
  ['max_pool', { call: 'max_pool(x, 2)' }],
  ['max_pool_strided', { call: 'max_pool_strided(x, 3, 2)' }],
  ['avg_pool', { call: 'avg_pool(x, 2)' }],
  ['global_avg_pool', { call: 'global_avg_pool(x)' }],
  ['LeNet', { layer: 'LeNet(10)' }],
  ['SelfAttention', { layer: 'SelfAttention(4, 2)' }],
  ['TransformerBlock', { layer: 'TransformerBlock(4, 2, 5)' }],
  labelled('accuracy'),
  ['binary_accuracy', { call: 'binary_accuracy(x, t)' }],
]);

/** What holds only in training has no export fn, and the reverse. */
const isTraining = (name: string): boolean => name.endsWith('/training');
const isInference = (name: string): boolean => name.endsWith('/inference');

test('every fixture is tested', () => {
  expect(Object.keys(probes).sort()).toEqual(Object.keys(fixtures.cases).sort());
});

/** Compiled when a test first asks. */
const programs = new Map<string, CompiledProgram>();
const programOf = (name: string): CompiledProgram => {
  const program = programs.get(name) ?? probeProgram(probes[name], fixtures.cases[name]);
  programs.set(name, program);
  return program;
};

describe.each<Executor>([...executors, webgpu])('in $name', (executor) => {
  for (const name of Object.keys(probes)) {
    const fixture = fixtures.cases[name];
    if (!isTraining(name)) test(name, () => checkForward(programOf(name), fixture, executor));
    if (!isInference(name) && fixture.u !== undefined)
      test(`gradients of ${name}`, () => checkGradients(programOf(name), fixture, executor));
  }
});
