// How training looks while it runs: a bar with loss, reports, speed and time left on a terminal; elsewhere a line every ten
// seconds and one an epoch, so that logs stay readable.

import type { SingleBar } from 'cli-progress';

import type { Measures } from '../runtime/measures.ts';
import type { EpochEvent, StepEvent } from '../runtime/train.ts';
import { colors, note } from './output.ts';

export interface Progress {
  readonly step: (event: StepEvent) => void;
  readonly epoch: (event: EpochEvent, epochs: number) => void;
  /** Must be called at the end, whatever it was: a bar hides the cursor. */
  readonly stop: () => void;
}

/** `loss 0.1234  accuracy 0.9812`. */
export const showMeasures = (measures: Measures): string =>
  Object.entries(measures)
    .map(([name, value]) => `${name} ${formatNumber(value)}`)
    .join('  ');

export const formatNumber = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)
    ? value.toExponential(3)
    : value.toPrecision(4);

/** `0:42`, `3:07`, `1:02:03`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number): string => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Steps a second over the last few seconds, and the measures smoothed for the eye. */
function createMeter() {
  let smooth: Measures = {};
  let first: StepEvent | null = null;
  let started = performance.now();
  return {
    add(event: StepEvent): void {
      if (first === null) {
        first = event;
        started = performance.now();
      }
      smooth = Object.fromEntries(
        Object.entries(event.measures).map(([name, value]) => [
          name,
          0.95 * (smooth[name] ?? value) + 0.05 * value,
        ]),
      );
    },
    show(event: StepEvent): {
      readonly measures: string;
      readonly rate: number;
      readonly left: string;
    } {
      const done = first === null ? 0 : event.step - first.step;
      const rate = done / Math.max(1e-3, (performance.now() - started) / 1000);
      const remaining = (event.epochs - event.epoch) * event.steps - event.done;
      return {
        measures: showMeasures(smooth),
        rate,
        left: rate > 0 ? duration(remaining / rate) : '-:--',
      };
    },
  };
}

const showRate = (rate: number): string =>
  `${rate >= 100 ? rate.toFixed(0) : rate.toPrecision(2)} steps/s`;

function epochLine({ epoch, train, validation, test, isBest }: EpochEvent, epochs: number): string {
  const part = (name: string, measures: Measures | null): string =>
    measures === null ? '' : `  ${colors.bold(name)} ${showMeasures(measures)}`;
  const mark = isBest ? `  ${colors.green('best')}` : '';
  return `epoch ${epoch}/${epochs}  ${showMeasures(train)}${part('validation', validation)}${part('test', test)}${mark}`;
}

/** Shows epochs as lines: all of them if they are few or long, else one a second, and the last. */
function createEpochLines(): Progress['epoch'] {
  let last = -Infinity;
  return (event, epochs) => {
    const now = performance.now();
    if (epochs > 50 && event.epoch < epochs && now - last < 1000) return;
    last = now;
    note(epochLine(event, epochs));
  };
}

export async function createProgress(): Promise<Progress> {
  return process.stderr.isTTY === true ? barProgress() : lineProgress();
}

async function barProgress(): Promise<Progress> {
  const { default: progress } = await import('cli-progress');
  const meter = createMeter();
  const showEpoch = createEpochLines();
  let bar: SingleBar | null = null;
  const stop = (): void => {
    bar?.stop();
    bar = null;
  };
  return {
    step(event) {
      meter.add(event);
      const { measures, rate, left } = meter.show(event);
      const shown = {
        measures,
        rate: showRate(rate),
        left,
        epoch: event.epoch + 1,
        epochs: event.epochs,
      };
      if (bar === null) {
        bar = new progress.SingleBar({
          stream: process.stderr,
          format: `epoch {epoch}/{epochs} ${colors.cyan('{bar}')} {value}/{total}  {measures}  {rate}  {left} left`,
          barCompleteChar: '\u2588',
          barIncompleteChar: '\u2591',
          barsize: 24,
          fps: 8,
          hideCursor: true,
          clearOnComplete: true,
          stopOnComplete: false,
          // The loop computes on this thread, so a timer would never fire.
          synchronousUpdate: true,
        });
        bar.start(event.steps, event.done, shown);
      } else bar.update(event.done, shown);
    },
    epoch(...args) {
      stop();
      showEpoch(...args);
    },
    stop,
  };
}

function lineProgress(): Progress {
  const meter = createMeter();
  let last = performance.now();
  return {
    step(event) {
      meter.add(event);
      if (performance.now() - last < 10_000) return;
      last = performance.now();
      const { measures, rate, left } = meter.show(event);
      note(
        `epoch ${event.epoch + 1}/${event.epochs}  ${event.done}/${event.steps}  ${measures}  ${showRate(rate)}  ${left} left`,
      );
    },
    epoch: createEpochLines(),
    stop: () => {},
  };
}
