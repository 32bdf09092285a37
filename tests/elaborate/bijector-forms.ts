// The forms that bijectors are written in, one program each: x and y are [..B, 4].

export const bijector = (
  members: string,
  body: string,
): string => `bijector F(d: dim) where d == 4 {
    ${members}
    fn (x: [..B, d]) -> y: [..B, d] {
      ${body}
    }
  }`;

export const net = 'layer net = MLP(2, 3, 4)';
export const weights = 'param s: [d] ~ normal(0, 1)\n param A: [d, d] ~ normal(0, 1)';

/** A form by its name: members and body of a bijector of [..B, 4]. */
export const forms: Readonly<Record<string, readonly [string, string]>> = {
  'affine coupling': [
    net,
    'a, b = halves(x)\n s, m = halves(net(a))\n y = concat(b * exp(tanh(s)) + m, a)',
  ],
  'additive coupling': ['layer net = MLP(2, 3, 2)', 'a, b = halves(x)\n y = concat(a, b - net(a))'],
  'division by a sigmoid': [
    net,
    'a, b = halves(x)\n s, m = halves(net(b))\n y = concat(m - a / sigmoid(s), b)',
  ],
  'softplus and a constant': [
    net,
    'a, b = halves(x)\n s, m = halves(net(a))\n y = concat(a, m + (softplus(s) + 0.1) * b)',
  ],
  'products of scales': [
    net,
    'a, b = halves(x)\n s, m = halves(net(a))\n e = exp(s) / 2\n y = concat(a, -e * b * (2 + tanh(m)))',
  ],
  'a chain of three parts': [
    'layer net = MLP(1, 3, 1)',
    'a = x[.., :1]\n b = x[.., 1:2]\n c = x[.., 2:]\n u = b * exp(net(a))\n y = concat(a, u, c * exp(concat(sin(u), a)))',
  ],
  'slices without names': [
    'layer net = MLP(1, 3, 1)',
    'y = concat(x[.., 1:] + concat(net(x[.., :1]), net(x[.., :1]), net(x[.., :1])), x[.., :1])',
  ],
  'scale and shift of each element': [weights, 'y[.., i] = exp(s[i]) * x[.., i] + A[i, 0]'],
  'scale and shift of whole tensors': [weights, 'y = (x + s) * exp(s) - 1'],
  'a number': ['', 'y = -3 * x / 7'],
  reverse: ['', 'y = reverse(x)'],
  backwards: ['', 'y[.., i] = x[.., d - 1 - i]'],
  rotation: ['', 'y = concat(x[.., 3:], x[.., :3])'],
  'rotation by index notation': [
    '',
    'c = x[.., :3]\n a[.., i < 3] = c[.., i]\n b[.., i < 1] = x[.., i + 3]\n y = concat(b, a)',
  ],
  'a transposed group': ['', 'y[.., (i < 2, j < 2)] = x[.., (j, i)]'],
  'a group read by its radix': ['', 'y[.., (i < 2, j < 2)] = x[.., 2 * j + i]'],
  'lower triangle': [weights, 'y[.., o] = exp(s[o]) * x[.., o] + sum[i < o] A[o, i] * x[.., i]'],
  'upper triangle': [
    weights,
    'y[.., o] = sum[i > o] A[i, o] * x[.., i] - x[.., o] * exp(s[o]) + 2',
  ],
  'inclusive prefix': [
    weights,
    'W[o, i] = exp(A[o, i])\n y[.., o] = sum[i <= o] W[o, i] * x[.., i]',
  ],
  'a matrix with an if': [
    weights,
    'L[o, i] = if i < o then A[o, i] else if i == o then exp(s[o]) else 0\n y[.., o] = sum[i] L[o, i] * x[.., i]',
  ],
  'a matrix with indicators': [
    weights,
    'y[.., o] = sum[i] (ind(i > o) * A[o, i] + ind(o == i) * exp(s[i])) * x[.., i]',
  ],
  'a triangle that depends on data': [
    'layer net = MLP(2, 3, 2)',
    'a, b = halves(x)\n w = net(a)\n z[.., o] = b[.., o] + sum[i < o] w[.., i] * b[.., i]\n y = concat(a, z)',
  ],
  tanh: ['', 'y = tanh(x)'],
  sigmoid: ['', 'y = sigmoid(x / 2)'],
  'exp and back': ['', 'y = log(1 + exp(x))'],
  'expm1 and log1p': ['', 'y = log1p(exp(x) + 1) + 0.5'],
  'leaky relu': ['', 'y = if x > 0 then x else 0.2 * x'],
  'leaky relu of each element': [
    weights,
    'y[.., i] = if 0 > x[.., i] then x[.., i] / 3 else exp(s[i]) * x[.., i]',
  ],
  'index notation of the batch': [weights, 'y[.., i] = tanh(x[.., i] * exp(s[i]))'],
  'a derivative as the scale': [
    '',
    'a, b = halves(x)\n p = sum(sin(a) * a)\n y = concat(a, b * exp(grad(p, a)))',
  ],
  'a loop over numbers': [
    'param w: [3, d] ~ normal(0, 1)',
    'for t < 3 down with u = x { k = exp(w[t])\n u <- u * k\n u <- reverse(u) + w[t] }\n y = u',
  ],
  'a loop that another part enters': [
    'layer nets[3] = MLP(2, 3, 4)',
    'a, b = halves(x)\n for f in nets with u = b { s, m = halves(f(a))\n u <- u * exp(s) + m }\n y = concat(u[.., 1:], a, u[.., :1])',
  ],
  'a branch known when built': [
    'layer net = MLP(2, 3, 2)',
    'a, b = halves(x)\n if d == 4 { m = net(a) } else { m = a }\n y = concat(a, b + m)',
  ],
};
