// The training loop: draws the first parameters, takes batches in a seeded order, feeds what a step returns back to it, measures on
// test data after each epoch, and hands out checkpoints. It knows programs only through runtime/program.ts and touches no files.

import { tensor, type Tensor } from '../compiler/ir/tensor.ts';
import type { Checkpoint, Position, Sums } from './checkpoint.ts';
import { takeBatch, type Dataset } from './data/dataset.ts';
import { inOrder, shuffled } from './data/order.ts';
import { isProblem, problem, type Problem } from './problem.ts';
import type { PortInfo, Program } from './program.ts';

/** The three programs of a `train` block (compiler/program.ts). */
export interface TrainPrograms {
  readonly init: Program;
  readonly step: Program;
  readonly evaluate: Program;
}

export interface TrainSettings {
  readonly block: string;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  /** A hash of the data, kept in checkpoints (runtime/data/fingerprint.ts). */
  readonly data: string;
  /** Checkpoints come after so many steps, or after so much time and after epochs of a second or more; and at the end. */
  readonly saveEvery: { readonly steps: number } | { readonly seconds: number };
}

/** Losses and reports by name, as means over rows. */
export type Measures = Readonly<Record<string, number>>;

export interface StepEvent {
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

/** A point of the curve: the mean over the last steps, or over the test data after an epoch. */
export interface Point {
  readonly step: number;
  /** Epochs done, with their part: 1.5 is the middle of the second. */
  readonly epoch: number;
  readonly split: 'train' | 'test';
  readonly measures: Measures;
}

/** What the loop tells its caller. `save` may refuse, which ends the run. */
export interface TrainEvents {
  readonly onStep?: (event: StepEvent) => void;
  readonly onPoint?: (point: Point) => void;
  readonly onEpoch?: (epoch: number, train: Measures, test: Measures | null) => void;
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

const fedBack = new Set(['parameter', 'optimizer', 'state', 'counter']);
const measured = new Set(['loss', 'report']);
const pointsPerEpoch = 50;
const nothing: Sums = { rows: 0, totals: {} };

/** The inputs of a step that its outputs `NAME.next` replace. */
export const carriedPorts = (step: Program): readonly PortInfo[] =>
  step.inputs.filter(({ role }) => fedBack.has(role));

interface Run {
  readonly programs: TrainPrograms;
  readonly dataset: Dataset;
  readonly test: Dataset | null;
  readonly settings: TrainSettings;
  readonly events: TrainEvents;
  readonly stepsPerEpoch: number;
  readonly seed: Tensor;
  readonly due: SaveSchedule;
}

/** Where the loop stands; replaced, never changed. */
interface State {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly position: Position;
}

/** Trains from `start`, or from freshly drawn parameters where it is null (then `initial` replaces some of them). */
export async function train(
  programs: TrainPrograms,
  dataset: Dataset,
  test: Dataset | null,
  settings: TrainSettings,
  start: Checkpoint | null,
  events: TrainEvents,
): Promise<TrainResult | Problem> {
  const batches = dataset.rows / settings.batch;
  const run: Run = {
    programs,
    dataset,
    test,
    settings,
    events,
    stepsPerEpoch: dataset.fixedBatch === null ? Math.ceil(batches) : Math.floor(batches),
    seed: tensor('u32', [], [settings.seed]),
    due: saveSchedule(settings.saveEvery),
  };
  let state: State = start ?? (await freshState(run));
  let measures: Measures | null = null;
  if (state.position.epoch >= settings.epochs) measures = await evaluate(run, state);
  while (state.position.epoch < settings.epochs) {
    const next = await epoch(run, state);
    if (isProblem(next)) return next;
    if ('stopped' in next) return { kind: 'stopped', last: next.stopped, test: null };
    ({ state, measures } = next);
  }
  return { kind: 'trained', last: { kind: 'checkpoint', ...state }, test: measures };
}

async function freshState({ programs, dataset, settings, seed }: Run): Promise<State> {
  const drawn = await programs.init.run({ seed });
  const tensors = carriedPorts(programs.step).map(({ name }) => [name, drawn[name]] as const);
  const { block, batch, data } = settings;
  return {
    tensors: new Map(tensors),
    position: {
      block,
      seed: settings.seed,
      batch,
      rows: dataset.rows,
      data,
      step: 0,
      epoch: 0,
      row: 0,
      epochSums: nothing,
      windowSums: nothing,
    },
  };
}

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
  for (let done = Math.ceil(start.position.row / settings.batch); done < stepsPerEpoch; done++) {
    if (events.shouldStop?.() === true) {
      const stopped: Checkpoint = { kind: 'checkpoint', ...state };
      return (state === saved ? null : events.save(stopped)) ?? { stopped };
    }
    const next = await step(run, state, order);
    if (isProblem(next)) return next;
    state = next.state;
    events.onStep?.({ ...next.event, done: done + 1, steps: stepsPerEpoch });
    if ((done + 1) % window === 0 || done + 1 === stepsPerEpoch)
      state = point(run, state, (done + 1) / stepsPerEpoch);
    if (done + 1 < stepsPerEpoch && due(state.position.step, false)) {
      const refused = events.save({ kind: 'checkpoint', ...state });
      if (refused !== null) return refused;
      saved = state;
    }
    await rest();
  }
  return finishEpoch(run, state);
}

async function finishEpoch(run: Run, state: State): Promise<EpochResult | Problem> {
  const { events, settings, due } = run;
  const epoch = state.position.epoch + 1;
  const test = await evaluate(run, state);
  if (test !== null)
    events.onPoint?.({ step: state.position.step, epoch, split: 'test', measures: test });
  events.onEpoch?.(epoch, meansOf(state.position.epochSums), test);
  const position: Position = { ...state.position, epoch, row: 0, epochSums: nothing };
  const ended: State = { ...state, position };
  const save = epoch === settings.epochs || due(position.step, true);
  const refused = save ? events.save({ kind: 'checkpoint', ...ended }) : null;
  return refused ?? { state: ended, measures: test };
}

/** One step on the next batch. */
async function step(
  { programs, dataset, settings, seed }: Run,
  { tensors, position }: State,
  order: Uint32Array,
): Promise<{ state: State; event: Omit<StepEvent, 'done' | 'steps'> } | Problem> {
  const from = position.row;
  const to = Math.min(from + settings.batch, dataset.rows);
  const outputs = await programs.step.run({
    ...takeBatch(dataset, order, from, to),
    ...Object.fromEntries(tensors),
    seed,
  });
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
  const carried = [...tensors.keys()].map((name) => [name, outputs[`${name}.next`]] as const);
  const rows = to - from;
  const next: Position = {
    ...position,
    step: position.step + 1,
    row: to,
    epochSums: plus(position.epochSums, rows, measures),
    windowSums: plus(position.windowSums, rows, measures),
  };
  return {
    state: { tensors: new Map(carried), position: next },
    event: { step: next.step, epoch: position.epoch, epochs: settings.epochs, measures },
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
  return { ...state, position: { ...position, windowSums: nothing } };
}

/**
 * The losses and reports on the test data, as means over its rows: exact for what is itself a mean over the batch, as losses and
 * accuracies are. Rows that do not fill a batch of fixed size are left out.
 */
async function evaluate(
  { programs, test, settings }: Run,
  { tensors }: State,
): Promise<Measures | null> {
  if (test === null) return null;
  const order = inOrder(test.rows);
  const weights = Object.fromEntries(tensors);
  let sums = nothing;
  for (let from = 0; from < test.rows; from += settings.batch) {
    const to = Math.min(from + settings.batch, test.rows);
    if (test.fixedBatch !== null && to - from < test.fixedBatch) break;
    // Each batch has draws of its own, the same after every epoch.
    const seed = tensor('u32', [], [(settings.seed + from) >>> 0]);
    const feeds = { ...weights, ...takeBatch(test, order, from, to), seed };
    const outputs = await programs.evaluate.run(feeds);
    sums = plus(sums, to - from, measuresOf(programs.evaluate, outputs));
  }
  return meansOf(sums);
}

const measuresOf = (program: Program, outputs: Readonly<Record<string, Tensor>>): Measures =>
  Object.fromEntries(
    program.outputs
      .filter(({ role }) => measured.has(role))
      .map(({ name }) => [name, outputs[name].data[0]]),
  );

const plus = ({ rows, totals }: Sums, more: number, measures: Measures): Sums => ({
  rows: rows + more,
  totals: Object.fromEntries(
    Object.entries(measures).map(([name, value]) => [name, (totals[name] ?? 0) + value * more]),
  ),
});

const meansOf = ({ rows, totals }: Sums): Measures =>
  Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / rows]));

/** Whether a checkpoint is due after a step, which may have ended an epoch. */
type SaveSchedule = (step: number, epochEnds: boolean) => boolean;

/** With time, the end of an epoch is a good moment, but short epochs must not spend it all on writing. */
function saveSchedule(every: TrainSettings['saveEvery']): SaveSchedule {
  if ('steps' in every) return (step) => step % every.steps === 0;
  let last = performance.now();
  return (_, epochEnds) => {
    const now = performance.now();
    if (now - last < (epochEnds ? Math.min(1, every.seconds) : every.seconds) * 1000) return false;
    last = now;
    return true;
  };
}

/**
 * Lets Node handle signals and output now and then: ONNX Runtime computes on this thread, and promises that are already
 * fulfilled never leave it.
 */
function createRest(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < 50) return undefined;
    last = now;
    return new Promise((resolve) => setImmediate(resolve));
  };
}
