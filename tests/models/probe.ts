// Runs a layer or function on the operands of its fixture: forwards in an export fn with a free batch size, and backwards in a train block
// that moves the operands by their gradient. A model `Probe` holds the data as parameters so that they get gradients too.

import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { expectClose } from '../ir/expect-close.ts';
import { compiledWithLibrary, functionOf, trainOf } from './compile.ts';
import type { Executor } from './executors.ts';
import { expectStored, restore, type ModelFixture, type Stored } from './fixtures.ts';

export interface Probe {
  /** The instance that `call` uses as `net`, `Dense(5, 4)`; none for functions. */
  readonly layer?: string;
  /** In terms of the fixture's data, `net(x)`. */
  readonly call?: string;
  /** n, where the integer operands are `fin(n)`. */
  readonly classes?: number;
}

type Tensors = Readonly<Record<string, Tensor>>;

const typeOf = ({ shape }: Stored, batch: string | null = null): string =>
  shape.length === 0 ? 'real' : `[${[batch ?? shape[0], ...shape.slice(1)].join(', ')}]`;

const mapTensors = (
  tensors: Readonly<Record<string, Stored>>,
  nameOf: (name: string) => string,
  dtype: 'f32' | 'i32' = 'f32',
): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, stored]) => [nameOf(name), restore(stored, dtype)]),
  );

const isData = (name: string): boolean => !name.includes('.');

const realParameters = (reals: ModelFixture['reals'], batch: string | null): string[] =>
  Object.entries(reals)
    .filter(([name]) => isData(name))
    .map(([name, stored]) => `${name}: ${typeOf(stored, batch)}`);

const integerParameters = (
  { integers }: ModelFixture,
  { classes }: Probe,
  batch: string | null,
): string[] =>
  Object.entries(integers).map(([name, t]) => `${name}: fin(${classes})${typeOf(t, batch)}`);

/**
 * The program that probes a layer or function: `forward` in its export fn, `gradient` in its train block, where the
 * fixture has gradients.
 */
export function probeProgram(probe: Probe, fixture: ModelFixture): CompiledProgram {
  const { y, u, reals, integers } = fixture;
  const { layer, call = 'net(x)' } = probe;
  const net = layer === undefined ? '' : `layer net = ${layer}`;
  const free = [...realParameters(reals, 'B'), ...integerParameters(fixture, probe, 'B')];
  const forward = `
    ${net}
    export fn forward(${free.join(', ')}) -> y: ${typeOf(y, 'B')} = ${call}`;
  if (u === undefined) return compiledWithLibrary(forward);
  const fixed = [`u: ${typeOf(u)}`, ...integerParameters(fixture, probe, null)].join(', ');
  const data = realParameters(reals, null).map((declared) => `param ${declared} = 0`);
  return compiledWithLibrary(`${forward}
    model Probe() {
      ${data.join('\n      ')}
      ${net}
      fn (${fixed}) -> real = sum(u * ${call})
    }
    layer probe = Probe()
    train gradient(${fixed}) {
      minimize probe(${['u', ...Object.keys(integers)].join(', ')}) over probe using SGD(1)
    }`);
}

/** Fails unless the export fn gives the fixture's y. */
export async function checkForward(
  program: CompiledProgram,
  { y, reals, integers, states = {} }: ModelFixture,
  executor: Executor,
): Promise<void> {
  const same = (name: string): string => name;
  const outputs = await executor.run(functionOf(program, 'forward').graph, {
    ...mapTensors(reals, same),
    ...mapTensors(states, same),
    ...mapTensors(integers, same, 'i32'),
  });
  expectStored(outputs.y, y, executor.tolerance, 'y');
}

/** Fails unless the train block gives sum(u * y), its gradients, and the fixture's next states. */
export async function checkGradients(
  program: CompiledProgram,
  { y, u, gradients, reals, integers, states = {}, next = {} }: ModelFixture,
  executor: Executor,
): Promise<void> {
  if (u === undefined || gradients === undefined) throw new Error('no gradients are stored');
  const within = (name: string): string => `probe.${name}`;
  const outputs = await executor.run(trainOf(program).step, {
    ...mapTensors(reals, within),
    ...mapTensors(states, within),
    ...mapTensors(integers, (name) => name, 'i32'),
    u: restore(u),
    step: tensor('i32', [], [0]),
  });
  if (!('every' in y)) {
    const weights = restore(u).data;
    const loss = Array.from(restore(y).data).reduce((sum, v, i) => sum + v * weights[i], 0);
    expectClose(outputs.loss, tensor('f32', [], [loss], 'f64'), executor.tolerance, 'loss');
  }
  for (const [name, gradient] of Object.entries(gradients)) {
    const moved = difference(restore(reals[name]), outputs[`probe.${name}.next`]);
    expectStored(moved, gradient, 2 * executor.tolerance, `gradient of ${name}`);
  }
  for (const [name, state] of Object.entries(next))
    expectStored(outputs[`probe.${name}.next`], state, executor.tolerance, name);
}

const difference = (a: Tensor, b: Tensor | undefined): Tensor =>
  tensor(
    'f32',
    a.shape,
    Array.from(a.data, (v, i) => v - (b?.data[i] ?? NaN)),
    'f64',
  );
