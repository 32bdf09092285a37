// What a module does for its user besides computing: results that stay on the GPU, weights in and out, messages, types, text to read.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import ts from 'typescript';
import { create } from 'webgpu';
import { beforeAll, describe, expect, test } from 'vitest';

import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { loadWeights } from '../../runtime/weights.ts';
import { writeSafetensors } from '../../runtime/data/safetensors.ts';
import { weightPorts } from '../../cli/weights.ts';
import { deviceForTests } from '../gpu/device.ts';
import { validateWgsl } from '../gpu/validate.ts';
import { compiledWithLibrary } from '../models/compile.ts';
import { good, temporaryFile } from '../runtime/support.ts';
import { removeModules, writeModule, type AnyModel, type HostTensor } from './wgsl-module.ts';

const program = compiledWithLibrary(`
model Line() {
  param w: [2] ~ normal(0, 1)
  param b: [1] = 0.5

  fn (x: [B, 2]) -> y: [B] { y[n] = sum[i] w[i] * x[n, i] + b[0] }
}
layer line = Line()

export fn predict(x: [B, 2]) -> y: [B] = line(x)

export fn pick(table: [n, 3], rows: fin(n)[k], half: bool) -> picked: [k, 3] {
  picked[r, c] = (if half then 0.5 else 1) * table[rows[r], c]
}

export fn noise(n: dim) -> z: [n] { z ~ normal(0, 1) }

train fit(x: [B, 2], y: [B]) {
  minimize mean[n] (line(x)[n] - y[n])^2 over line using SGD(0.1, momentum = 0.9)
}
`);

interface Model extends AnyModel {
  readonly predict: (
    feeds: object,
    options?: { keep?: boolean },
  ) => Promise<{ y: HostTensor & Kept }>;
  readonly pick: (feeds: object, options?: object) => Promise<{ picked: HostTensor & Kept }>;
  readonly noise: (feeds: object) => Promise<{ z: HostTensor }>;
  readonly fit: {
    readonly start: (seed: number) => Promise<void>;
    readonly step: (feeds: object) => Promise<{ loss: number }>;
    readonly evaluate: (feeds: object) => Promise<{ loss: number }>;
  };
}

interface Kept {
  readonly buffer: GPUBuffer;
  readonly read: () => Promise<HostTensor>;
  readonly destroy: () => void;
}

const device = deviceForTests();
removeModules();

const weights = new Map<string, Tensor>([
  ['line.w', tensor('f32', [2], [2, -1])],
  ['line.b', tensor('f32', [1], [10])],
]);
const bytes = writeSafetensors(weights);
const x = Float32Array.of(1, 2, 3, 4);
const answers = [10, 12];

let written: Awaited<ReturnType<typeof writeModule>>;
const open = (options: object = {}): Promise<Model> =>
  written.load<Model>({ device: device(), ...options });

beforeAll(async () => {
  written = await writeModule(program, { weights: bytes });
});

describe('weights', () => {
  test('those beside the module are read', async () => {
    const model = await open();
    const { y } = await model.predict({ x });
    expect(y).toEqual({ data: Float32Array.from(answers), shape: [2] });
    model.dispose();
  });

  test.each([
    ['a path', () => temporaryFile('w.safetensors', bytes)],
    ['a URL', () => pathToFileURL(temporaryFile('w.safetensors', bytes))],
    ['data', () => `data:;base64,${Buffer.from(bytes).toString('base64')}`],
    ['an ArrayBuffer', () => Uint8Array.from(bytes).buffer],
  ])('from %s', async (_name, source) => {
    const model = await open({ weights: source() });
    expect([...(await model.predict({ x })).y.data]).toEqual(answers);
    model.dispose();
  });

  test('what is learnt is read by the rest of DLG, and by a model anew', async () => {
    const model = await open({ weights: null });
    await model.fit.start(3);
    for (let i = 0; i < 5; i++) await model.fit.step({ x, y: Float32Array.of(1, -1) });
    const saved = await model.weights.save();
    const path = temporaryFile('learnt.safetensors', saved);
    const read = good(loadWeights(path, weightPorts(program.functions[0].graph)));
    const held = await model.weights.read();
    expect(Object.keys(held).sort()).toEqual(['line.b', 'line.w']);
    for (const [name, { data, shape }] of Object.entries(held))
      expect(read.get(name)).toEqual({ dtype: 'f32', data, shape });
    const { y } = await model.predict({ x });
    model.dispose();
    const again = await open({ weights: saved });
    expect((await again.predict({ x })).y).toEqual(y);
    again.dispose();
  });

  test('the same bytes as the rest of DLG writes', async () => {
    const model = await open();
    expect(Buffer.from(await model.weights.save())).toEqual(Buffer.from(bytes));
    model.dispose();
  });
});

