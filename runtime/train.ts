// The training loop: draws the first parameters, takes batches in a seeded order, feeds what a step returns back to it, measures on
// test data after each epoch, and hands out checkpoints. It knows programs only through runtime/program.ts and touches no files.

import { tensor, type Tensor } from '../compiler/ir/tensor.ts';
import type { Checkpoint, Position } from './checkpoint.ts';
import { takeBatch, type Dataset } from './data/dataset.ts';
import { shuffled } from './data/order.ts';
import { addMeasures, meansOf, measure, measuresOf, noSums, type Measures } from './measures.ts';
import { createRest, saveSchedule, type SaveEvery, type SaveSchedule } from './pace.ts';
import { isProblem, problem, type Problem } from './problem.ts';
import { carriedAs, unsolved, type Carried, type PortInfo, type Program } from './program.ts';
import { takeStep, takeSteps, type SeveralSteps, type Taken } from './steps.ts';
import { bestOf, isExhausted, type Best, type Validation } from './validation.ts';

/** The programs of a `train` block (compiler/program.ts). */
export interface TrainPrograms {
  readonly init: Program;
  readonly step: Program;
  /** Several steps in one run, used where they fit. */
  readonly steps?: SeveralSteps;
  readonly evaluate: Program;
}

export interface TrainSettings {
  readonly block: string;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  /** A hash of the data, kept in checkpoints (runtime/data/fingerprint.ts). */
  readonly data: string;
  readonly saveEvery: SaveEvery;
}

export interface StepEvent {
  /** Equations that the step did not solve. */
  readonly unsolved: readonly string[];
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch, and in all of it. */
  readonly done: number;
  readonly steps: number;
  /** Of this step's batch. */
  readonly measures: Measures;
}

/** A point of the curve: the mean over the last steps, or over other data after an epoch. */
export interface Point {
  readonly step: number;
  /** Epochs done, with their part: 1.5 is the middle of the second. */
  readonly epoch: number;
  readonly split: 'train' | 'validation' | 'test';
  readonly measures: Measures;
}

/** An epoch that ended, with the means over each kind of data. */
export interface EpochEvent {
  /** From 1. */
  readonly epoch: number;
  readonly train: Measures;
  readonly validation: Measures | null;
  readonly test: Measures | null;
  readonly isBest: boolean;
}

/** What the loop tells its caller. `save` may refuse, which ends the run. */
export interface TrainEvents {
  readonly onStep?: (event: StepEvent) => void;
  readonly onPoint?: (point: Point) => void;
  readonly onEpoch?: (event: EpochEvent) => void;
  /** The weights after the best epoch so far, to be kept until the next. Comes before the checkpoint that speaks of it. */
  readonly onBest?: (tensors: ReadonlyMap<string, Tensor>, best: Best) => void;
  readonly save: (checkpoint: Checkpoint) => Problem | null;
  /** Asked between steps: true saves a checkpoint and ends the run. */
  readonly shouldStop?: () => boolean;
}

export interface TrainResult {
  readonly kind: 'trained' | 'stopped';
  readonly last: Checkpoint;
  /** Measured after the last epoch. */
  readonly test: Measures | null;
}

/** What a run is made of. */
export interface TrainInputs {
  readonly programs: TrainPrograms;
  readonly dataset: Dataset;
  readonly test?: Dataset | null;
  readonly validation?: Validation | null;
  readonly settings: TrainSettings;
  /** Where to go on from; null: from the beginning. */
  readonly start?: Checkpoint | null;
  /** First values to take in place of those drawn, by path. */
  readonly initial?: ReadonlyMap<string, Tensor>;
}

const fedBack = new Set(['parameter', 'optimizer', 'state', 'counter']);
const pointsPerEpoch = 50;

/** The inputs of a step that its outputs `NAME.next` replace. */
export const carriedPorts = (step: Program): readonly PortInfo[] =>
  step.inputs.filter(({ role }) => fedBack.has(role));

