// Somebody else's training loop: knows ONNX Runtime and the names in the files, and imports nothing of this project.
//
//     node drive.mjs node|web THREADS NAME FOLDER
//
// FOLDER holds NAME.init.onnx, NAME.train.onnx, NAME.onnx and feeds.json: { seed, batches: [{ name: { type, dims, data } }], queries: [the same] }.
// Draws the first parameters from the seed, takes a step a batch, and asks the model each query with the parameters learnt. Prints JSON:
// { first, measures: [{ loss, ... }], last, answers }, tensors as { type, dims, bytes } with bytes in base64.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [runtime, threads, name, folder] = process.argv.slice(2);
const ort = await import(runtime === 'web' ? 'onnxruntime-web' : 'onnxruntime-node');
if (runtime === 'web') ort.env.wasm.numThreads = Number(threads);

const load = (file) =>
  ort.InferenceSession.create(readFileSync(join(folder, file)), {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });

const arrays = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array };
const toTensors = (feeds) =>
  Object.fromEntries(
    Object.entries(feeds).map(([key, { type, dims, data }]) => [
      key,
      new ort.Tensor(type, arrays[type].from(data), dims),
    ]),
  );
const toPlain = (tensors) =>
  Object.fromEntries(
    Object.entries(tensors).map(([key, { type, dims, data }]) => [
      key,
      {
        type,
        dims: [...dims],
        bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      },
    ]),
  );

const { seed, batches, queries } = JSON.parse(readFileSync(join(folder, 'feeds.json'), 'utf8'));

const init = await load(`${name}.init.onnx`);
const first = await init.run({ seed: new ort.Tensor('uint32', [seed], []) });

const train = await load(`${name}.train.onnx`);
const fedBack = train.inputNames.filter((input) => train.outputNames.includes(`${input}.next`));
let state = Object.fromEntries(fedBack.map((key) => [key, first[key]]));
const measures = [];
const seeded = train.inputNames.includes('seed')
  ? { seed: new ort.Tensor('uint32', [seed], []) }
  : {};
for (const batch of batches) {
  const outputs = await train.run({ ...state, ...seeded, ...toTensors(batch) });
  state = Object.fromEntries(fedBack.map((key) => [key, outputs[`${key}.next`]]));
  const scalars = train.outputNames.filter((output) => !output.endsWith('.next'));
  measures.push(Object.fromEntries(scalars.map((key) => [key, outputs[key].data[0]])));
}

const model = await load(`${name}.onnx`);
const answers = [];
for (const query of queries) {
  const given = { ...state, ...toTensors(query) };
  const feeds = Object.fromEntries(model.inputNames.map((key) => [key, given[key]]));
  answers.push(toPlain(await model.run(feeds)));
}
process.stdout.write(
  JSON.stringify({ first: toPlain(first), measures, last: toPlain(state), answers }),
);
