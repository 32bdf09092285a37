// Whatever a text says, the compiler answers with a program or with diagnostics that point into it: it does not throw, hang,
// or show its own insides. `DLG_SEED` and `DLG_MUTATIONS` choose other mutations.

import { beforeAll, describe, expect, test } from 'vitest';

import { mutate, randomFrom } from './mutate.ts';
import { judge, programs, type Verdict } from './programs.ts';

const seed = Number(process.env.DLG_SEED ?? 1);
const count = Number(process.env.DLG_MUTATIONS ?? 20_000);

/** How much longer than the longest program of the repository one text may take, in CPU time on the same machine. */
const mostTimes = 5;

const paths = [...programs.keys()];
const texts = [...programs.values()];

/** The imports of a program and up to three of its other declarations, in order: most mistakes are near others. */
function part(text: string, random: (n: number) => number): string {
  const [head, ...rest] = text.split(
    /\n\n(?=##|fn|export|model|optimizer|schedule|mdp|layer|train)/,
  );
  const at = random(rest.length);
  return [head, ...rest.slice(at, at + 1 + random(3))].join('\n\n');
}

describe('mutated programs', () => {
  const verdicts = new Map<string, Verdict>();
  let mostMilliseconds = 0;

  beforeAll(() => {
    for (const [path, text] of programs) verdicts.set(path, judge({ path, text }));
    mostMilliseconds = mostTimes * Math.max(...[...verdicts.values()].map((v) => v.milliseconds));
  });

  test('the programs themselves are fine', () => {
    for (const [path, { failures, outcome }] of verdicts)
      expect({ path, failures, outcome }).toEqual({ path, failures: [], outcome: 'compiled' });
  });

  test(`${count} mutations with seed ${seed}`, () => {
    const random = randomFrom(seed);
    const failures: string[] = [];
    const outcomes = { errors: 0, checked: 0, compiled: 0 };
    for (let i = 0; i < count; i++) {
      const at = random(paths.length);
      const whole = random(4) === 0;
      const { text, applied } = mutate(whole ? texts[at] : part(texts[at], random), texts, random);
      const source = { path: paths[at], text };
      let verdict = judge(source);
      // Collecting garbage of others, or compiling, may fall into one text's time: a slow text is slow again.
      if (verdict.milliseconds > mostMilliseconds) verdict = judge(source);
      const { milliseconds } = verdict;
      const slow = milliseconds > mostMilliseconds ? [`took ${milliseconds} ms`] : [];
      for (const failure of [...verdict.failures, ...slow])
        failures.push(`#${i} ${paths[at]} (${applied.join(', ')}): ${failure}\n${text}`);
      outcomes[verdict.outcome]++;
      if (failures.length >= 5) break;
    }
    expect(failures).toEqual([]);
    // Mutations that all break, or none, would test little.
    expect(outcomes.compiled).toBeGreaterThan(count / 50);
    expect(outcomes.errors).toBeGreaterThan(count / 2);
  }, 600_000);
});
