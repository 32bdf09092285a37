// The training loop and its checkpoints, on a program made by hand.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { tensor } from '../../compiler/ir/tensor.ts';
import {
  encodeCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  type Checkpoint,
} from '../../runtime/checkpoint.ts';
import { datasetOf, type Dataset } from '../../runtime/data/dataset.ts';
import { readSafetensors, writeSafetensors } from '../../runtime/data/safetensors.ts';
import { removeLeftovers, writeAtomic } from '../../runtime/files.ts';
import { problem } from '../../runtime/problem.ts';
import { carriedPorts, train, type Point, type TrainSettings } from '../../runtime/train.ts';
import { loadWeights } from '../../runtime/weights.ts';
import { bad, declare, good, temporaryFile, temporaryFolder } from './support.ts';
import { toyPrograms } from './toy.ts';

/** y = 2 x - 1 with a known error on each row. */
function line(rows: number): Dataset {
  const port = declare();
  const x = Float64Array.from({ length: rows }, (_, i) => ((i * 37) % rows) / rows);
  const y = x.map((v, i) => 2 * v - 1 + (i % 2 === 0 ? 0.01 : -0.01));
  const array = (data: Float64Array) =>
    ({ kind: 'array', type: 'number', shape: [rows], data }) as const;
  return good(
    datasetOf([
      { port: port('x', ['B']), file: 'x', array: array(x) },
      { port: port('y', ['B']), file: 'y', array: array(y) },
    ]),
  );
}

const settings: TrainSettings = {
  block: 'fit',
  epochs: 3,
  batch: 8,
  seed: 5,
  data: 'abc',
  saveEvery: { steps: 1 },
};
const programs = toyPrograms();
const dataset = line(50);
const ports = carriedPorts(programs.step);

/** A whole run; every checkpoint on the way. */
async function history(changed: Partial<TrainSettings> = {}, start: Checkpoint | null = null) {
  const saved: Checkpoint[] = [];
  const points: Point[] = [];
  const result = await train(
    { programs, dataset, test: line(20), settings: { ...settings, ...changed }, start },
    {
      save: (checkpoint) => {
        saved.push(checkpoint);
        return null;
      },
      onPoint: (p) => points.push(p),
    },
  );
  return { saved, points, result: good(result) };
}

