// Steps of train blocks against each other: stale values, blocks of steps, settings that vary; updates at places.

import { describe, expect, test } from 'vitest';

import { diagnose } from './helpers.ts';

const block = (steps: string): string => `import "std/nn"
import "std/optim"
layer G = Dense(2, 4)
layer D = Dense(4, 1)
train t(x: [B, 4], z: [B, 2]) {
${steps}
}
`;

/** The codes and the lines of the reports on a block, whose steps begin on line 1. */
const reports = (steps: string): readonly string[] =>
  diagnose(block(steps)).map((d) => {
    const before = (d.span?.source.text ?? '').slice(0, d.span?.start ?? 0);
    return `${d.code} ${before.split('\n').length - 5}`;
  });

describe('a stale value', () => {
  const learnG = 'minimize mean(D(G(z))) over G using SGD(0.1)';
  const learnD = 'minimize mean(D(G(z))) over D using SGD(0.1)';

  test.each([
    [
      'of the model that learns next',
      `y = D(x)\n${learnD}\nminimize mean(y) over D using SGD(0.1)`,
      3,
    ],
    ['of another model', `f = G(z)\n${learnG}\nminimize mean(D(f)) over D using SGD(0.1)`, 3],
    [
      'through a second name',
      `f = G(z)\n${learnG}\ng = 2 * f\nminimize mean(D(g)) over D using SGD(0.1)`,
      4,
    ],
    [
      'in a loss that also reads it anew',
      `f = G(z)\n${learnG}\nminimize mean(D(f) + D(G(z))) over D using SGD(0.1)`,
      3,
    ],
    [
      'after a step inside `every`',
      `f = G(z)\nevery 2 {\n${learnG}\n}\nminimize mean(D(f)) over D using SGD(0.1)`,
      5,
    ],
    [
      'after a step inside `repeat`',
      `f = G(z)\nrepeat 2 {\n${learnG}\n}\nminimize mean(D(f)) over D using SGD(0.1)`,
      5,
    ],
    [
      'when a block runs again',
      `y = D(x)\nrepeat 2 {\nminimize mean(y) over D using SGD(0.1)\n}`,
      3,
    ],
    [
      'when a block runs again, by a later step',
      `f = G(z)\nrepeat 2 {\nminimize mean(D(f)) over D using SGD(0.1)\n${learnG}\n}`,
      3,
    ],
    [
      'inside one run of a block',
      `repeat 2 {\nf = G(z)\n${learnG}\nminimize mean(D(f)) over D using SGD(0.1)\n}`,
      4,
    ],
    [
      'through draws',
      `c: [B, 4] ~ normal(G(z), 1)\n${learnG}\nminimize mean(D(c)) over D using SGD(0.1)`,
      3,
    ],
  ])('%s', (_, steps, line) => {
    expect(reports(steps)).toEqual([`E0404 ${line}`]);
  });

  test.each([
    ['computed again', `f = G(z)\n${learnG}\ng = G(z)\nminimize mean(D(g)) over D using SGD(0.1)`],
    ['stopped', `f = G(z)\n${learnG}\nminimize mean(D(stop(f))) over D using SGD(0.1)`],
    [
      'stopped, beside a fresh one',
      `f = G(z)\n${learnG}\nminimize mean(D(stop(f)) + D(G(z))) over D using SGD(0.1)`,
    ],
    ['only reported', `f = G(z)\n${learnG}\nreport f = mean(f)`],
    [
      'of a model that does not change',
      `f = G(z)\n${learnD}\nminimize mean(D(f)) over D using SGD(0.1)`,
    ],
    ['made in each run', `repeat 3 {\ny = D(x)\nminimize mean(y) over D using SGD(0.1)\n}`],
    [
      'in a block that runs once',
      `y = D(x)\nrepeat 1 {\nminimize mean(y) over D using SGD(0.1)\n}`,
    ],
    [
      'in a block that runs now and then',
      `y = D(x)\nevery 3 {\nminimize mean(y) over D using SGD(0.1)\n}`,
    ],
  ])('is not what is %s', (_, steps) => {
    expect(reports(steps)).toEqual([]);
  });

  test('is told once, however often its block runs', () => {
    const [told, ...more] = diagnose(
      block(
        'y = D(x)\nrepeat 9 {\nminimize mean(y) over D using SGD(0.1)\nminimize mean(y) over D using SGD(0.2)\n}',
      ),
    );
    expect(more).toHaveLength(1);
    expect(told.message).toBe('`y` used `D`, which line 9 has changed when the block runs again');
    expect(told.help).toContain('inside the block');
  });
});

