// Contenders take turns over several rounds, each in a process of its own, so that a noisy moment hits all.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Contender {
  readonly name: string;
  /** The command; the task's folder is added at `FOLDER`. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Result {
  readonly contender: string;
  /** Milliseconds. */
  readonly times: readonly number[];
  /** Of the first steps, where it trains. */
  readonly losses?: readonly number[];
  /** The largest difference from what is expected, over the largest number expected, where it does not. */
  readonly error?: number;
}

export interface Standing {
  readonly name: string;
  /** Of each round; none where it failed. */
  readonly results: readonly Result[];
  readonly failure: string | null;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1];

export const medianOf = ({ results }: Standing): number =>
  median(results.flatMap(({ times }) => times));

export async function race(
  contenders: readonly Contender[],
  folder: string,
  rounds: number,
): Promise<Standing[]> {
  const standings = contenders.map(({ name }) => ({
    name,
    results: [] as Result[],
    failure: null as string | null,
  }));
  for (let round = 0; round < rounds; round++)
    for (const [i, contender] of contenders.entries()) {
      const standing = standings[i];
      // One round tells enough of a contender that takes seconds.
      if (standing.failure !== null || (round > 0 && medianOf(standing) > 1000)) continue;
      const outcome = await once(contender, folder);
      if (typeof outcome === 'string') standing.failure = outcome;
      else standing.results.push(outcome);
    }
  return standings;
}

/** A result, or in a line why there is none. */
async function once({ command, env }: Contender, folder: string): Promise<Result | string> {
  const [program, ...options] = command.map((part) => (part === 'FOLDER' ? folder : part));
  try {
    const { stdout } = await run(program, options, {
      maxBuffer: 1 << 26,
      env: { ...process.env, ...env },
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result;
  } catch (error) {
    if (process.env['BENCH_DEBUG'] === '1') console.error(error);
    const text = String((error as { stderr?: string }).stderr || error);
    return text.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? text.slice(-200);
  }
}
