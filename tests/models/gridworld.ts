// The gridworld of examples/gridworld, and its best policy and values by plain loops in float64: what the programs are held to.

import { readFileSync } from 'node:fs';

import type { CompiledProgram } from '../../compiler/program.ts';
import { compiled } from './compile.ts';

const folder = new URL('../../examples/gridworld/', import.meta.url);

/** The program of the example, on a grid with this much wind. */
export function gridworld(slip: number, more = ''): CompiledProgram {
  const text = readFileSync(new URL('gridworld.dlg', folder), 'utf8');
  const still = text.replace('Grid(4, 0.1)', `Grid(4, ${slip})`);
  return compiled(still + more, new URL('gridworld.dlg', folder).pathname);
}

export const [size, states, actions, gamma] = [4, 16, 4, 0.95];

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function move(s: number, a: number): number {
  const clamp = (x: number): number => Math.min(Math.max(x, 0), size - 1);
  const i = clamp(Math.floor(s / size) + [-1, 0, 1, 0][a]);
  return i * size + clamp((s % size) + [0, 1, 0, -1][a]);
}

export const reward = (s: number): number => (s === states - 1 ? 0 : -1);

/** The probability that action a leads from s to r. */
export const probability = (slip: number, s: number, a: number, r: number): number =>
  (move(s, a) === r ? 1 - slip : 0) +
  (slip / actions) * range(actions).filter((k) => move(s, k) === r).length;

const tables = new Map<number, number[][][]>();

/** All transition probabilities of a grid, computed once. */
function table(slip: number): number[][][] {
  const known = tables.get(slip);
  if (known !== undefined) return known;
  const row = (s: number, a: number): number[] =>
    range(states).map((r) => probability(slip, s, a, r));
  const made = range(states).map((s) => range(actions).map((a) => row(s, a)));
  tables.set(slip, made);
  return made;
}

/** The mean of V over where action a leads from s. */
export const expected = (slip: number, V: readonly number[], s: number, a: number): number =>
  table(slip)[s][a].reduce((sum, p, r) => sum + p * V[r], 0);

export const actionValues = (slip: number, V: readonly number[]): number[][] =>
  range(states).map((s) => range(actions).map((a) => reward(s) + gamma * expected(slip, V, s, a)));

/** 0.95^700 is below what float64 resolves of values up to 20. */
const iterate = (next: (V: readonly number[]) => number[]): number[] =>
  range(700).reduce<number[]>((V) => next(V), Array(states).fill(0));

export const bestValues = (slip: number): number[] =>
  iterate((V) => actionValues(slip, V).map((row) => Math.max(...row)));

/** What a policy is worth, by the probability of each action. */
export const valuesOf = (slip: number, p: readonly (readonly number[])[]): number[] =>
  iterate((V) =>
    actionValues(slip, V).map((row, s) => row.reduce((sum, q, a) => sum + p[s][a] * q, 0)),
  );

/** The policy that surely takes the action listed for each state. */
export const always = (chosen: ArrayLike<number>): number[][] =>
  Array.from(chosen, (a) => range(actions).map((k) => (k === a ? 1 : 0)));
