// jax-js on WebAssembly or WebGPU: one jit for the operation, or for the whole step (gradients and optimiser).
// Usage: jax-js.mjs FOLDER wasm|webgpu

import { defaultDevice, init, jit, numpy as np, tree, valueAndGrad } from '@jax-js/jax';

import { losses, operations } from './jax-js-models.mjs';
import { measureRuns, measureSteps, readTask } from './task.mjs';

const [folder, device] = process.argv.slice(2);
const task = readTask(folder);
await init(device);
defaultDevice(device);

const array = ({ shape, data, dtype }) =>
  np.array(data.slice(), { shape, dtype: dtype === 'i32' ? np.int32 : np.float32 });
const { tensors } = task;
const arrays = Object.fromEntries(Object.entries(tensors).map(([n, t]) => [n, array(t)]));
const contender = `jax-js (${device})`;

await (task.train ? train() : apply());

async function apply() {
  const operation = jit(operations[task.kind]);
  let last;
  await measureRuns(contender, task, {
    run: () => operation(tree.ref(arrays)),
    read: (y) => y.ref.data(),
    free: (y) => {
      last?.dispose();
      last = y;
    },
    settle: () => last.blockUntilReady(),
  });
}

async function train() {
  const { x, y, ...parameters } = arrays;
  const names = Object.keys(parameters);
  const loss = losses[task.kind];
  const adam = jit((p, m, v, a, c, x, y) => {
    const [value, g] = valueAndGrad((q) => loss(q, x, y))(tree.ref(p));
    const [p2, m2, v2] = [{}, {}, {}];
    for (const n of names) {
      m2[n] = m[n].mul(0.9).add(g[n].ref.mul(0.1));
      v2[n] = v[n].mul(0.999).add(g[n].ref.mul(g[n]).mul(0.001));
      p2[n] = p[n].sub(a.ref.mul(m2[n].ref).div(np.sqrt(c.ref.mul(v2[n].ref)).add(1e-8)));
    }
    a.dispose();
    c.dispose();
    return [value, p2, m2, v2];
  });
  const sgd = jit((p, x, y) => {
    const [value, g] = valueAndGrad((q) => loss(q, x, y))(tree.ref(p));
    return [value, Object.fromEntries(names.map((n) => [n, p[n].sub(g[n].mul(0.1))]))];
  });
  const zeros = () => Object.fromEntries(names.map((n) => [n, np.zeros(tensors[n].shape)]));
  let [p, m, v, t] = [parameters, zeros(), zeros(), 0];
  await measureSteps(contender, task, async () => {
    t++;
    let value;
    if (task.kind === 'transformer') [value, p] = sgd(p, x.ref, y.ref);
    else {
      const [a, c] = [1e-3 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t)].map((s) => np.array(s));
      [value, p, m, v] = adam(p, m, v, a, c, x.ref, y.ref);
    }
    return (await value.data())[0];
  });
}
