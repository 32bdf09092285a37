// A dozen programs as modules in a real browser: a page loads them with their weights, computes through WebGPU on SwiftShader, and gives
// what the interpreter gives.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { bundleRuntime } from '../../cli/wgsl-runtime/bundle.mjs';
import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { exportWgsl } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { writeSafetensors } from '../../runtime/data/safetensors.ts';
import { openPage, type OpenPage } from '../gpu/chromium.ts';
import { canUnpack } from '../gpu/unpack.ts';
import { expectClose } from '../ir/expect-close.ts';
import { dataFor, type Tensors } from '../models/alike.ts';
import { compiledWithLibrary, functionOf, trainOf } from '../models/compile.ts';

const chain = `mdp Chain(n: dim) {
  states S = n
  actions A = 2
  discount = 0.5
  P[s, a, r] = ind(r == clamp(s + 2 * a - 1, 0, n - 1))
  R[s, a] = ind(s == n - 1)
}`;

/** Each has an export fn `f`, or a train block `t` of which two steps are taken. */
const programs: Readonly<Record<string, string>> = {
  mlp: `layer net = MLP(5, 7, 3)
export fn f(x: [B, 5]) -> p: [B, 3] { p[b, k] = softmax[k] net(x)[b, k] }`,
  cnn: `layer net = LeNet(4)
train t(x: [B, 1, 28, 28], y: fin(4)[B]) { minimize mean(cross_entropy(net(x), y)) over net using Adam(1e-3) }`,
  norm: `layer n = LayerNorm(9)
export fn f(x: [B, 9]) -> y: [B, 9] { y[b, i] = softmax[b] n(x)[b, i] }`,
  transformer: `layer net = TransformerBlock(4, 2, 6)
train t(x: [2, 5, 4]) { minimize mean(net(x)^2) over net using SGD(0.1) report least = min(net(x)) }`,
  lstm: `layer net = LSTM(3, 4)
export fn f(x: [B, 5, 3]) -> y: [B, 5, 4] = net(x)`,
  vae: `layer net = VAE(6, 5, 2)
export fn f(B: dim) -> x: [B, 6] = net.sample(B)`,
  flow: `layer f1 = RealNVP(2, 5, 2, tanh)
export fn f(x: [B, 2]) -> (y: [B, 2], l: [B]) { y = f1.inverse(x) l = f1.logdet(x) }`,
  ddpm: `const q = Linear(12)
layer net = MLP(2, 6, 2)
fn noise(x: [B, 2], t: fin(12)[B]) -> [B, 2] = net(x)
export fn f(B: dim) -> x: [B, 2] {
  first: [B, 2] ~ normal(0, 1)
  x = ancestral(q, q.beta, noise, first)
}`,
  embedding: `layer E = Embedding(5, 3)
train t(w: fin(5)[B]) { minimize mean(E(w)^2) over E using SGD(0.5) }`,
  values: `${chain}
export fn f() -> (v: [6], best: fin(2)[6]) {
  fix V = zeros(6) tol 1e-6 within 60 { V <- improve(Chain(6), V) }
  Q = action_values(Chain(6), V)
  v = V
  best[s] = argmax[a] Q[s, a]
}`,
  root: `export fn f(a: [B]) -> d: [B] {
  root d in (fill(0, B), fill(2, B)) tol 1e-6 within 40 { d^3 + d - a }
}`,
  sort: `export fn f(x: [B, 17]) -> (y: [B, 3], i: fin(17)[B, 17]) { i = argsort(x) y = sort(-x)[.., :3] }`,
};

interface Known {
  readonly program: CompiledProgram;
  readonly feeds: Tensors;
  readonly weights: Tensors;
  readonly expected: Tensors;
}

const seed = tensor('u32', [], [7]);

