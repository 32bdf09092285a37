// When the training loop does what it does now and then: checkpoints, and letting Node breathe.

/** Checkpoints come after so many steps, or after so much time and after epochs of a second or more; and at the end. */
export type SaveEvery = { readonly steps: number } | { readonly seconds: number };

/** Whether a checkpoint is due after a step, which may have ended an epoch. */
export type SaveSchedule = (step: number, epochEnds: boolean) => boolean;

/** With time, the end of an epoch is a good moment, but short epochs must not spend it all on writing. */
export function saveSchedule(every: SaveEvery): SaveSchedule {
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
export function createRest(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < 50) return undefined;
    last = now;
    return new Promise((resolve) => setImmediate(resolve));
  };
}
