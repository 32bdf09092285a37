// What a model that learns has beyond one that only infers: an object for each train block, and weights to be read and saved.

import { settled } from './checks.ts';
import { readHeld, takeWeights } from './held.ts';
import { bytesOf, type Core, type ModelPlan, type WeightsSource } from './model.ts';
import type { Results } from './program.ts';
import { headerOf, safetensors } from './safetensors.ts';
import { count, createBuffer } from './tensors.ts';
import type { Feeds, HostTensor } from './types.ts';

export interface Block {
  readonly start: (seed?: number) => Promise<void>;
  readonly step: (feeds?: Feeds) => Promise<Record<string, number>>;
  readonly evaluate: (feeds?: Feeds) => Promise<Record<string, number>>;
  readonly save: () => Promise<Uint8Array>;
  readonly resume: (source: WeightsSource) => Promise<void>;
}

export function blockOf(
  name: string,
  { held: values, blocks = {} }: ModelPlan,
  { device, held, attempt, caller }: Core,
): Block {
  const plans = blocks[name];
  const init = caller(plans.init);
  const step = settled(plans.step, caller(plans.step));
  const evaluate = settled(plans.evaluate, caller(plans.evaluate));
  /** The paths of all that a step feeds back to the next, by the names that the rest of DLG has for them. */
  const state: Record<string, string> = {};
  for (const path of Object.values(plans.step.held))
    state[path.replace(values[path].block ? `${name}: ` : '', '')] = path;
  let seed: number | undefined;

  const seedFor = (method: string): number => {
    if (seed === undefined) throw Error(`${name}.start(seed) comes before ${name}.${method}`);
    return seed;
  };
  return {
    async start(given = 0) {
      for (const path of Object.values(plans.init.held))
        if (!held.has(path)) held.set(path, createBuffer(device, count(values[path].shape)));
      await init({ seed: given });
      seed = given;
    },
    step: async (feeds) => numbers(await step({ ...feeds, seed: seedFor('step') })),
    evaluate: async (feeds) => numbers(await evaluate({ ...feeds, seed: seed ?? 0 })),
    async save() {
      const metadata = { format: 'dlg state 1', block: name, seed: `${seedFor('save')}` };
      return safetensors(await attempt(() => readHeld(device, values, held, state)), metadata);
    },
    async resume(source) {
      const bytes = await bytesOf(source);
      const found = seedIn(name, bytes, Object.keys(state));
      const own = Object.entries(state).map(([key, path]) => [key, values[path]]);
      const there = Object.entries(state).flatMap(([key, path]) => {
        const buffer = held.get(path);
        return buffer ? [[key, buffer] as const] : [];
      });
      const buffers = new Map(there);
      await attempt(() => takeWeights(device, Object.fromEntries(own), buffers, bytes));
      for (const [key, buffer] of buffers) held.set(state[key], buffer);
      seed = found;
    },
  };
}

interface Told {
  readonly __metadata__?: Readonly<Record<string, string>>;
}

/** The seed of a state of the block: one that was saved here, or a checkpoint of `dlg train`. */
function seedIn(block: string, bytes: Uint8Array, names: readonly string[]): number {
  const [header] = headerOf(bytes);
  const { __metadata__: told = {} } = header as { __metadata__?: unknown } as Told;
  const of = told.position ? JSON.parse(told.position) : told;
  if (!of.block) throw Error(`this is no state of ${block}, but weights at most`);
  if (of.block !== block) throw Error(`this is a state of ${of.block}, not of ${block}`);
  const lacking = names.find((name) => !header[name]);
  if (lacking) throw Error(`the state of ${block} lacks ${lacking}`);
  return Number(of.seed);
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
  const shared = Object.keys(values).filter((path) => !values[path].block);
  const paths = Object.fromEntries(shared.map((path) => [path, path]));
  const read = () => attempt(() => readHeld(device, values, held, paths));
  return { read, save: async () => safetensors(await read()) };
}
