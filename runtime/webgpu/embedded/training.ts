// What a model that learns has beyond one that only infers: an object for each train block, and weights to be read and saved.

import { settled } from './checks.ts';
import type { Core, ModelPlan } from './model.ts';
import type { Results } from './program.ts';
import { count, createBuffer, fetchLater } from './tensors.ts';
import type { Feeds, HostTensor, Shape } from './types.ts';

export interface Block {
  readonly start: (seed?: number) => Promise<void>;
  readonly step: (feeds?: Feeds) => Promise<Record<string, number>>;
  readonly evaluate: (feeds?: Feeds) => Promise<Record<string, number>>;
}

export function blockOf(
  name: string,
  { held: values, blocks = {} }: ModelPlan,
  { device, held, caller }: Core,
): Block {
  const plans = blocks[name];
  const init = caller(plans.init);
  const step = settled(plans.step, caller(plans.step));
  const evaluate = settled(plans.evaluate, caller(plans.evaluate));
  let seed: number | undefined;
  return {
    async start(given = 0) {
      for (const path of Object.values(plans.init.held))
        if (!held.has(path)) held.set(path, createBuffer(device, count(values[path].shape)));
      await init({ seed: given });
      seed = given;
    },
    async step(feeds) {
      if (seed === undefined) throw Error(`${name}.start(seed) comes before ${name}.step`);
      return numbers(await step({ ...feeds, seed }));
    },
    evaluate: async (feeds) => numbers(await evaluate({ ...feeds, seed: seed ?? 0 })),
  };
}

/** Losses and reports are scalars. */
const numbers = (results: Results): Record<string, number> =>
  Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, (tensor as HostTensor).data[0]]),
  );

export function weightsOf(
  { held: values }: ModelPlan,
  { device, held, attempt }: Core,
): {
  readonly read: () => Promise<Record<string, HostTensor>>;
  readonly save: () => Promise<Uint8Array>;
} {
  const read = (): Promise<Record<string, HostTensor>> =>
    attempt(async () => {
      const encoder = device.createCommandEncoder();
      const fetched = Object.entries(values).flatMap(([path, { dtype, shape, block }]) => {
        const buffer = held.get(path);
        if (block || !buffer) return [];
        const get = fetchLater(device, encoder, { buffer, dtype, shape });
        return [async () => [path, await get()] as const];
      });
      device.queue.submit([encoder.finish()]);
      return Object.fromEntries(await Promise.all(fetched.map((get) => get())));
    });
  return { read, save: async () => safetensors(await read()) };
}

/** In the order in which the format's own library writes them. */
const types = [
  ['F32', Float32Array],
  ['U32', Uint32Array],
  ['I32', Int32Array],
  ['BOOL', Uint8Array],
] as const;

function safetensors(tensors: Readonly<Record<string, HostTensor>>): Uint8Array {
  const header: Record<string, { dtype: string; shape: Shape; data_offsets: number[] }> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [dtype, View] of types)
    for (const name of Object.keys(tensors).sort()) {
      const { data, shape } = tensors[name];
      if (!(data instanceof View)) continue;
      header[name] = { dtype, shape, data_offsets: [at, (at += data.byteLength)] };
      parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + at).fill(0x20, 8, start);
  new DataView(bytes.buffer).setUint32(0, start - 8, true);
  bytes.set(text, 8);
  let place = start;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes;
}
