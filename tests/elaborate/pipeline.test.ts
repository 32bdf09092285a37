// The pipeline's edges: names of artifacts, stages seen, states of train blocks, optimisers that serve one parameter twice.

import { describe, expect, it } from 'vitest';
import { compile, exportOnnx } from '../../compiler/pipeline.ts';
import { compileText, host, program, run, seeded, wavy } from './compile-text.ts';

const model = `
  import "std/nn"
  import "std/optim"
  layer net = Dense(2, 1)
`;
const train = (name: string): string =>
  `train ${name}(x: [B, 2]) { minimize mean(net(x)^2) over net using SGD(0.1) }\n`;
const entry = (name: string): string => `export fn ${name}(x: [B, 2]) -> y: [B, 1] = net(x)\n`;

describe('artifacts', () => {
  const names = (text: string): string[] => [...exportOnnx(program(text)).keys()].toSorted();

  it('one function and one block take the name of the file', () => {
    expect(names(model + train('t') + entry('f'))).toEqual([
      'test.init.onnx',
      'test.onnx',
      'test.train.onnx',
    ]);
  });

  it('several are told apart by their own names', () => {
    expect(names(model + train('t') + train('u') + entry('f') + entry('g'))).toEqual([
      'test.f.onnx',
      'test.g.onnx',
      'test.t.init.onnx',
      'test.t.train.onnx',
      'test.u.init.onnx',
      'test.u.train.onnx',
    ]);
  });

  it('without a block, the first values have a model all the same', () => {
    expect(names(model + entry('f'))).toEqual(['test.init.onnx', 'test.onnx']);
  });
});

describe('compile', () => {
  it('shows each stage and each graph, and stops at errors', () => {
    const stages: string[] = [];
    const seen = new Set<string>();
    const options = {
      onStage: (stage: string) => stages.push(stage),
      onPass: (pass: string, { name }: { name: string }) => seen.add(`${name} ${pass}`),
    };
    compile({ path: 'a.dlg', text: model + entry('f') }, host, options);
    expect(stages).toEqual(['check', 'elaborate', 'transform']);
    expect(seen).toContain('f elaborate');
    expect(seen).toContain('f differentiate');
    const wrong = compileText('fn f(x: [n]) -> [n] = y\n');
    expect(wrong.program).toBeNull();
    expect(wrong.diagnostics).toHaveLength(1);
  });
});

describe('train blocks', () => {
  it('have states of their own, which no gradient passes', () => {
    const [{ step, init }] = program(`${model}
      train t(x: [B, 2]) {
        state average: real = 0.5
        average <- 0.9 * average + 0.1 * mean(net(x))
        minimize mean((net(x) - average)^2) over net using SGD(1)
        report now = average
      }
    `).trains;
    const values = run(init, seeded(1));
    expect(values.average.data[0]).toBe(0.5);
    const x = wavy([3, 2]);
    const after = run(step, { x, ...values });
    const outputs = [0, 1, 2].map(
      (n) =>
        values['net.W'].data[0] * x.data[2 * n] +
        values['net.W'].data[1] * x.data[2 * n + 1] +
        values['net.b'].data[0],
    );
    const mean = outputs.reduce((a, b) => a + b, 0) / 3;
    const average = 0.45 + 0.1 * mean;
    expect(after['average.next'].data[0]).toBeCloseTo(average, 6);
    expect(after.now.data[0]).toBeCloseTo(average, 6);
    // d/db mean((y - a)^2) = 2 (mean y - a), a taken as constant.
    expect(after['net.b.next'].data[0]).toBeCloseTo(
      values['net.b'].data[0] - 2 * (mean - average),
      6,
    );
  });

  it('an optimiser that serves a parameter twice keeps two states', () => {
    const [{ step }] = program(`${model}
      train t(x: [B, 2]) {
        minimize mean(net(x)^2) over net using Adam(0.1)
        minimize mean(net(x)) over net using Adam(0.1)
      }
    `).trains;
    const optimizers = step.inputs.filter(({ role }) => role === 'optimizer');
    expect(optimizers.map(({ name }) => name).filter((name) => name.startsWith('net.b'))).toEqual([
      'net.b.adam.m',
      'net.b.adam.v',
      'net.b.adam2.m',
      'net.b.adam2.v',
    ]);
  });
});
