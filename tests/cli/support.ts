// Runs the command line as users do: the bundle, in a process of its own, in a folder of its own.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
// Beside stdlib/, as dist/ is; each test file has its own, so that files may run at the same time.
const folder = `.dist-test-${process.pid}`;

/** Call once in a test file: bundles the command before its tests. */
export function bundled(): void {
  beforeAll(() => {
    const { status, stderr } = spawnSync(process.execPath, ['cli/bundle.mjs', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cannot bundle the command line:\n${stderr}`);
  });
  afterAll(() => rmSync(join(root, folder), { recursive: true, force: true }));
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const dlgArgs = (args: readonly string[]): string[] => [join(root, folder, 'dlg.js'), ...args];
const env = { ...process.env, NO_COLOR: '1', DLG_DEBUG: '' };

/** Runs `dlg ARGS` in `cwd` to its end. */
export const dlg = (cwd: string, ...args: readonly string[]): Outcome => dlgWith({}, cwd, ...args);

/** The same with further environment variables. */
export function dlgWith(
  further: Readonly<Record<string, string>>,
  cwd: string,
  ...args: readonly string[]
): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, dlgArgs(args), {
    cwd,
    env: { ...env, ...further },
    encoding: 'utf8',
    // A command that hangs should fail its test, with what it said so far.
    timeout: 100_000,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Starts `dlg ARGS` in `cwd`, to be killed. */
export const startDlg = (cwd: string, ...args: readonly string[]): ChildProcess =>
  spawn(process.execPath, dlgArgs(args), { cwd, env, stdio: 'ignore' });

/** A folder with these files, for one test. */
export function workspace(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'dlg-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

/** Three classes of points in the plane, which a linear model tells apart. */
export const points = {
  'points.dlg': `model Affine(n: dim, m: dim) {
  param W: [m, n] ~ normal(0, 0.1)
  param b: [m] = 0

  fn (x: [..B, n]) -> y: [..B, m] {
    y[.., o] = sum[i] W[o, i] * x[.., i] + b[o]
  }
}

layer net = Affine(2, 3)

export fn scores(x: [B, 2]) -> p: [B, 3] {
  p[b, k] = softmax[k] net(x)[b, k]
}

optimizer Momentum(lr: real) {
  state m = 0

  fn (w: [..S], g: [..S], step: int) -> [..S] {
    m <- 0.9 * m + g
    return w - lr * m
  }
}

train fit(x: [B, 2], y: fin(3)[B]) {
  l = net(x)
  logp[b, k] = logsoftmax[k] l[b, k]
  minimize -(mean[b] logp[b, y[b]]) over net using Momentum(0.1)
}
`,
  'points.csv': `a,b,class\n${Array.from({ length: 90 }, (_, i) => {
    const angle = ((i % 3) * 2 * Math.PI) / 3 + 0.5 * Math.sin(i * 1.7);
    const radius = 1 + 0.4 * Math.cos(i * 2.3);
    return `${(radius * Math.cos(angle)).toFixed(4)},${(radius * Math.sin(angle)).toFixed(4)},${i % 3}`;
  }).join('\n')}\n`,
};

/** The options that train it. */
export const pointsData = ['--data', 'x=points.csv:a-b', '--data', 'y=points.csv:class'];

/** A program with every form of train block, and draws, on the same points. */
export const forms = `import "std/nn"
import "std/optim"

layer enc = Dense(2, 4)
layer net = Dense(4, 3)
layer norm = BatchNorm(4)

train fit(x: [B, 2], y: fin(3)[B]) {
  state seen: int[3] = 0
  state last: [2, 3] = 0
  seen[y[b]] <- seen[y[b]] + 1
  last[(step - 1) % 2, k] <- mean[b] net(norm(enc(x)))[b, k]
  repeat 9 {
    e: [B, 2] ~ normal(0, 0.1)
    l = net(norm(relu(enc(x + e))))
    logp[b, k] = logsoftmax[k] l[b, k]
    minimize -(mean[b] logp[b, y[b]]) over net, norm using Adam(warm_up(0.02, step, 10)) clip 1
  }
  every 3 {
    minimize mean(enc(x)^2) over enc using SGD(0.1, momentum = 0.9)
  }
  h = net(norm(enc(x)))
  q[b, k] = logsoftmax[k] h[b, k]
  minimize -(mean[b] q[b, y[b]]) over enc using RMSProp(1e-3) accumulate 4
  report total = sum[k] seen[k]
}
`;
