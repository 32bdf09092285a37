// Modules in half precision: parameters that nothing trains lie beside them as F16, two bytes each, and on the GPU as they are in the file.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { describe, expect, test } from 'vitest';

import type { Target } from '../../compiler/emit/wgsl/adapter.ts';
import { isConstant } from '../../compiler/dims/arithmetic.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { sizeOf, tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { halvedWeights } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { half, halfBits } from '../../runtime/data/array.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/data/safetensors.ts';
import { isProblem } from '../../runtime/problem.ts';
import { deviceForTests } from '../gpu/device.ts';
import { withoutHalves } from '../gpu/halves.ts';
import { expectClose } from '../ir/expect-close.ts';
import { compiledWithLibrary, functionOf } from '../models/compile.ts';
import {
  removeModules,
  writeModule,
  type AnyModel,
  type HostTensor,
  type WrittenModule,
} from './wgsl-module.ts';

const device = deviceForTests();
removeModules();

const target: Target = { adapter: 'gpu', precision: 'f16' };

/** Of an odd number of elements is net.l2.b alone. */
const program = compiledWithLibrary(`
layer net = MLP(7, 6, 3)
export fn hidden(x: [B, 7]) -> h: [B, 6] = relu(net.l1(x))
export fn scores(x: [B, 7], k: fin(3)[B]) -> (y: [B, 3], one: [B]) {
  y = net(x)
  one[b] = y[b, k[b]]
}
`);

const drawn = (shape: readonly number[], from: number): Tensor =>
  tensor(
    'f32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (((i + from) * 7919) % 997) / 499 - 1),
  );

const parametersOf = ({ functions }: CompiledProgram) =>
  functions.flatMap(({ graph }) => graph.inputs.filter(({ role }) => role === 'parameter'));

const weights = new Map(
  parametersOf(program).map(({ name, value }, i) => [
    name,
    drawn(
      value.shape.map((size) => isConstant(size) ?? 0),
      31 * i,
    ),
  ]),
);
const halved = halvedWeights(program, target);
const file = writeSafetensors(weights, {}, halved);
const written = await writeModule(program, { ...target, weights: file });

interface Model extends AnyModel {
  readonly scores: (feeds: object) => Promise<{ y: HostTensor; one: HostTensor }>;
}

/** The module with its halves in words of two, for devices without the feature. */
async function loadWithoutHalves({ folder, texts }: WrittenModule, of = file): Promise<Model> {
  const text = (texts.get(`${program.name}.js`) ?? '')
    .replaceAll(/`\n([^`]*)`/g, (_, code: string) => `\`\n${withoutHalves(code)}\``)
    .replace("features: ['shader-f16']", 'features: []');
  const path = join(folder, 'without-halves.js');
  writeFileSync(path, text);
  const { load } = await import(/* @vite-ignore */ pathToFileURL(path).href);
  return load({ device: device(), weights: of });
}

describe('a module that trains nothing', () => {
  test('has its parameters as f16, but one of an odd number of elements', () => {
    expect([...halved].sort()).toEqual(['net.l1.W', 'net.l1.b', 'net.l2.W']);
    const module = written.texts.get(`${program.name}.js`) ?? '';
    expect(module).toContain("'net.l1.W': { dtype: 'f16', shape: [6, 7] }");
    expect(module).toContain("'net.l2.b': { dtype: 'f32', shape: [3] }");
    expect(module).toContain("features: ['shader-f16']");
  });

  test('the file beside it has them rounded to the nearest', () => {
    const found = readSafetensors('file', file);
    if (isProblem(found)) throw new Error(found.message);
    for (const [name, { data, shape }] of weights) {
      const own = found.tensors.get(name);
      expect([own?.type, own?.shape]).toEqual([halved.has(name) ? 'float16' : 'float32', shape]);
      const expected = Array.from(data, (x) => (halved.has(name) ? half(halfBits(x)) : x));
      expect([...(own?.data ?? [])], name).toEqual(expected);
    }
  });

  test.each([1, 3, 17])('answers as the interpreter does, %i rows', async (rows) => {
    const model = await loadWithoutHalves(written);
    const x = drawn([rows, 7], 5);
    const k = tensor(
      'i32',
      [rows],
      Int32Array.from({ length: rows }, (_, i) => i % 3),
    );
    const rounded = [...weights].map(([name, { shape, data }]): [string, Tensor] => [
      name,
      halved.has(name)
        ? tensor(
            'f32',
            shape,
            data.map((value) => half(halfBits(value))),
          )
        : tensor('f32', shape, data),
    ]);
    const feeds = { ...Object.fromEntries(rounded), x, k };
    const expected = interpret(functionOf(program, 'scores').graph, feeds, { precision: 'f64' });
    const results = await model.scores({ x: x.data, k: k.data });
    // The hidden layer and y are stored in halves, or y is a result and is not.
    expectClose({ dtype: 'f32', ...results.y }, expected.y, 2 ** -11, 'y');
    expectClose({ dtype: 'f32', ...results.one }, expected.one, 2 ** -11, 'one');
    expect(Object.keys(model.weights)).toEqual(['load']);
    model.dispose();
  });

  test('takes no weights of another precision', async () => {
    await expect(loadWithoutHalves(written, writeSafetensors(weights))).rejects.toThrow(
      'net.l1.W should be f16 [6,7], but is f32 [6,7]',
    );
    const whole = await writeModule(program, { adapter: 'gpu', weights: file });
    await expect(whole.load({ device: device() })).rejects.toThrow(
      'net.l1.W should be f32 [6,7], but is f16 [6,7]',
    );
  });

  test('says where the GPU lacks the feature', async () => {
    await expect(written.load({ device: device() })).rejects.toThrow(
      'the GPU has no shader-f16, which this module was built with',
    );
  });
});

test('a parameter that some function gives as it is stays whole for all', () => {
  const exposed = compiledWithLibrary(`
layer net = Dense(4, 2)
export fn f(x: [B, 4]) -> y: [B, 2] = net(x)
export fn weights() -> W: [8] = reshape(net.W, [8])
`);
  expect([...halvedWeights(exposed, target)]).toEqual(['net.b']);
});

test('parameters that are trained stay whole', async () => {
  const learning = compiledWithLibrary(`
layer net = MLP(6, 8, 4)
export fn f(x: [B, 6]) -> y: [B, 4] = net(x)
train fit(x: [B, 6], y: [B, 4]) { minimize mse(net(x), y) over net using SGD(0.1) }
`);
  expect(halvedWeights(learning, target).size).toBe(0);
  const { texts } = await writeModule(learning, target);
  expect(texts.get(`${learning.name}.js`)).not.toContain("dtype: 'f16'");
  expect(texts.get(`${learning.name}.f.wgsl`)).toContain('enable f16;');
});