describe('blocks of steps', () => {
  const learn = 'minimize mean(D(x)) over D using SGD(0.1)';
  test.each([
    ['never', `every 0 {\n${learn}\n}`, 'E0112 1'],
    ['a number of the data', `repeat B {\n${learn}\n}`, 'E0115 1'],
    ['half a time', `repeat 0.5 {\n${learn}\n}`, 'E0121 1'],
    ['a state inside', `repeat 2 {\nstate s: int = 0\n${learn}\n}`, 'E0414 2'],
    ['a layer inside', `every 2 {\nlayer l = Dense(4, 4)\n${learn}\n}`, 'E0414 2'],
    ['a name of the inside', `repeat 2 {\ny = D(x)\n}\nreport m = mean(y)`, 'E0217 4'],
    ['two reports of one name', `report m = mean(x)\nevery 2 { report m = mean(z) }`, 'E0421 2'],
    ['a report called as a state', 'state m: int = 0\nreport m = m', 'E0421 2'],
    ['a report called as the data', 'report x = mean(x)', 'E0421 1'],
    ['a report called as the loss', `${learn}\nreport loss = 1`, 'E0421 2'],
    ['a norm that is no number', `${learn} clip x`, 'E0121 1'],
    ['clipping after the mean', `${learn} accumulate 2 clip 1`, 'E0004 1'],
    ['half a gradient', `${learn} accumulate 0`, 'E0112 1'],
    [
      'a loss that depends on nothing',
      `repeat 3 {\nminimize mean(x) over D using SGD(0.1)\n}`,
      'E0403 2',
    ],
    [
      'a setting that decides what is built',
      learn.replace('SGD(0.1)', 'SGD(0.1, momentum = 1 / step)'),
      'E0115 1',
    ],
    ['a layer of changing size', 'layer l = Dense(4, step)', 'E0121 1'],
  ])('%s', (_, steps, code) => {
    expect(reports(steps)).toEqual([code]);
  });

  test('the number of the step is a name of the block, which may be defined anew', () => {
    expect(reports(`report n = step\n${learn} clip 1 / step accumulate 2 * 2`)).toEqual([]);
    expect(reports('step = mean(x)\nreport n = step')).toEqual([]);
    expect(diagnose(`const k = 3\n${block(`every k {\n${learn} accumulate k\n}`)}`)).toEqual([]);
  });
});

describe('an update at places', () => {
  const put = (text: string): readonly string[] =>
    diagnose(`train t(k: fin(3)[B], n: int[1], x: [B, 4], q: [3]) {
state s: [3, 4] = 0
a = k[0]
m = n[0]
${text}
}
`).map(({ code, message }) => `${code} ${message}`);

  test.each([
    ['of one element', 's[a, 2] <- 1'],
    ['of a row', 's[a] <- x[0]'],
    ['for every row of a batch', 's[k[b], j] <- x[b, j]'],
    ['without indices is a new tensor', 's[i, j] <- s[i, j] + q[i]'],
    ['of an integer as a real', 's[a, 0] <- m'],
    ['of all columns', 's[a, :] <- x[0]'],
    ['with one value', 's[k[b], 0] <- 0'],
  ])('%s', (_, text) => {
    expect(put(text)).toEqual([]);
  });

  test.each([
    ['out of range', 's[a, 4] <- 1', 'E0303'],
    ['that no proof puts in range', 's[m, 0] <- 1', 'E0304'],
    ['of too many axes', 's[a, 0, 0] <- 1', 'E0308'],
    ['of a range', 's[a, :2] <- q', 'E0313'],
    ['of more than an element', 's[a, 0] <- x[0]', 'E0314'],
    ['of a row of another size', 's[a] <- q', 'E0406'],
    ['of a truth value', 's[a, 0] <- true', 'E0406'],
    ['with a name that nothing defines', 's[a, other] <- 1', 'E0201'],
    ['with an index of two ranges', 's[k[b], b] <- x[b, 0]', 'E0302'],
    ['of what is no state', 'a[m] <- 1', 'E0405'],
  ])('%s', (_, text, code) => {
    const found = put(text);
    expect(found).toHaveLength(1);
    expect(found[0].slice(0, 5)).toBe(code);
  });
});

describe('a loss through a draw', () => {
  const drawn = (
    p: string,
  ): string => `model Policy(n: dim) { param W: [n] = 0 fn (x: [B]) -> [n] = softmax(W + x[0]) }
layer net = Policy(3)
fn pick(p: [n]) -> k: fin(n) { k ~ categorical(p) }
train t(x: [4]) {
  k = pick(${p})
  maximize k * log(net(x)[0]) over net using SGD(0.1)
}
`;
  const codes = (text: string): readonly string[] =>
    diagnose(`import "std/optim"\n${text}`).map(({ code }) => code);

  test('is told, unless `stop` says that it is meant so', () => {
    expect(codes(drawn('net(x)'))).toEqual(['E0411']);
    expect(codes(drawn('stop(net(x))'))).toEqual([]);
  });
});

test('a number fills a state of a fin, where it is proved to be in range', () => {
  const state = (type: string, value: string): readonly string[] =>
    diagnose(`train t(x: [4]) {\n  state s: ${type} = ${value}\n  s <- s\n}\n`).map((d) => d.code);
  expect(state('fin(5)[3]', '4')).toEqual([]);
  expect(state('fin(5)[3]', '5')).toEqual(['E0135']);
});