interface Run {
  readonly programs: TrainPrograms;
  readonly dataset: Dataset;
  readonly test: Dataset | null;
  readonly validation: Validation | null;
  readonly settings: TrainSettings;
  readonly events: TrainEvents;
  readonly stepsPerEpoch: number;
  readonly seed: Tensor;
  readonly due: SaveSchedule;
}

/** Where the loop stands; replaced, never changed. */
interface State {
  readonly carried: Carried;
  readonly position: Position;
}

/** Trains from `start`, or from freshly drawn parameters, some of which `initial` replaces. */
export async function train(
  {
    programs,
    dataset,
    test = null,
    validation = null,
    settings,
    start = null,
    initial,
  }: TrainInputs,
  events: TrainEvents,
): Promise<TrainResult | Problem> {
  const batches = dataset.rows / settings.batch;
  const run: Run = {
    programs,
    dataset,
    test,
    validation,
    settings,
    events,
    stepsPerEpoch: dataset.fixedBatch === null ? Math.ceil(batches) : Math.floor(batches),
    seed: tensor('u32', [], [settings.seed]),
    due: saveSchedule(settings.saveEvery),
  };
  let state: State =
    start === null
      ? await freshState(run, initial ?? new Map())
      : { carried: carriedAs(start.tensors), position: start.position };
  const isOver = (): boolean =>
    state.position.epoch >= settings.epochs || isExhausted(validation, state.position);
  let measures: Measures | null = isOver() ? await measureOn(run, test, state) : null;
  while (!isOver()) {
    const next = await epoch(run, state);
    if (isProblem(next)) return next;
    if ('stopped' in next) return { kind: 'stopped', last: next.stopped, test: null };
    ({ state, measures } = next);
  }
  return { kind: 'trained', last: await checkpointOf(state), test: measures };
}

const checkpointOf = async ({ carried, position }: State): Promise<Checkpoint> => ({
  kind: 'checkpoint',
  tensors: await carried.read(),
  position,
});

async function freshState(
  { programs, dataset, settings, seed }: Run,
  initial: ReadonlyMap<string, Tensor>,
): Promise<State> {
  const drawn = await programs.init.run({ seed });
  const tensors = carriedPorts(programs.step).map(
    ({ name }) => [name, initial.get(name) ?? drawn[name]] as const,
  );
  const { block, batch, data } = settings;
  return {
    carried: carriedAs(new Map(tensors)),
    position: {
      block,
      seed: settings.seed,
      batch,
      rows: dataset.rows,
      data,
      step: 0,
      epoch: 0,
      row: 0,
      epochSums: noSums,
      windowSums: noSums,
      best: null,
    },
  };
}

const measureOn = async (
  { programs, settings }: Run,
  data: Dataset | null,
  { carried }: State,
): Promise<Measures | null> =>
  data === null ? null : measure(programs.evaluate, data, settings, await carried.read());

type EpochResult =
  { readonly state: State; readonly measures: Measures | null } | { readonly stopped: Checkpoint };

/** The rest of the epoch that `state` stands in. */
async function epoch(run: Run, start: State): Promise<EpochResult | Problem> {
  const { dataset, settings, events, stepsPerEpoch, due } = run;
  const order = shuffled(dataset.rows, settings.seed, start.position.epoch);
  const rest = createRest();
  const window = Math.ceil(stepsPerEpoch / pointsPerEpoch);
  let state = start;
  let saved = start;
  let done = Math.ceil(start.position.row / settings.batch);
  while (done < stepsPerEpoch) {
    if (events.shouldStop?.() === true) {
      const stopped = await checkpointOf(state);
      return (state === saved ? null : events.save(stopped)) ?? { stopped };
    }
    const { carried, measured } = await nextSteps(run, state, order);
    for (const outputs of measured) {
      const next = account(run, { carried, position: state.position }, outputs);
      if (isProblem(next)) return next;
      state = next.state;
      done++;
      events.onStep?.({ ...next.event, done, steps: stepsPerEpoch });
      if (done % window === 0 || done === stepsPerEpoch)
        state = point(run, state, done / stepsPerEpoch);
    }
    if (done < stepsPerEpoch && due(state.position.step, false)) {
      const refused = events.save(await checkpointOf(state));
      if (refused !== null) return refused;
      saved = state;
    }
    await rest();
  }
  return finishEpoch(run, state);
}

