// What stands in the files of `dlg build`: ordinary operators, free batch sizes, the source's names, weights where they are given.

import proto from 'onnx-proto';
import { describe, expect, test } from 'vitest';

import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { exportOnnx } from '../../compiler/pipeline.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { expectClose } from '../ir/expect-close.ts';
import { functionOf } from '../models/compile.ts';
import { artifacts, batchOf } from './programs.ts';

const decode = (bytes: Uint8Array | undefined) => {
  if (bytes === undefined) throw new Error('no such file');
  return proto.onnx.ModelProto.decode(bytes);
};

const names = (ports: readonly proto.onnx.IValueInfoProto[] | null | undefined): string[] =>
  (ports ?? []).map(({ name }) => name ?? '');

describe.each(artifacts)('$name', (artifact) => {
  const { name, program } = artifact;
  const files = exportOnnx(program);

  test('one file each for answers, steps and first values', () => {
    expect([...files.keys()]).toEqual([`${name}.onnx`, `${name}.train.onnx`, `${name}.init.onnx`]);
  });

  test.each([...files.keys()])('%s has operators of ai.onnx only, opset 21', (file) => {
    const { opsetImport, functions, graph } = decode(files.get(file));
    const own = new Set(functions.map(({ domain, name }) => `${domain}.${name}`));
    const standard = opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
    expect(Number(standard?.version)).toBe(21);
    const nodes = [...(graph?.node ?? []), ...functions.flatMap(({ node }) => node ?? [])];
    expect(nodes.length).toBeGreaterThan(0);
    for (const { domain, opType } of nodes)
      if (!own.has(`${domain}.${opType}`)) expect(['', 'ai.onnx'], opType ?? '').toContain(domain);
  });

  test('the batch is free where the source leaves it free', () => {
    for (const file of [`${name}.onnx`, `${name}.train.onnx`]) {
      const { graph } = decode(files.get(file));
      const x = graph?.input?.find((input) => input.name === 'x');
      const [batch, ...rest] = x?.type?.tensorType?.shape?.dim ?? [];
      expect(batch.dimParam, file).toBe('B');
      expect(rest.map(({ dimValue }) => Number(dimValue))).toEqual(artifact.row);
    }
  });

  test('a step returns the next value of all that it is fed, and init its first', () => {
    const { graph } = decode(files.get(`${name}.train.onnx`));
    const fed = names(graph?.input).filter((input) => !['x', 'y'].includes(input));
    const outputs = names(graph?.output);
    expect(outputs.filter((output) => output.endsWith('.next')).sort()).toEqual(
      fed.map((input) => `${input}.next`).sort(),
    );
    expect(outputs).toEqual(expect.arrayContaining(['loss', 'accuracy']));
    const init = decode(files.get(`${name}.init.onnx`));
    expect(names(init.graph?.input)).toEqual(['seed']);
    expect(names(init.graph?.output).sort()).toEqual(fed.sort());
  });

  test('given weights are written into the model', async () => {
    const drawn = interpret(program.init, { seed: tensor('u32', [], [3]) });
    const model = exportOnnx(program, { weights: new Map(Object.entries(drawn)) }).get(
      `${name}.onnx`,
    );
    const { graph } = decode(model);
    expect(names(graph?.input)).toEqual(['x']);
    const { x } = batchOf(artifact, 3, 9);
    const loaded = await onnxProgram(model ?? new Uint8Array(), { threads: 1 });
    const { p } = await loaded.run({ x });
    await loaded.dispose();
    const classify = functionOf(program, 'classify').graph;
    const expected = interpret(classify, { ...drawn, x }, { precision: 'f64' });
    expectClose(p, expected.p, 1e-6, 'p');
  });
});
