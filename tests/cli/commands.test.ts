// Every command from the outside: what it prints, what it writes, how it ends.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { bundled, dlg, points, workspace } from './support.ts';

bundled();

describe('dlg grad', () => {
  test('prints the derivative, or says why there is none', () => {
    const folder = workspace({
      'a.dlg': 'fn f(x: [n]) -> y: [n] {\n  y[i] = softmax[i] x[i]\n}\n',
    });
    const lines = dlg(folder, 'grad', 'a.dlg', 'f', '--wrt', 'x');
    expect(lines.out).toBe(
      'y[i] = softmax[i] x[i]\ndy_dx[i, j] = ind(i == j) * y[i] - y[i] * y[j]\n',
    );
    expect(dlg(folder, 'grad', 'a.dlg', 'f', '--wrt', 'x', '--latex').out).toContain(
      '\\operatorname{diag}(\\mathbf{y}) - \\mathbf{y} \\mathbf{y}^\\top\n',
    );
    const { code, err } = dlg(folder, 'grad', 'a.dlg', 'g', '--wrt', 'x');
    expect(err).toContain('the file has no function g');
    expect(code).toBe(1);
  });
});

const broken = 'fn f(x: [n]) -> [n] = x +\nfn g(x: [n]) -> [n] = y\n';

