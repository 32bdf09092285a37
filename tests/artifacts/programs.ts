// The two small programs whose artifacts are tested, and data for them.

import type { CompiledProgram } from '../../compiler/program.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { randomTensor } from '../models/arithmetic.ts';
import { compiled } from '../models/compile.ts';

export interface Artifact {
  readonly name: string;
  readonly program: CompiledProgram;
  /** Shape of one row of the data x. */
  readonly row: readonly number[];
}

const imports = ['activations', 'nn', 'cnn', 'losses', 'metrics', 'optim']
  .map((file) => `import "std/${file}"\n`)
  .join('');

const mlp = `${imports}
layer net = MLP(6, 16, 4)

export fn classify(x: [B, 6]) -> p: [B, 4] {
  p[b, k] = softmax[k] net(x)[b, k]
}

train fit(x: [B, 6], y: fin(4)[B]) {
  l = net(x)
  minimize mean(cross_entropy(l, y)) over net using Adam(1e-2)
  report accuracy = accuracy(l, y)
}
`;

const cnn = `${imports}
model Net() {
  layer c1 = Conv2d(1, 4, 3, padding = 1)
  layer norm = BatchNorm2d(4)
  layer c2 = Conv2d(4, 6, 3, stride = 2, padding = 1)
  layer out = Dense(24, 4)

  fn (x: [B, 1, 8, 8]) -> y: [B, 4] {
    a = max_pool(relu(norm(c1(x))), 2)
    y = out(flatten(relu(c2(a))))
  }
}
layer net = Net()

export fn classify(x: [B, 1, 8, 8]) -> p: [B, 4] {
  p[b, k] = softmax[k] net(x)[b, k]
}

train fit(x: [B, 1, 8, 8], y: fin(4)[B]) {
  l = net(x)
  minimize mean(cross_entropy(l, y)) over net using SGD(0.05, momentum = 0.9)
  report accuracy = accuracy(l, y)
}
`;

/** Compiled once. */
export const artifacts: readonly Artifact[] = [
  { name: 'mlp', program: compiled(mlp, 'mlp.dlg'), row: [6] },
  { name: 'cnn', program: compiled(cnn, 'cnn.dlg'), row: [1, 8, 8] },
];

/** A batch of `rows` rows; the labels follow from x, so that there is something to learn. */
export function batchOf({ row }: Artifact, rows: number, seed: number): { x: Tensor; y: Tensor } {
  const drawn = randomTensor(seed, [rows, ...row], 2);
  const x = tensor('f32', drawn.shape, drawn.data);
  const size = x.data.length / rows;
  const labels = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [x.data[i * size], x.data[i * size + 1]];
    return (a > 0 ? 1 : 0) + (b > 0 ? 2 : 0);
  });
  return { x, y: tensor('i32', [rows], labels) };
}