test('starting again gives the first loss again', async () => {
  const model = await open({ weights: null });
  const feeds = { x, y: Float32Array.of(1, -1) };
  const losses = async (): Promise<number[]> => {
    await model.fit.start(5);
    return [(await model.fit.step(feeds)).loss, (await model.fit.step(feeds)).loss];
  };
  const first = await losses();
  expect(first[1]).not.toBe(first[0]);
  expect(await losses()).toEqual(first);
  model.dispose();
});

test('results stay on the GPU, and are inputs of other calls', async () => {
  const model = await open();
  const table = { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] };
  const { picked } = await model.pick(
    { table, rows: Int32Array.of(1, 0), half: true },
    { keep: true },
  );
  expect(picked).toMatchObject({ dtype: 'f32', shape: [2, 3] });
  const rows = Int32Array.of(0, 0, 1);
  const next = await model.pick({ table: picked, rows, half: false });
  expect(next.picked).toEqual({
    data: Float32Array.of(2, 2.5, 3, 2, 2.5, 3, 0.5, 1, 1.5),
    shape: [3, 3],
  });
  expect([...(await picked.read()).data]).toEqual([2, 2.5, 3, 0.5, 1, 1.5]);
  picked.destroy();
  model.dispose();
});

test('draws follow the seed', async () => {
  const model = await open();
  const drawn = async (seed: number): Promise<number[]> => [
    ...(await model.noise({ n: 5, seed })).z.data,
  ];
  expect(await drawn(1)).toEqual(await drawn(1));
  expect(await drawn(1)).not.toEqual(await drawn(2));
  model.dispose();
});

describe('messages', () => {
  let model: Model;
  beforeAll(async () => {
    model = await open({ weights: null });
  });
  const table = { data: new Float32Array(6), shape: [2, 3] };
  const rows = Int32Array.of(0);
  test.each<[string, () => Promise<unknown>]>([
    ['an input is missing', () => model.pick({ rows, half: true })],
    ['another array', () => model.pick({ table, rows: Float32Array.of(0), half: true })],
    ['another shape', () => model.pick({ table: { data: x, shape: [2, 2] }, rows, half: true })],
    ['another rank', () => model.pick({ table: { data: x, shape: [4] }, rows, half: true })],
    ['elements that fill no shape', () => model.pick({ table: x, rows, half: true })],
    [
      'elements that do not fill theirs',
      () => model.pick({ table: { data: x, shape: [2, 3] }, rows, half: true }),
    ],
    [
      'sizes that disagree',
      async () => {
        await model.fit.start(0);
        return model.fit.step({ x, y: Float32Array.of(1, 2, 3) });
      },
    ],
    [
      'an index out of range',
      () => model.pick({ table, rows: Int32Array.of(0, 1, 2), half: true }),
    ],
    ['a size of nothing', () => model.noise({ n: 0, seed: 1 })],
  ])('%s', async (_name, call) => {
    await expect(call()).rejects.toThrowErrorMatchingSnapshot();
  });

  test('no values, no start', async () => {
    const fresh = await open({ weights: null });
    await expect(fresh.predict({ x })).rejects.toThrowErrorMatchingSnapshot();
    await expect(fresh.fit.step({ x, y: x })).rejects.toThrowErrorMatchingSnapshot();
    await expect(
      fresh.weights.load(Uint8Array.of(60, 104, 116, 109, 108, 62, 0, 0, 0)),
    ).rejects.toThrowErrorMatchingSnapshot();
    const other = writeSafetensors(new Map([['line.w', tensor('f32', [3], [1, 2, 3])]]));
    await expect(fresh.weights.load(other)).rejects.toThrowErrorMatchingSnapshot();
    fresh.dispose();
  });

  test('no WebGPU', async () => {
    await expect(written.load()).rejects.toThrowErrorMatchingSnapshot();
    const gpu = { requestAdapter: async () => null };
    await expect(written.load({ gpu })).rejects.toThrowErrorMatchingSnapshot();
  });
});