describe('the loop', () => {
  test('learns, counts, keeps the last partial batch', async () => {
    const { saved, points, result } = await history({ epochs: 40 });
    const { tensors, position } = result.last;
    expect(tensors.get('w')?.data[0]).toBeCloseTo(2, 1);
    expect(tensors.get('b')?.data[0]).toBeCloseTo(-1, 1);
    expect(position).toMatchObject({ step: 280, epoch: 40, row: 0, rows: 50, batch: 8, seed: 5 });
    expect(tensors.get('step')?.data[0]).toBe(280);
    expect(saved.length).toBe(280);
    expect(result.test?.error).toBeCloseTo(0.01, 2);
    expect(points.filter(({ split }) => split === 'test').length).toBe(40);
  });

  test('every row is taken once in an epoch', async () => {
    const seen: number[] = [];
    const { step } = programs;
    const spied = {
      ...programs,
      step: {
        ...step,
        run: (feeds: Parameters<typeof step.run>[0]) => {
          seen.push(...feeds.x.data);
          return step.run(feeds);
        },
      },
    };
    good(
      await train(
        { programs: spied, dataset, settings: { ...settings, epochs: 1 } },
        { save: () => null },
      ),
    );
    const rows = [...dataset.columns[0].data].map(Math.fround);
    expect(seen.toSorted((a, b) => a - b)).toEqual(rows.toSorted((a, b) => a - b));
    expect(seen).not.toEqual(rows);
  });

  test('the means of the test data weigh every row alike', async () => {
    const test = line(20);
    const ended = await history({ epochs: 1 });
    const feeds = Object.fromEntries(ended.result.last.tensors);
    const all = await programs.evaluate.run({
      ...feeds,
      ...Object.fromEntries(
        test.columns.map((c) => [c.port.name, tensor('f32', [20], Float32Array.from(c.data))]),
      ),
    });
    expect(ended.result.test?.loss).toBeCloseTo(all.loss.data[0], 6);
  });

  test('a loss that is not finite ends the run', async () => {
    const saved: Checkpoint[] = [];
    const wild = await train(
      { programs: toyPrograms(1e12), dataset, settings },
      {
        save: (c) => {
          saved.push(c);
          return null;
        },
      },
    );
    expect(bad(wild)).toMatch(/^E0513 loss became (NaN|Infinity) at step \d+ \(epoch 1, row \d+/);
    for (const { tensors } of saved)
      expect([...tensors.values()].every((t) => !Number.isNaN(t.data[0]))).toBe(true);
  });

  test('a checkpoint that cannot be written ends the run', async () => {
    const refused = problem('E0514', 'out', 'cannot be written: the disk is full');
    const result = await train({ programs, dataset, settings }, { save: () => refused });
    expect(result).toBe(refused);
  });
});

describe('resuming', () => {
  test('from every checkpoint, through its bytes, the end is the same to the bit', async () => {
    const whole = await history();
    const end = encodeCheckpoint(whole.result.last);
    const folder = temporaryFolder();
    for (const [i, checkpoint] of whole.saved.entries()) {
      const path = join(folder, `${i}.safetensors`);
      expect(saveCheckpoint(path, checkpoint)).toBeNull();
      const again = await history({}, good(loadCheckpoint(path, ports)));
      expect(Buffer.compare(encodeCheckpoint(again.result.last), end)).toBe(0);
      const later = whole.points.filter(({ step }) => step > checkpoint.position.step);
      expect(again.points.filter(({ step }) => step > checkpoint.position.step)).toEqual(later);
    }
  });

  test('after a stop between steps', async () => {
    const end = (await history()).result.last;
    let asked = 0;
    const stopped = good(
      await train(
        { programs, dataset, settings },
        {
          save: () => null,
          shouldStop: () => ++asked > 11,
        },
      ),
    );
    expect(stopped.kind).toBe('stopped');
    expect(stopped.last.position.step).toBe(11);
    const again = await history({}, stopped.last);
    expect(encodeCheckpoint(again.result.last)).toEqual(encodeCheckpoint(end));
  });
});

describe('checkpoint files', () => {
  const port = (name: string, dims: readonly number[], dtype: 'f32' | 'i32' = 'f32') =>
    ({ name, role: 'parameter', dtype, dims }) as const;

  test('the reference library reads as we do', () => {
    const path = join(import.meta.dirname, 'data', 'reference.safetensors');
    const file = good(readSafetensors(path, readFileSync(path)));
    expect(file.metadata).toEqual({ about: 'a test' });
    const plain = [...file.tensors].map(([name, t]) => [name, t.type, t.shape, [...t.data]]);
    expect(Object.fromEntries(plain.map(([name, ...rest]) => [name, rest]))).toEqual({
      'net.W': ['float32', [6, 4], Array.from({ length: 24 }, (_, i) => i / 8)],
      'net.b': ['float32', [3], [1, -1, 0.5]],
      step: ['int32', [], [7]],
      mask: ['bool', [3], [1, 0, 1]],
      key: ['uint32', [2], [1, 4294967295]],
    });
  });

  test('and we write the bytes that it writes', () => {
    const path = join(import.meta.dirname, 'data', 'reference.safetensors');
    const tensors = new Map([
      ['mask', tensor('bool', [3], [1, 0, 1])],
      [
        'net.W',
        tensor(
          'f32',
          [6, 4],
          Array.from({ length: 24 }, (_, i) => i / 8),
        ),
      ],
      ['net.b', tensor('f32', [3], [1, -1, 0.5])],
      ['step', tensor('i32', [], [7])],
      ['key', tensor('u32', [2], [1, 4294967295])],
    ]);
    const ours = writeSafetensors(tensors, { about: 'a test' });
    expect(Buffer.compare(ours, readFileSync(path))).toBe(0);
  });

  test('weights that do not fit are refused by name', () => {
    const path = join(import.meta.dirname, 'data', 'reference.safetensors');
    expect(good(loadWeights(path, [port('net.b', [3])])).get('net.b')?.data[1]).toBe(-1);
    expect(bad(loadWeights(path, [port('net.c', [3])]))).toMatch(
      /^E0509 reference\.safetensors has nothing for net\.c/,
    );
    expect(bad(loadWeights(path, [port('net.b', [4])]))).toBe(
      'E0509 reference.safetensors holds float32 [3] for net.b, but the program declares float32 [4]',
    );
    expect(bad(loadWeights(path, [port('net.b', [3], 'i32')]))).toMatch(/^E0509/);
    expect(bad(loadCheckpoint(path, []))).toMatch(/^E0508 .* but not a checkpoint/);
  });

  test('no prefix of a checkpoint is taken for one', async () => {
    const { saved } = await history();
    const whole = encodeCheckpoint(saved[3]);
    for (let length = 0; length < whole.length; length += 11) {
      const path = temporaryFile('cut.safetensors', whole.subarray(0, length));
      expect(bad(loadCheckpoint(path, ports))).toMatch(/^E050[18] /);
    }
  });

  test('a header that lies about its tensors is refused', () => {
    const header = (entry: object): Uint8Array => {
      const json = Buffer.from(JSON.stringify({ w: entry }));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(json.length));
      return Buffer.concat([length, json, Buffer.alloc(16)]);
    };
    const read = (entry: object) => readSafetensors('file', header(entry));
    expect('kind' in good(read({ dtype: 'F32', shape: [4], data_offsets: [0, 16] }))).toBe(true);
    for (const entry of [
      { dtype: 'F32', shape: [4], data_offsets: [0, 12] },
      { dtype: 'F32', shape: [3], data_offsets: [0, 12] },
      { dtype: 'F32', shape: [4], data_offsets: [4, 20] },
      { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 16] },
      { dtype: 'F32', shape: [-4], data_offsets: [0, 16] },
      { dtype: 'Q9', shape: [4], data_offsets: [0, 16] },
      { shape: [4] },
    ])
      expect(bad(read(entry))).toMatch(/^E0502 /);
  });
});

describe('writing', () => {
  test('replaces in one step and leaves nothing behind', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'deep', 'file.txt');
    expect(writeAtomic(path, 'one')).toBeNull();
    expect(writeAtomic(path, 'two')).toBeNull();
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(join(folder, 'deep'))).toEqual(['file.txt']);
  });

  test('says why it cannot', () => {
    const path = temporaryFile('file', 'text');
    expect(bad(writeAtomic(join(path, 'below'), 'x'))).toMatch(
      /^E0514 below cannot be written: a (part of its path is a file|file of that name)/,
    );
  });

  test('what killed processes left is removed, what running ones write is not', () => {
    const folder = temporaryFolder();
    // No process has this id: it is above the largest that Linux gives.
    writeFileSync(join(folder, '.a.safetensors.999999999.partial'), '');
    writeFileSync(join(folder, `.a.safetensors.${process.pid}.partial`), '');
    writeFileSync(join(folder, 'kept.partial'), '');
    removeLeftovers(folder);
    expect(readdirSync(folder).toSorted()).toEqual([
      `.a.safetensors.${process.pid}.partial`,
      'kept.partial',
    ]);
  });
});
