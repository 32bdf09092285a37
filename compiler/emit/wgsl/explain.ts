// What a program costs, kernel by kernel, for one choice of its free sizes: `dlg build --target wgsl --explain`.

import type { Dim, DimVar, PackVar } from '../../dims/dim.ts';
import type { Graph } from '../../ir/graph.ts';
import type { CompiledProgram } from '../../program.ts';
import type { Target } from './adapter.ts';
import { emitWgsl, type ProgramStep, type WgslProgram } from './emit.ts';
import type { EmittedKernel } from './emit-kernel.ts';
import { halfParameters } from './halves.ts';
import type { KernelKind } from './kernel.ts';
import type { KernelTitle } from './kernel-title.ts';
import { leastBytes } from './least.ts';
import { createMeasure, total, workOf, type Measure, type Work } from './work.ts';

export interface Explanation {
  /** `export fn f`, `train fit`. */
  readonly name: string;
  /** The values that the free sizes are taken to have. */
  readonly sizes: Readonly<Record<string, number>>;
  /** In the order they run. */
  readonly kernels: readonly KernelCost[];
  /** All kernels, as often as they run; how many dispatches these are. */
  readonly total: Work & { readonly runs: number };
  /** The least bytes (least.ts), and how many times as many are moved. */
  readonly least: number;
  readonly ratio: number;
}

/** Of one run of a kernel. */
export interface KernelCost extends Work {
  readonly name: string;
  readonly title: KernelTitle;
  readonly kind: KernelKind;
  readonly variant: string | null;
  /** What it runs over. */
  readonly domain: readonly Dim[];
  /** Axes of the domain that are reduced. */
  readonly axes: readonly number[];
  /** How often it runs: in a loop, once a step. */
  readonly runs: number;
  /** Of a loop that is one dispatch: it runs inside. */
  readonly isInside: boolean;
}

/** What a free size is taken to be where nothing is said. */
export const usualSize = 64;

/** What every export fn and every train block's step costs. */
export function explainAll(
  program: CompiledProgram,
  target: Target,
  sizes: ReadonlyMap<string, number>,
): readonly Explanation[] {
  const halved = halfParameters(program, target);
  const explained = (graph: Graph, name: string): Explanation => ({
    ...explain(emitWgsl(graph, target, halved), sizes),
    name,
  });
  return [
    ...program.functions.map((f) => explained(f.graph, `export fn ${f.name}`)),
    ...program.trains.map((train) => explained(train.step, `train ${train.name}`)),
  ];
}

export function explain(
  { name, graph, sizes, kernels, steps, halves }: WgslProgram,
  given: ReadonlyMap<string, number> = new Map(),
): Explanation {
  const values = new Map<DimVar | PackVar, number>(
    sizes.map(({ name: size, source }) => [source.variable, given.get(size) ?? usualSize]),
  );
  const measure = createMeasure((v) => values.get(v) ?? Number.NaN);
  const costOf = (kernel: EmittedKernel, runs: number, isInside: boolean): KernelCost => ({
    name: kernel.name,
    title: kernel.title,
    kind: kernel.kernel.kind,
    variant: kernel.variant,
    domain: kernel.kernel.domain,
    axes: kernel.kernel.axes,
    runs,
    isInside,
    ...workOf(kernel, measure),
  });
  const costsOf = (kernel: EmittedKernel, runs: number): readonly KernelCost[] => {
    const { turns } = kernel;
    if (turns === undefined) return [costOf(kernel, runs, false)];
    return turns.kernels.map((part) => costOf(part, runs * measure(turns.count), true));
  };
  const inOrder = (of: readonly ProgramStep[], runs: number): readonly KernelCost[] =>
    of.flatMap((step) =>
      'kernel' in step
        ? costsOf(kernels[step.kernel], runs)
        : inOrder(step.steps, runs * measure(step.count)),
    );
  const costs = inOrder(steps, 1);
  const sum = (of: (cost: KernelCost) => number): number =>
    total(costs.map((cost) => of(cost) * cost.runs));
  const whole = {
    runs: dispatches(steps, measure),
    operations: sum(({ operations }) => operations),
    read: sum(({ read }) => read),
    written: sum(({ written }) => written),
  };
  const least = leastBytes(graph, halves, measure);
  return {
    name,
    sizes: Object.fromEntries(
      sizes.map(({ name: size, source }) => [size, values.get(source.variable) ?? Number.NaN]),
    ),
    kernels: costs,
    total: whole,
    least,
    ratio: least === 0 ? 1 : (whole.read + whole.written) / least,
  };
}

const dispatches = (steps: readonly ProgramStep[], measure: Measure): number =>
  total(
    steps.map((step) =>
      'kernel' in step ? 1 : measure(step.count) * dispatches(step.steps, measure),
    ),
  );
