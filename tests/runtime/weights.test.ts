// Weights from files that others wrote: names, layouts and element types, and what is said where they do not fit.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { interpreterProgram } from '../../runtime/executors/interpreter.ts';
import type { PortInfo } from '../../runtime/program.ts';
import { parseRenaming, readRenamings, rename, type Renaming } from '../../runtime/renaming.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { loadWeights, startingWeights } from '../../runtime/weights.ts';
import { compiledWithLibrary } from '../models/compile.ts';
import { bad, good, temporaryFile } from './support.ts';

const foreign = join(import.meta.dirname, 'data', 'foreign.safetensors');
const port = (name: string, dims: readonly number[]): PortInfo => ({
  name,
  role: 'parameter',
  dtype: 'f32',
  dims,
});
const ports = [
  port('net.l1.W', [4, 3]),
  port('net.l1.b', [4]),
  port('net.l2.W', [2, 4]),
  port('net.l2.b', [2]),
];
const rules = (...texts: readonly string[]): readonly Renaming[] =>
  texts.map((text) => {
    const rule = parseRenaming(text);
    if (rule === null) throw new Error(text);
    return rule;
  });
const torch = rules(
  'model.layers.0.weight=net.l1.W',
  'model.layers.0.bias=net.l1.b',
  'model.layers.2.weight=net.l2.W',
  'model.layers.2.bias=net.l2.b',
);

describe('renaming', () => {
  test.each([
    ['fc1=net.l1', 'fc1.W', 'net.l1.W'],
    ['fc1=net.l1', 'fc1', 'net.l1'],
    ['fc1=net.l1', 'fc10.W', 'fc10.W'],
    ['=net', 'l1.W', 'net.l1.W'],
    ['model=', 'model.l1.W', 'l1.W'],
    ['blocks.*.attn=net.steps.*.a', 'blocks.3.attn.q', 'net.steps.3.a.q'],
    ['*.weight=net.*.W', 'l1.weight', 'net.l1.W'],
    ['a.*.*=x.*.y.*', 'a.1.2.c', 'x.1.y.2.c'],
  ])('%s: %s is %s', (rule, name, expected) => {
    expect(rename(name, rules(rule)).path).toBe(expected);
  });

  test('the rule that says most wins, of equals the last', () => {
    const all = rules('a=x', 'a.b=y', 'a=z');
    expect(rename('a.b.c', all).path).toBe('y.c');
    expect(rename('a.c', all).path).toBe('z.c');
  });

  test.each(['a', 'a=b=c', '=', 'a.*=b', 'a=b.*'])('%s is no rule', (text) => {
    expect(parseRenaming(text)).toBeNull();
  });

  test('rules in a file', () => {
    const file = temporaryFile(
      'map.json',
      '{ "fc1": "net.l1", "k": { "to": "net.W", "transpose": [1, 0] }, "head": null }',
    );
    expect(good(readRenamings(file))).toEqual([
      { from: 'fc1', to: 'net.l1', transpose: null },
      { from: 'k', to: 'net.W', transpose: [1, 0] },
      { from: 'head', to: null, transpose: null },
    ]);
    for (const wrong of ['{', '[]', '{"a": 1}', '{"a": {"to": 3}}', '{"a.*": "b"}'])
      expect(bad(readRenamings(temporaryFile('map.json', wrong)))).toMatch(/^E0502 map\.json/);
    for (const order of ['[0, 0]', '[1, 2]', '"10"', '[0.5]'])
      expect(
        bad(readRenamings(temporaryFile('m.json', `{"a": {"to": "b", "transpose": ${order}}}`))),
      ).toMatch(/says of a what is no rule/);
  });
});