/** The results of the export fn, or of a second step: the first has moved what it learns. */
function known(text: string): Known {
  const program = compiledWithLibrary(text);
  const weights = interpret(program.init, { seed });
  const train = program.trains.length > 0 ? trainOf(program) : null;
  const { graph, data } =
    train === null ? functionOf(program, 'f') : { graph: train.step, data: train.data };
  const feeds = dataFor(graph, data);
  const run = (given: Tensors): Tensors => {
    const used = graph.inputs.map(({ name }) => [name, feeds[name] ?? given[name]] as const);
    return interpret(graph, Object.fromEntries(used));
  };
  if (train === null) return { program, feeds, weights, expected: run(weights) };
  const first = run(interpret(train.init, { seed }));
  const moved = graph.inputs.map(({ name }) => [name, first[`${name}.next`]] as const);
  return { program, feeds, weights, expected: run(Object.fromEntries(moved)) };
}

let folder: string;
let opened: OpenPage;
const found = new Map<string, Known>();

beforeAll(async () => {
  if (!canUnpack) return;
  folder = await mkdtemp(join(tmpdir(), 'dlg-programs-'));
  await writeFile(join(folder, 'index.html'), '<h1>programs</h1>');
  const runtime = await bundleRuntime();
  for (const [name, text] of Object.entries(programs)) {
    const of = known(text);
    found.set(name, of);
    const bytes = writeSafetensors(new Map(Object.entries(of.weights)));
    await writeFile(join(folder, `${name}.safetensors`), bytes);
    const options = { target: { adapter: 'software' }, runtime } as const;
    const weights = Object.keys(of.weights).length > 0 ? `${name}.safetensors` : null;
    for (const [file, written] of exportWgsl({ ...of.program, name }, { ...options, weights }))
      await writeFile(join(folder, file), written);
  }
  opened = await openPage(folder);
}, 120_000);

afterAll(async () => {
  await opened?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** What the page's module gives: tensors as plain numbers, and numbers. */
type Results = Readonly<Record<string, number | { shape: number[]; data: number[] }>>;

const call = (name: string, feeds: object): string => `(async () => {
  const { load } = await import('/${name}.js');
  window.device ??= await (await navigator.gpu.requestAdapter()).requestDevice();
  const model = await load({ device: window.device });
  const feeds = ${JSON.stringify(feeds)};
  for (const feed of Object.values(feeds))
    if (feed.type) feed.data = globalThis[feed.type].from(feed.data);
  if (model.t) {
    await model.t.start(7);
    await model.t.step(feeds);
  }
  const results = await (model.t ? model.t.step(feeds) : model.f(feeds));
  return Object.fromEntries(Object.entries(results).map(([name, x]) =>
    [name, typeof x === 'number' ? x : { shape: [...x.shape], data: Array.from(x.data) }]));
})()`;

const types = { f32: 'Float32Array', i32: 'Int32Array', u32: 'Uint32Array', bool: 'Uint8Array' };

/** As a module takes them: numbers where they are scalars. */
const fed = ({ dtype, shape, data }: Tensor): unknown =>
  shape.length === 0 ? data[0] : { type: types[dtype], shape, data: Array.from(data) };

describe.runIf(canUnpack)('in Chromium', () => {
  test.each(Object.keys(programs))('%s', { timeout: 60_000 }, async (name) => {
    const of = found.get(name);
    if (of === undefined) return expect.fail('it was not built');
    const feeds = Object.fromEntries(Object.entries(of.feeds).map(([key, x]) => [key, fed(x)]));
    const results = (await opened.page.evaluate(call(name, feeds))) as Results;
    expect(Object.keys(results).length).toBeGreaterThan(0);
    for (const [key, x] of Object.entries(results)) {
      const expected = of.expected[key];
      const given = typeof x === 'number' ? { shape: [], data: [x] } : x;
      expectClose(tensor(expected.dtype, given.shape, given.data), expected, 3e-5, key);
    }
    expect(opened.errors).toEqual([]);
  });
});