test('a lost device is told of by every call; loading again makes a new model', async () => {
  const gpu = create([]);
  const model = await written.load<Model>({ gpu });
  expect([...(await model.predict({ x })).y.data]).toEqual(answers);
  const pending = model.predict({ x });
  model.device.destroy();
  const outcome = await pending.then(
    () => 'done',
    (error: Error) => error.message,
  );
  expect(outcome).toMatch(/^done$|^the GPU is lost/);
  expect(await model.lost).toMatchObject({ reason: 'destroyed' });
  await expect(model.predict({ x })).rejects.toThrowErrorMatchingSnapshot();
  await expect(model.weights.save()).rejects.toThrow('the GPU is lost');
  const again = await written.load<Model>({ gpu });
  expect([...(await again.predict({ x })).y.data]).toEqual(answers);
  again.dispose();
});

test('the texts are to be read', async () => {
  const twice = compiledWithLibrary(`
    export fn twice(x: [B, 3], shift: bool[B]) -> y: [B, 3] {
      y[b, i] = 2 * (if shift[b] then x[b, i] + 1 else x[b, i])
    }`);
  const { texts } = await writeModule(twice, { adapter: 'gpu' });
  expect([...texts.keys()]).toEqual(['test.js', 'test.d.ts', 'test.twice.wgsl']);
  expect(texts.get('test.js')?.replace(/(?<=\/\/ The runtime\.\n)[^]*/, '')).toMatchSnapshot();
  expect(texts.get('test.d.ts')).toMatchSnapshot();
  expect(texts.get('test.twice.wgsl')).toMatchSnapshot();
});

describe('types', () => {
  /** What the compiler of TypeScript says of a program that uses the module. */
  function check(text: string): string[] {
    const user = join(written.folder, 'user.ts');
    writeFileSync(user, text);
    const checked = ts.createProgram([user], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['@webgpu/types'],
    });
    return ts
      .getPreEmitDiagnostics(checked)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
  }

  test('what uses it as it is meant is accepted', () => {
    const text = `import { load } from './test.js';
      const model = await load({ weights: new URL('./w', import.meta.url) });
      const { picked } = await model.pick(
        { table: new Float32Array(6), rows: { data: Int32Array.of(0), shape: [1] }, half: true },
        { keep: true },
      );
      const buffer: GPUBuffer = picked.buffer;
      const next = await model.pick({ table: picked, rows: Int32Array.of(0), half: false });
      const values: Float32Array = next.picked.data;
      await model.fit.start(0);
      const { loss } = await model.fit.step({ x: values, y: new Float32Array(3) });
      export const text: string = loss.toFixed(2) + buffer.size + (await model.lost).message;
      export const device: GPUDevice = model.device;
      export const bytes: Uint8Array = await model.weights.save();
      model.dispose();`;
    expect(check(text)).toEqual([]);
  });

  test('what misspells or mistakes it is refused', () => {
    const text = `import { load } from './test.js';
      const model = await load();
      await model.predict({ z: new Float32Array(2) });
      await model.predict({ x: new Int32Array(2) });
      (await model.predict({ x: new Float32Array(2) })).z;
      await model.classify({});
      export {};`;
    expect(check(text)).toEqual([
      expect.stringMatching(/'z' does not exist/),
      expect.stringMatching(/Int32Array/),
      expect.stringMatching(/'z' does not exist/),
      expect.stringMatching(/'classify' does not exist/),
    ]);
  });
});

test('every kernel passes the compiler of WGSL', async () => {
  for (const [name, text] of written.texts) {
    if (!name.endsWith('.wgsl')) continue;
    const [, ...kernels] = text.split(/^\/\/ ---- .*$/m);
    expect(kernels.length).toBeGreaterThan(0);
    for (const kernel of kernels) expect(await validateWgsl(kernel), name).toEqual([]);
  }
});