describe("PyTorch's names", () => {
  const program = compiledWithLibrary(
    'layer net = MLP(3, 4, 2)\nexport fn f(x: [B, 3]) -> y: [B, 2] = net(x)',
  );
  const { x, y } = JSON.parse(readFileSync(foreign.replace('safetensors', 'json'), 'utf8'));

  test('the network computes what it computed there', async () => {
    const weights = Object.fromEntries(good(loadWeights(foreign, ports, torch)));
    const feeds = { ...weights, x: tensor('f32', [5, 3], x.flat(), 'f64') };
    const result = await interpreterProgram(program.functions[0].graph).run(feeds);
    expect(Array.from(result.y.data)).toEqual(y.flat());
  });

  test('a kernel of the other layout is turned', () => {
    const map = temporaryFile(
      'keras.json',
      '{ "dense.kernel": { "to": "net.l1.W", "transpose": [1, 0] }, "dense.bias": "net.l1.b" }',
    );
    const turned = good(startingWeights(foreign, ports, good(readRenamings(map))));
    const direct = good(startingWeights(foreign, ports, torch));
    for (const path of ['net.l1.W', 'net.l1.b'])
      expect(turned.tensors.get(path)).toEqual(direct.tensors.get(path));
    expect(turned.missing).toEqual(['net.l2.W', 'net.l2.b']);
  });

  test('part of it is enough to start from, and the rest is named', () => {
    const { tensors, missing, unused } = good(
      startingWeights(foreign, ports, [
        ...torch.slice(0, 2),
        { from: 'dense', to: null, transpose: null },
      ]),
    );
    expect([...tensors.keys()]).toEqual(['net.l1.W', 'net.l1.b']);
    expect(missing).toEqual(['net.l2.W', 'net.l2.b']);
    expect(unused).toEqual([
      'model.layers.1.num_batches_tracked',
      'model.layers.2.weight',
      'model.layers.2.bias',
    ]);
  });
});

describe('what does not fit', () => {
  const told = (value: unknown): string =>
    `${bad(value)}\n${((value as { notes?: readonly string[] }).notes ?? []).join('\n')}`;

  test('all wrong shapes are told, with what fits and what is missing', () => {
    const other = [
      port('net.l1.W', [3, 4]),
      ports[1],
      port('net.l2.W', [2, 5]),
      port('net.c', [1]),
    ];
    const text = told(startingWeights(foreign, other, torch.slice(0, 3)));
    expect(text).toContain(
      'E0509 foreign.safetensors holds float32 [4, 3] for net.l1.W (there called model.layers.0.weight), but the program declares float32 [3, 4]; its transpose would fit',
    );
    expect(text).toContain('holds float64 [2, 4] for net.l2.W');
    expect(text).toContain('these fit: net.l1.b');
    expect(text).toContain('the program also has net.c');
    expect(text).toContain('the file also has model.layers.1.num_batches_tracked');
  });

  test('nothing in common', () => {
    const text = told(startingWeights(foreign, ports, []));
    expect(text).toContain('E0509 foreign.safetensors has nothing that the program has');
    expect(text).toContain('`--map OLD=NEW`');
    expect(text).toContain('the program also has net.l1.W, net.l1.b, net.l2.W, net.l2.b');
  });

  test('all must be there to run', () => {
    const text = told(loadWeights(foreign, ports, torch.slice(0, 2)));
    expect(text).toContain('has nothing for net.l2.W, net.l2.b, which the program needs');
  });

  test.each([
    ['no.such=net.l1', 'has nothing called no.such'],
    [
      'model.layers.0=net.l9',
      'is to give net.l9.weight, net.l9.bias, which the program does not have',
    ],
  ])('a rule that does nothing: %s', (rule, message) => {
    expect(told(startingWeights(foreign, ports, [...torch, ...rules(rule)].slice(2)))).toContain(
      message,
    );
  });

  test('two tensors for one path', () => {
    const twice = rules('model.layers.0.bias=net.l1.b', 'dense.bias=net.l1.b');
    expect(told(startingWeights(foreign, ports, twice))).toContain(
      'has two tensors for net.l1.b: model.layers.0.bias and dense.bias',
    );
  });

  test('integers for reals', () => {
    const rule = rules('model.layers.1.num_batches_tracked=net.c');
    expect(told(startingWeights(foreign, [port('net.c', [])], rule))).toContain(
      'holds int64 [] for net.c',
    );
  });
});
