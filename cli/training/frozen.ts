// `--freeze` and `--only`: which parameters stay as they are.

import type { CompiledTrain } from '../../compiler/program.ts';
import { problem, type Problem } from '../../runtime/problem.ts';
import { listed } from '../../runtime/weights.ts';
import { note } from '../output.ts';
import type { TrainOptions } from './options.ts';

type Asked = Pick<TrainOptions, 'freeze' | 'only'>;

const isWithin = (path: string, part: string): boolean =>
  path === part || path.startsWith(`${part}.`);

/** Whether the parameter at a path is frozen. */
export const frozenBy =
  ({ freeze = [], only = [] }: Asked) =>
  (path: string): boolean =>
    freeze.some((part) => isWithin(path, part)) ||
    (only.length > 0 && !only.some((part) => isWithin(path, part)));

/** A problem where a path names nothing, or where nothing is left to learn. */
export function checkFrozen({ step }: CompiledTrain, asked: Asked): Problem | null {
  const parts = [...(asked.freeze ?? []), ...(asked.only ?? [])];
  if (parts.length === 0) return null;
  const parameters = step.inputs.filter(({ role }) => role === 'parameter');
  const unknown = parts.find((part) => !parameters.some(({ name }) => isWithin(name, part)));
  const names = parameters.map(({ name }) => name);
  if (unknown !== undefined)
    return problem(
      'E0517',
      null,
      `no parameter lies under ${unknown}`,
      `there are ${listed(names)}`,
    );
  const next = new Map(step.outputs.map(({ name, value }) => [name, value]));
  const learning = parameters.filter(({ name, value }) => next.get(`${name}.next`) !== value);
  if (learning.length === 0)
    return problem('E0517', null, 'nothing is left to learn', 'name fewer layers');
  note(`learning: ${listed(learning.map(({ name }) => name))}`);
  return null;
}
