// Everything about a run of `dlg train` that can be wrong before it runs, checked: the block, its data, what stays frozen, the weights
// to start from, where the files go.

import { join } from 'node:path';

import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { CompiledProgram, CompiledTrain } from '../../compiler/program.ts';
import { loadDataset, withoutData, type Dataset } from '../../runtime/data/dataset.ts';
import { fingerprint } from '../../runtime/data/fingerprint.ts';
import { readBytes } from '../../runtime/files.ts';
import { isProblem, plural, problem, type Problem } from '../../runtime/problem.ts';
import type { Validation, Watch } from '../../runtime/validation.ts';
import { listed, startingWeights } from '../../runtime/weights.ts';
import { chooseBlock } from '../compile.ts';
import { renamingsOf } from '../maps.ts';
import { note } from '../output.ts';
import { weightPorts } from '../weights.ts';
import { checkFrozen } from './frozen.ts';
import type { TrainOptions } from './options.ts';

/** Where a run's files lie. */
export interface Paths {
  readonly folder: string;
  readonly checkpoint: string;
  /** The weights of the best epoch, where there are validation data. */
  readonly best: string;
  readonly metrics: string;
  readonly plot: string;
}

export interface Job {
  readonly program: CompiledProgram;
  readonly block: CompiledTrain;
  readonly dataset: Dataset;
  readonly test: Dataset | null;
  readonly validation: Validation | null;
  /** Weights to begin with, by path. */
  readonly initial: ReadonlyMap<string, Tensor>;
  readonly paths: Paths;
}

export function prepare(program: CompiledProgram, options: TrainOptions): Job | Problem {
  const block = chooseBlock(program.trains, options.block);
  if (isProblem(block)) return block;
  const frozen = checkFrozen(block, options);
  if (frozen !== null) return frozen;
  const dataset = trainingData(block, options);
  if (isProblem(dataset)) return dataset;
  const test = options.test === undefined ? null : loadDataset(block.data, options.test);
  if (isProblem(test)) return test;
  const validation = validationOf(block, options);
  if (isProblem(validation)) return validation;
  const initial = initialWeights(block, options);
  if (isProblem(initial)) return initial;
  const paths = pathsOf(program, block, options);
  return { program, block, dataset, test, validation, initial, paths };
}

function trainingData(block: CompiledTrain, options: TrainOptions): Dataset | Problem {
  const dataset =
    block.data.length === 0 && options.data === undefined
      ? withoutData(options.epochSteps ?? 100)
      : loadDataset(block.data, options.data ?? new Map());
  if (isProblem(dataset)) return dataset;
  const { fixedBatch, columns } = dataset;
  if (columns.length > 0 && options.epochSteps !== undefined)
    return problem(
      'E0506',
      null,
      '--epoch-steps is for blocks that take no data; this one takes rows',
    );
  if (columns.length === 0 && options.batch !== undefined)
    return problem('E0506', null, '--batch is for blocks that take data; this one takes none');
  if (fixedBatch !== null && options.batch !== undefined && options.batch !== fixedBatch)
    return problem(
      'E0503',
      null,
      `the program takes ${plural(fixedBatch, 'row')} at a time, not ${options.batch}`,
    );
  return dataset;
}

function validationOf(block: CompiledTrain, options: TrainOptions): Validation | Problem | null {
  const { validate, watch: asked, patience = null } = options;
  if (validate === undefined) {
    const idle = patience === null ? '--watch' : '--patience';
    return patience === null && asked === undefined
      ? null
      : problem('E0505', null, `${idle} looks at validation data`, '`--validate x=FILE` gives it');
  }
  const watch = watchOf(block, asked);
  if (isProblem(watch)) return watch;
  const dataset = loadDataset(block.data, validate);
  if (isProblem(dataset)) return dataset;
  return { dataset, data: fingerprint(dataset), watch, patience };
}

/** `loss2`, `max:accuracy`; by default the first loss. */
function watchOf({ losses, evaluate }: CompiledTrain, asked: string | undefined): Watch | Problem {
  const [first] = losses;
  if (asked === undefined)
    return (
      first ??
      problem('E0505', null, 'the block has no loss to watch', '`--watch max:NAME` names a report')
    );
  const [, direction, name] = /^(?:(min|max):)?(.*)$/.exec(asked) ?? [];
  const loss = losses.find((other) => other.name === name);
  if (direction !== undefined || loss !== undefined) {
    const names = evaluate.outputs.map((port) => port.name);
    const sense = direction === 'max' ? 'maximize' : 'minimize';
    if (names.includes(name)) return direction === undefined && loss ? loss : { name, sense };
    return problem('E0517', null, `the block shows no ${name}`, `it shows ${names.join(', ')}`);
  }
  return problem(
    'E0517',
    null,
    `${name} is no loss of the block`,
    `of a report say which way is better: \`--watch max:${name}\` or \`--watch min:${name}\``,
  );
}

function initialWeights(
  block: CompiledTrain,
  { weights: path, map }: TrainOptions,
): ReadonlyMap<string, Tensor> | Problem {
  const rules = renamingsOf(map);
  if (isProblem(rules)) return rules;
  if (path === undefined)
    return rules.length === 0
      ? new Map()
      : problem('E0505', null, '--map renames what --weights reads', '`--weights FILE` gives it');
  const ports = weightPorts(block.step);
  const weights = startingWeights(path, ports, rules);
  if (isProblem(weights)) return weights;
  const { tensors, missing, unused } = weights;
  note(`${path}: ${tensors.size} of ${plural(ports.length, 'tensor')} taken`);
  if (missing.length > 0) note(`  begin afresh: ${listed(missing)}`);
  if (unused.length > 0) note(`  not used: ${listed(unused)}`);
  return tensors;
}

/** Tells of what other blocks of the program have learnt, where nothing of it is taken. */
export function noteSiblings({ program, block, paths }: Job): void {
  for (const { name } of program.trains) {
    const path = join(paths.folder, `${program.name}.${name}.safetensors`);
    if (name !== block.name && !isProblem(readBytes(path)))
      note(`${path} holds what \`${name}\` learnt; \`--weights ${path}\` would start from it`);
  }
}

function pathsOf(program: CompiledProgram, block: CompiledTrain, options: TrainOptions): Paths {
  const folder = options.out ?? join('out', program.name);
  const several = program.trains.length > 1;
  const name = several ? `${program.name}.${block.name}` : program.name;
  const infix = several ? `${block.name}.` : '';
  return {
    folder,
    checkpoint: join(folder, `${name}.safetensors`),
    best: join(folder, `${name}.best.safetensors`),
    metrics: join(folder, `${infix}metrics.csv`),
    plot: join(folder, `${infix}loss.svg`),
  };
}
