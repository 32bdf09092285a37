// Programs of any length for measurements: realistic models in the style of the library, no two alike.

const activations = ['relu', 'gelu', 'silu', 'tanh', 'sigmoid'];

/** Each kind gives a model and the calls that make an instance of it; `i` makes names and sizes differ. */
const kinds: readonly ((i: number) => string)[] = [
  (i) => `## Residual block ${i}: two affine maps and a skip connection.
model Residual${i}(n: dim, h: dim) {
  layer norm = LayerNorm(n)
  layer up = Dense(n, h)
  layer down = Dense(h, n)

  fn (x: [..B, n]) -> y: [..B, n] {
    a = ${activations[i % 5]}(up(norm(x)))
    b = down(a)
    y = x + b
  }
}
`,
  (i) => `## Gated unit ${i}: one map gates another.
model Gated${i}(n: dim, m: dim) where m % 2 == 0 {
  param W: [m, n] ~ normal(0, sqrt(${1 + (i % 3)} / n))
  param V: [m, n] ~ normal(0, sqrt(1 / n))
  param b: [m] = 0

  fn (x: [..B, n]) -> y: [..B, m] {
    u[.., o] = sum[i] W[o, i] * x[.., i] + b[o]
    v[.., o] = sum[i] V[o, i] * x[.., i]
    y[.., o] = sigmoid(u[.., o]) * v[.., o]
  }
}
`,
  (i) => `## Attention with one head, number ${i}.
model Attention${i}(d: dim, k: dim) {
  layer q = Dense(d, k)
  layer w = Dense(d, k)
  layer v = Dense(d, d)

  fn (x: [B, T, d]) -> y: [B, T, d] {
    a = q(x)
    c = w(x)
    e = v(x)
    p[b, t, s] = softmax[s] (sum[i] a[b, t, i] * c[b, s, i] / sqrt(k))
    y[b, t, j] = x[b, t, j] + sum[s] p[b, t, s] * e[b, s, j]
  }
}
`,
  (i) => `## Convolutional block ${i}: halves the image.
model Down${i}(c: dim, m: dim) {
  layer conv = Conv2d(c, m, 3, padding = 1)

  fn (x: [B, c, H, W]) -> y: [B, m, H // 2, W // 2] where H >= 2, W >= 2 {
    a = ${activations[i % 5]}(conv(x))
    y = max_pool(a, 2)
  }
}
`,
  (i) => `## Softly clipped error ${i}.
fn clipped${i}(x: [B, n], y: [B, n], delta: real = ${1 + i / 10}) -> L: [B] {
  e = x - y
  L[b] = sum[i] (sqrt(1 + (e[b, i] / delta)^2) - 1) * delta^2
}
`,
];

const imports = ['nn', 'cnn', 'activations', 'losses', 'optim']
  .map((name) => `import "std/${name}"\n`)
  .join('');

/** A file of `lines` lines or a few more. */
export function library(lines: number): string {
  let text = imports;
  for (let i = 0; text.split('\n').length < lines; i++) text += `\n${kinds[i % kinds.length](i)}`;
  return text;
}

/** A network of `depth` residual blocks, with its inference and its training step. */
export function deep(depth: number): string {
  const blocks = Array.from({ length: depth }, (_, i) => i);
  return `${imports}
model Block(n: dim) {
  layer norm = LayerNorm(n)
  layer up = Dense(n, 2 * n)
  layer down = Dense(2 * n, n)

  fn (x: [B, n]) -> y: [B, n] = x + down(gelu(up(norm(x))))
}

model Net(n: dim) {
${blocks.map((i) => `  layer b${i} = Block(n)\n`).join('')}
  fn (x: [B, n]) -> y: [B, n] {
    z0 = x
${blocks.map((i) => `    z${i + 1} = b${i}(z${i})\n`).join('')}    y = z${depth}
  }
}

layer net = Net(16)

export fn predict(x: [B, 16]) -> y: [B, 16] = net(x)

train step(x: [B, 16], y: [B, 16]) {
  minimize mean((net(x) - y)^2) over net using Adam(1e-3)
}
`;
}