async function finishEpoch(run: Run, state: State): Promise<EpochResult | Problem> {
  const { events, settings, due, validation } = run;
  const { position } = state;
  const epoch = position.epoch + 1;
  const test = await measureOn(run, run.test, state);
  const validated = await measureOn(run, validation?.dataset ?? null, state);
  const { step } = position;
  if (validated !== null)
    events.onPoint?.({ step, epoch, split: 'validation', measures: validated });
  if (test !== null) events.onPoint?.({ step, epoch, split: 'test', measures: test });
  const best =
    validation === null || validated === null
      ? position.best
      : bestOf(validation, position.best, epoch, validated);
  const isBest = best !== null && best !== position.best;
  events.onEpoch?.({
    epoch,
    train: meansOf(position.epochSums),
    validation: validated,
    test,
    isBest,
  });
  if (isBest) events.onBest?.(await state.carried.read(), best);
  const next: Position = { ...position, epoch, row: 0, epochSums: noSums, best };
  const ended: State = { ...state, position: next };
  const isLast = epoch === settings.epochs || isExhausted(validation, next);
  const refused =
    due(position.step, true) || isLast ? events.save(await checkpointOf(ended)) : null;
  return refused ?? { state: ended, measures: test };
}

/** The next step; or as many as are done at once, if so many full batches are left and no checkpoint is due between. */
async function nextSteps(
  { programs, dataset, settings, seed }: Run,
  { carried, position }: State,
  order: Uint32Array,
): Promise<Taken> {
  const { steps } = programs;
  const { batch, saveEvery } = settings;
  const from = position.row;
  const untilSave =
    'steps' in saveEvery ? saveEvery.steps - (position.step % saveEvery.steps) : Infinity;
  if (steps !== undefined && steps.count <= untilSave) {
    const to = from + steps.count * batch;
    if (to <= dataset.rows) {
      const rows = takeBatch(dataset, order, from, to);
      return takeSteps(steps.program, steps.count, rows, carried, seed);
    }
  }
  const to = Math.min(from + batch, dataset.rows);
  return takeStep(programs.step, takeBatch(dataset, order, from, to), carried, seed);
}

/** A step taken, by what it measured; `state` has its results, and the place before it. */
function account(
  { programs, dataset, settings }: Run,
  { carried, position }: State,
  outputs: Readonly<Record<string, Tensor>>,
): { state: State; event: Omit<StepEvent, 'done' | 'steps'> } | Problem {
  const from = position.row;
  const to = Math.min(from + settings.batch, dataset.rows);
  const measures = measuresOf(programs.step, outputs);
  const lost = programs.step.outputs.find(
    ({ name, role }) => role === 'loss' && !Number.isFinite(measures[name]),
  );
  if (lost !== undefined)
    return problem(
      'E0513',
      null,
      `${lost.name} became ${measures[lost.name]} at step ${position.step + 1} (epoch ${position.epoch + 1}, row ${from} in its order)`,
      position.step < 10
        ? 'so early, look for a logarithm or square root at 0, or inputs that are not scaled'
        : 'try a smaller learning rate; `--resume` goes on from the last checkpoint',
    );
  const rows = to - from;
  const next: Position = {
    ...position,
    step: position.step + 1,
    row: to,
    epochSums: addMeasures(position.epochSums, rows, measures),
    windowSums: addMeasures(position.windowSums, rows, measures),
  };
  return {
    state: { carried, position: next },
    event: {
      step: next.step,
      epoch: position.epoch,
      epochs: settings.epochs,
      measures,
      unsolved: unsolved(programs.step.outputs, outputs),
    },
  };
}

/** Hands out the mean since the last point, and starts the next. */
function point({ events }: Run, state: State, part: number): State {
  const { position } = state;
  events.onPoint?.({
    step: position.step,
    epoch: position.epoch + part,
    split: 'train',
    measures: meansOf(position.windowSums),
  });
  return { ...state, position: { ...position, windowSums: noSums } };
}
