// The compiler from end to end: parse and check -> elaborate -> transform -> emit. Pure: sources come through the host, graphs and
// bytes go out; the command line, the language server and tests all enter here.

import type { Source } from '../grammar/source.ts';
import { check } from './check/check.ts';
import type { Diagnostic } from './diagnostics/diagnostic.ts';
import { collectRefusals } from './elaborate/context.ts';
import { derivativeGraph } from './elaborate/derivative-graph.ts';
import { elaborate } from './elaborate/elaborate.ts';
import { emitOnnx } from './emit/onnx/emit.ts';
import type { Target } from './emit/wgsl/adapter.ts';
import { explainAll, type Explanation } from './emit/wgsl/explain.ts';
import { halfParameters } from './emit/wgsl/halves.ts';
import { emitModule, type ModuleOptions } from './emit/wgsl/module.ts';
import type { Graph } from './ir/graph.ts';
import type { Tensor } from './ir/tensor.ts';
import type { CompiledProgram } from './program.ts';
import { writeDerivative, type DerivativeText } from './formula/derivative.ts';
import { optimise } from './transform/passes.ts';
import { repeatSteps } from './transform/repeat-steps.ts';

export interface Host {
  /** The text of an imported file, `std/nn.dlg` or a path relative to the program; null where there is none. */
  readonly read: (path: string) => string | null;
}

export interface CompileOptions {
  /** Sees every graph after elaboration (`elaborate`) and after each pass. */
  readonly onPass?: (pass: string, graph: Graph) => void;
  /** Gets the time each stage took, in milliseconds. */
  readonly onStage?: (stage: string, milliseconds: number) => void;
  /** Whether the parameter at a path stays as it is, whatever the train blocks say. */
  readonly isFrozen?: (path: string) => boolean;
}

export interface Compilation {
  /** Null where a diagnostic is an error. */
  readonly program: CompiledProgram | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The graphs of a program, differentiated and simplified. */
export function compile(main: Source, host: Host, options: CompileOptions = {}): Compilation {
  const { onPass = () => {}, onStage = () => {}, isFrozen = () => false } = options;
  const timed = <T>(stage: string, body: () => T): T => {
    const start = performance.now();
    const result = body();
    onStage(stage, performance.now() - start);
    return result;
  };
  const checked = timed('check', () => check(main, host));
  const typed = checked.program;
  if (typed === null || checked.diagnostics.some(({ severity }) => severity === 'error'))
    return { program: null, diagnostics: checked.diagnostics };
  const elaborated = timed('elaborate', () => elaborate(typed, isFrozen));
  const diagnostics = [...checked.diagnostics, ...elaborated.diagnostics];
  const { program } = elaborated;
  if (program === null) return { program, diagnostics };
  const transform = (graph: Graph): Graph => {
    onPass('elaborate', graph);
    return optimise(graph, onPass);
  };
  return { program: timed('transform', () => mapGraphs(program, transform)), diagnostics };
}

/** The derivative of a function of the file by one of its parameters, as text; a sentence, or null, where there is none. */
export function derive(
  main: Source,
  host: Host,
  { of, by }: { readonly of: string; readonly by: string },
): {
  readonly derivative: DerivativeText | string | null;
  readonly diagnostics: readonly Diagnostic[];
} {
  const { program, diagnostics } = check(main, host);
  if (program === null || diagnostics.some(({ severity }) => severity === 'error'))
    return { derivative: null, diagnostics };
  const entry = program.functions.find(({ name }) => name === of);
  if (entry === undefined) return { derivative: `the file has no function ${of}`, diagnostics };
  const refusals: Diagnostic[] = [];
  const graph = collectRefusals(refusals, () => derivativeGraph(entry, by));
  if (graph === null) return { derivative: null, diagnostics: [...diagnostics, ...refusals] };
  if (typeof graph === 'string') return { derivative: `${of}: ${graph}`, diagnostics };
  const result = entry.resultNames[0] ?? 'y';
  return { derivative: writeDerivative(optimise(graph), result, by), diagnostics };
}

const mapGraphs = (program: CompiledProgram, change: (graph: Graph) => Graph): CompiledProgram => ({
  ...program,
  functions: program.functions.map((f) => ({ ...f, graph: change(f.graph) })),
  trains: program.trains.map((train) => ({
    ...train,
    step: change(train.step),
    init: change(train.init),
    evaluate: change(train.evaluate),
  })),
  init: change(program.init),
});

export interface ExportOptions {
  /** Values of parameters and states by path, to write into the functions; without, these are inputs. */
  readonly weights?: ReadonlyMap<string, Tensor>;
  /** How many training steps `NAME.train.onnx` does at once, over stacked batches; default 1, without a loop. */
  readonly steps?: number;
}

/**
 * The program as ONNX models, by file name: `NAME.onnx` for its export fn (`NAME.FN.onnx` where there are several), and for its
 * train block `NAME.train.onnx` and `NAME.init.onnx` (`NAME.BLOCK.train.onnx` and so on for several).
 */
export function exportOnnx(
  program: CompiledProgram,
  { weights, steps = 1 }: ExportOptions = {},
): ReadonlyMap<string, Uint8Array> {
  const { name, functions, trains, init } = program;
  const files = new Map<string, Uint8Array>();
  const infix = (items: readonly unknown[], own: string): string =>
    items.length > 1 ? `${name}.${own}` : name;
  for (const f of functions) {
    const initialisers = f.graph.inputs.flatMap(({ name: path, role }): [string, Tensor][] => {
      const value = role === 'parameter' || role === 'state' ? weights?.get(path) : undefined;
      return value === undefined ? [] : [[path, value]];
    });
    const model = emitOnnx(f.graph, { initialisers: new Map(initialisers) });
    files.set(`${infix(functions, f.name)}.onnx`, model);
  }
  for (const train of trains) {
    const step = steps === 1 ? train.step : repeatSteps(train.step, steps);
    files.set(`${infix(trains, train.name)}.train.onnx`, emitOnnx(step));
    files.set(`${infix(trains, train.name)}.init.onnx`, emitOnnx(train.init));
  }
  if (trains.length === 0 && init.outputs.length > 0)
    files.set(`${name}.init.onnx`, emitOnnx(init));
  return files;
}

/** The program as an ES module that runs it on WebGPU, its types, and its kernels: texts by file name. */
export const exportWgsl = (
  program: CompiledProgram,
  options: ModuleOptions,
): ReadonlyMap<string, string> => emitModule(program, options);

/** The parameters, by path, that the module's file of weights has in half precision. */
export const halvedWeights = (program: CompiledProgram, target: Target): ReadonlySet<string> =>
  halfParameters(program, target);

/** What each program costs in WGSL, kernel by kernel; free sizes that `sizes` does not name are taken to be 64. */
export const explainWgsl = (
  program: CompiledProgram,
  target: Target,
  sizes: ReadonlyMap<string, number>,
): readonly Explanation[] => explainAll(program, target, sizes);
