// The kernels of a schedule in the order they run, those of loops inside them, and which buffer everything lies in. A value may lie in the
// buffer of another: a parameter's next value in the parameter's, a carry of a loop's body in that of the loop's operand.

import type { Dim } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import type { Target } from './adapter.ts';
import { emitKernel, type EmittedKernel, type KernelNames } from './emit-kernel.ts';
import type { Kernel } from './kernel.ts';
import { emitLoopKernel } from './loop-kernel.ts';
import { loopAttributes } from './loop-ports.ts';
import type { Network } from './network.ts';
import { schedule, type Schedule } from './schedule.ts';

export type Step =
  | { readonly kind: 'kernel'; readonly kernel: EmittedKernel }
  | {
      readonly kind: 'loop';
      readonly count: Dim;
      /** What lies in buffers from before the loop or until after it. */
      readonly held: readonly Value[];
      readonly steps: readonly Step[];
    };

export interface Emission {
  readonly steps: readonly Step[];
  /** The value in whose buffer a value lies. */
  readonly holderOf: (value: Value) => Value;
  /** Literals that lie in buffers. */
  readonly literals: Network['literalOf'];
}

export function emitSteps(
  plan: Schedule,
  namesOf: (network: Network, holderOf: Emission['holderOf']) => KernelNames,
  uniqueName: (hint: string) => string,
  target: Target,
): Emission {
  const holders = new Map<Value, Value>();
  const networks: Network[] = [];
  const holderOf = (value: Value): Value => {
    const holder = holders.get(value);
    return holder === undefined ? value : holderOf(holder);
  };
  const emitAll = (of: Schedule): Step[] => {
    networks.push(of.network);
    for (const kernel of of.kernels)
      for (const value of kernel.values)
        if (of.bufferOf(value) !== value) holders.set(value, of.bufferOf(value));
    const names = namesOf(of.network, holderOf);
    return of.kernels.map((kernel) =>
      kernel.kind === 'loop'
        ? emitLoop(of, kernel)
        : { kind: 'kernel', kernel: emitKernel(of, kernel, names, uniqueName, target) },
    );
  };
  const emitLoop = ({ network }: Schedule, kernel: Kernel): Step => {
    const node = network.producerOf(kernel.values[0]);
    if (node === undefined) throw new Error('a loop without a node');
    const { body, count, becomes } = loopAttributes(node);
    const operands = node.inputs.map((value) => network.baseOf(value));
    body.inputs.forEach(({ value }, i) => holders.set(value, operands[i]));
    const stacked = node.outputs.filter((_, i) => becomes[i] < 0);
    const rows = body.outputs.filter(({ name }) => /^y\d+$/.test(name));
    rows.forEach(({ value }, i) => holders.set(value, stacked[i]));
    const held = [...operands, ...stacked].map(holderOf);
    const scheduled = schedule(body, target, true);
    const steps = emitAll(scheduled);
    const names = namesOf(scheduled.network, holderOf);
    const loop = { kernel, node, count, body: scheduled, apart: kernelsOf(steps), holderOf };
    const whole = emitLoopKernel(loop, names, uniqueName, target);
    if (whole === null) return { kind: 'loop', count, held, steps };
    return { kind: 'kernel', kernel: { ...whole, turns: { count, kernels: kernelsOf(steps) } } };
  };
  return {
    steps: emitAll(plan),
    holderOf,
    literals: (value) =>
      networks.map((network) => network.literalOf(value)).find((tensor) => tensor !== null) ?? null,
  };
}

/** Every kernel, once. */
export const kernelsOf = (steps: readonly Step[]): EmittedKernel[] =>
  steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : kernelsOf(step.steps)));