describe('usage', () => {
  test.each(['check', 'build', 'train', 'run', 'grad', 'fmt', 'explain'])(
    'dlg %s --help',
    (command) => {
      const { code, out } = dlg('.', command, '--help');
      expect(code).toBe(0);
      expect(out).toContain(`Usage: dlg ${command}`);
      expect(out).toContain(`Example:\n  dlg ${command}`);
    },
  );

  test.each([
    [['chekc', 'a.dlg'], /unknown command 'chekc'\n\(Did you mean check\?\)/],
    [['check'], /missing required argument 'files'/],
    [['check', '--jsno', 'a.dlg'], /unknown option '--jsno'/],
    [['train', 'a.dlg', '--batch', '0'], /whole number of at least 1/],
    [['train', 'a.dlg', '--seed', '4294967296'], /whole number from 0 to 4294967295/],
    [['train', 'a.dlg', '--data', 'x'], /expected NAME=FILE/],
    [['train', 'a.dlg', '--data', 'x=a', '--data', 'x=b'], /x is given twice/],
    [['train', 'a.dlg', '--device', 'gpu'], /Allowed choices are cpu, webgpu, interpreter/],
    [['build', 'a.dlg', '--target', 'onnx,glsl'], /expected onnx, wgsl or onnx,wgsl/],
    [['build', 'a.dlg', '--target', 'wgsl', '--adapter', 'cpu'], /Allowed choices are gpu, soft/],
    [['build', 'a.dlg', '--size', 'B=0'], /expected NAME=SIZE, as in B=16/],
  ] as const)('dlg %j is misuse', (args, message) => {
    const { code, err } = dlg('.', ...args);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  test('dlg alone shows its commands', () => {
    const { code, err } = dlg('.');
    expect(err).toContain('Usage: dlg');
    expect(code).toBe(2);
  });
});

describe('check', () => {
  test('a right file', () => {
    const { code, out, err } = dlg(workspace(points), 'check', 'points.dlg');
    expect(err).toBe('1 file checked, no errors\n');
    expect(out).toBe('');
    expect(code).toBe(0);
  });

  test('a wrong file, a missing file', () => {
    const folder = workspace({ ...points, 'broken.dlg': broken });
    const { code, out, err } = dlg(folder, 'check', 'points.dlg', 'broken.dlg', 'none.dlg');
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toContain('broken.dlg:2:');
    expect(err).toContain('error[E0501]: cannot read the file');
    expect(err).toContain('none.dlg cannot be read: there is no such file');
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('as JSON', () => {
    const folder = workspace({ 'broken.dlg': broken });
    const { code, out } = dlg(folder, 'check', '--json', 'broken.dlg', 'none.dlg');
    expect(code).toBe(1);
    const { diagnostics } = JSON.parse(out);
    expect(diagnostics.at(-1)).toMatchObject({ code: 'E0501', severity: 'error', span: null });
    expect(diagnostics[0]).toMatchObject({ severity: 'error', span: { file: 'broken.dlg' } });
    expect(JSON.parse(dlg(workspace(points), 'check', '--json', 'points.dlg').out)).toEqual({
      diagnostics: [],
    });
  });

  test('imports are found beside the file and in the library', () => {
    const main = 'import "std/nn"\nimport "./blocks.dlg" as blocks\nlayer net = MLP(2, 3, 1)\n';
    const folder = workspace({
      'main.dlg': main,
      'blocks.dlg': 'fn twice(x: [n]) -> [n] = 2 * x\n',
    });
    expect(dlg(folder, 'check', 'main.dlg')).toMatchObject({ code: 0 });
  });
});

describe('explain', () => {
  test('a code', () => {
    const { code, out } = dlg('.', 'explain', 'E0504');
    expect(out).toMatch(/^error\[E0504\]: a value is out of range\n\n/);
    expect(code).toBe(0);
  });
  test('no code', () => {
    expect(dlg('.', 'explain', 'E9999')).toMatchObject({ code: 1 });
  });
});

describe('fmt', () => {
  const untidy = 'fn   f( x:[n] )->[n]=2*x # doubles\n';
  test('formats in place, once', () => {
    const folder = workspace({ 'a.dlg': untidy });
    expect(dlg(folder, 'fmt', '--check', 'a.dlg')).toMatchObject({ code: 1, out: 'a.dlg\n' });
    expect(readFileSync(join(folder, 'a.dlg'), 'utf8')).toBe(untidy);
    expect(dlg(folder, 'fmt', 'a.dlg')).toMatchObject({ code: 0, out: 'a.dlg\n' });
    const tidy = readFileSync(join(folder, 'a.dlg'), 'utf8');
    expect(tidy).toContain('fn f(x: [n]) -> [n] = 2 * x');
    expect(tidy).toContain('# doubles');
    expect(dlg(folder, 'fmt', '--check', 'a.dlg')).toMatchObject({ code: 0, out: '' });
  });
  test('leaves a file that does not parse as it is', () => {
    const folder = workspace({ 'a.dlg': broken });
    const { code, err } = dlg(folder, 'fmt', 'a.dlg');
    expect(code).toBe(1);
    expect(err).toContain('error[E0003]');
    expect(readFileSync(join(folder, 'a.dlg'), 'utf8')).toBe(broken);
  });
});

describe('build', () => {
  test('writes several training steps in one model', async () => {
    const folder = workspace(points);
    const { code } = dlg(folder, 'build', 'points.dlg', '--out', 'models', '--steps', '3');
    expect(code).toBe(0);
    const model = readFileSync(join(folder, 'models', 'points.train.onnx'));
    const { inputs, outputs, dispose } = await onnxProgram(model, { threads: 1 });
    expect(inputs.find(({ role }) => role === 'data')?.dims[0]).toBe(3);
    expect(outputs.find(({ role }) => role === 'loss')?.dims).toEqual([3]);
    await dispose();
  });

  test('writes the models', () => {
    const folder = workspace(points);
    const { code, err } = dlg(folder, 'build', 'points.dlg', '--out', 'models', '--stats');
    expect(code).toBe(0);
    expect(readdirSync(join(folder, 'models')).toSorted()).toEqual([
      'points.init.onnx',
      'points.onnx',
      'points.train.onnx',
    ]);
    expect(err).toMatch(/^check +\d+\.\d ms\nelaborate +\d/);
    expect(err).toMatch(/nodes: \d+ after elaborate, /);
  });

  test('prints the graphs after a pass', () => {
    const folder = workspace(points);
    const { code, out } = dlg(folder, 'build', 'points.dlg', '--print-after', 'elaborate');
    expect(code).toBe(0);
    expect(out).toContain('dot_general');
    const unknown = dlg(folder, 'build', 'points.dlg', '--print-after', 'nothing');
    expect(unknown.err).toContain('the passes are elaborate, ');
    expect(unknown.code).toBe(2);
  });

  test('says what kernels cost', () => {
    const folder = workspace(points);
    const build = (...options: readonly string[]) =>
      dlg(folder, 'build', 'points.dlg', '--target', 'wgsl', '--explain', ...options);
    const { code, out } = build('--size', 'B=10');
    expect(code).toBe(0);
    expect(out).toMatch(/^train \w+ with B = 10: \d+ kernels\n\n +kernel +kind +runs over /m);
    expect(out).toMatch(/^ *1 .* points\.dlg:\d+ /m);
    expect(out).toMatch(/ times the least, /);
    const { programs } = JSON.parse(build('--json').out) as {
      programs: { sizes: Record<string, number>; kernels: object[]; ratio: number }[];
    };
    expect(programs.at(-1)?.sizes).toEqual({ B: 64 });
    expect(programs.at(-1)?.kernels[0]).toHaveProperty('operations');
    const unknown = build('--size', 'C=10');
    expect(unknown.err).toContain('there is no free size called C; there are B');
    expect(unknown.code).toBe(2);
    const onnx = dlg(folder, 'build', 'points.dlg', '--explain');
    expect(onnx.err).toContain('needs `--target wgsl`');
    expect(onnx.code).toBe(2);
  });

  test('wrong weights: a diagnostic, and nothing written', () => {
    const folder = workspace({ ...points, 'w.safetensors': 'nothing of the kind' });
    const { code, err } = dlg(folder, 'build', 'points.dlg', '--weights', 'w.safetensors');
    expect(code).toBe(1);
    expect(err).toContain('error[E0508]: not a checkpoint');
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });
});

describe('run', () => {
  const program = `export fn both(x: [B, 2], k: fin(3)[B]) -> (s: [B], t: [B, 2], big: bool[B]) {
  s[b] = sum[i] x[b, i]
  t = x / 2
  big = k > 1
}

export fn half(x: [n]) -> y: [n] = x / 2
`;
  test.each(['cpu', 'interpreter'])('results as JSON, on %s', (device) => {
    const folder = workspace({ 'f.dlg': program, 'k.csv': '2\n0\n' });
    const inputs = ['--input', 'x=[[1, 2], [3, 4]]', '--input', 'k=k.csv'];
    const { code, out, err } = dlg(folder, 'run', 'f.dlg', 'both', ...inputs, '--device', device);
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      s: [3, 7],
      t: [
        [0.5, 1],
        [1.5, 2],
      ],
      big: [true, false],
    });
    expect(code).toBe(0);
  });

  test.each([
    ['nothing', [], /E0510.*\n.*no export fn called nothing[^]*it has both, half/],
    ['half', [], /E0505.*\n.*no data given for x[^]*it takes x: \[n\]/],
    ['half', ['--input', 'z=[1]'], /E0506.*\n.*no data input called z/],
    ['half', ['--input', 'x=[[1, 2]]'], /E0503.*\n.*x holds \[1, 2\], but x is declared \[n\]/],
    ['half', ['--input', 'x=[1, "a"]'], /E0502.*\n.*x holds "a" where a number should stand/],
    ['both', ['--input', 'x=[[1, 2]]', '--input', 'k=[3]'], /E0504.*\n.*row 0 holds 3/],
    ['both', ['--input', 'x=[[1, 2]]', '--input', 'k=[1, 2]'], /E0503.*\n.*do not fit together/],
  ] as const)('%s %j is refused', (name, args, message) => {
    const { code, out, err } = dlg(workspace({ 'f.dlg': program }), 'run', 'f.dlg', name, ...args);
    expect(err).toMatch(message);
    expect(out).toBe('');
    expect(code).toBe(1);
  });

  test('draws come from the seed, on every device', () => {
    const text = 'export fn toss(p: [B]) -> h: bool[B] {\n  h ~ bernoulli(p)\n}\n';
    const folder = workspace({ 'f.dlg': text });
    const args = ['run', 'f.dlg', 'toss', '--input', `p=[${Array(64).fill(0.5).join(', ')}]`];
    const { code, err } = dlg(folder, ...args);
    expect(err).toMatch(/E0505.*\n.*the function draws.*\n.*--seed N/);
    expect(code).toBe(1);
    const heads = dlg(folder, ...args, '--seed', '3').out;
    expect(JSON.parse(heads).h).toHaveLength(64);
    expect(dlg(folder, ...args, '--seed', '3', '--device', 'interpreter').out).toBe(heads);
    expect(dlg(folder, ...args, '--seed', '4').out).not.toBe(heads);
  });

  test('parameters come from a file or a seed', () => {
    const folder = workspace(points);
    const args = ['run', 'points.dlg', 'scores', '--input', 'x=[[0, 0]]'];
    const { code, err } = dlg(folder, ...args);
    expect(err).toMatch(/E0505.*\n.*such as net\.W.*\n.*--weights FILE/);
    expect(code).toBe(1);
    const drawn = dlg(folder, ...args, '--seed', '3');
    // At 0 a linear model without bias is undecided.
    for (const p of JSON.parse(drawn.out).p[0]) expect(p).toBeCloseTo(1 / 3, 6);
  });
});
