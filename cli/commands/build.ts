// `dlg build FILE`: compiles to ONNX models and modules for WebGPU; shows the graphs on the way, and what each stage took.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { printGraph } from '../../compiler/ir/print.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { explainWgsl, halvedWeights } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { passes } from '../../compiler/transform/passes.ts';
import { isCheckpoint, readWeightsFile } from '../../runtime/checkpoint.ts';
import { half, halfBits } from '../../runtime/data/array.ts';
import { writeSafetensors } from '../../runtime/data/safetensors.ts';
import { writeAtomic } from '../../runtime/files.ts';
import { count, isProblem, plural, problem, type Problem } from '../../runtime/problem.ts';
import type { PortInfo } from '../../runtime/program.ts';
import { loadWeights, startingWeights } from '../../runtime/weights.ts';
import { artifacts } from '../artifacts.ts';
import { compileFile } from '../compile.ts';
import { kernelData, kernelTables } from '../kernel-table.ts';
import { renamingsOf } from '../maps.ts';
import { exit, fail, note, print, type ExitCode } from '../output.ts';
import { wgslTarget, type TargetOptions } from '../targets.ts';
import { weightPorts } from '../weights.ts';

interface BuildOptions extends TargetOptions {
  readonly out: string;
  readonly weights?: string;
  readonly steps?: number;
  readonly map?: readonly string[];
  readonly printAfter?: string;
  readonly stats?: boolean;
  readonly explain?: boolean;
  readonly size?: ReadonlyMap<string, number>;
  readonly json?: boolean;
}

export async function build(file: string, options: BuildOptions): Promise<ExitCode> {
  const { printAfter } = options;
  const known = ['elaborate', ...passes.map(({ name }) => name)];
  if (printAfter !== undefined && !known.includes(printAfter)) {
    note(`error: there is no pass called ${printAfter}; the passes are ${known.join(', ')}`);
    return exit.usage;
  }
  const stats = createStats();
  const compiled = compileFile(file, options, {
    onPass: (pass, graph) => {
      stats.pass(pass, graph);
      if (pass === printAfter) print(printGraph(graph));
    },
    onStage: stats.stage,
  });
  if (typeof compiled === 'number') return compiled;
  if (options.explain === true) {
    const code = explain(compiled.program, options);
    if (code !== exit.done) return code;
  }
  const written = await write(compiled.program, options, stats);
  if (isProblem(written)) return fail(written, options);
  if (options.stats === true) note(stats.text());
  for (const [path, bytes] of written) note(`${path}  ${size(bytes)}`);
  return exit.done;
}

/** Prints what the programs cost. */
function explain(program: CompiledProgram, options: BuildOptions): ExitCode {
  const { size: sizes = new Map<string, number>(), json = false } = options;
  const programs = explainWgsl(program, wgslTarget(options), sizes);
  const known = [...new Set(programs.flatMap((of) => Object.keys(of.sizes)))];
  const unknown = [...sizes.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const have = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
    note(`error: there is no free size called ${unknown}; ${have}`);
    return exit.usage;
  }
  print(
    json
      ? JSON.stringify({ diagnostics: [], programs: programs.map(kernelData) }, null, 2)
      : kernelTables(programs),
  );
  return exit.done;
}

/** The bytes written to each path. */
async function write(
  program: CompiledProgram,
  options: BuildOptions,
  stats: Stats,
): Promise<ReadonlyMap<string, number> | Problem> {
  const { out } = options;
  const weights = readWeights(program, options);
  if (isProblem(weights)) return weights;
  const isModule = options.target.includes('wgsl') && weights !== null;
  const beside = isModule ? weightsBeside(program, weights, options) : new Map();
  if (isProblem(beside)) return beside;
  const start = performance.now();
  const weightsFile = isModule ? `${program.name}.safetensors` : null;
  const models = await artifacts(program, options, { weights: weights ?? undefined, weightsFile });
  stats.stage('emit', performance.now() - start);
  const written = new Map<string, number>();
  for (const [name, content] of [...models, ...beside]) {
    const refused = writeAtomic(join(out, name), content);
    if (refused !== null) return refused;
    written.set(join(out, name), Buffer.byteLength(content));
  }
  return written;
}

type Tensors = ReadonlyMap<string, Tensor>;

/** The weights of every export fn, and with a module also those of train blocks which the file has. */
function readWeights(
  { functions, trains }: CompiledProgram,
  { weights: path, map, target }: BuildOptions,
): Tensors | Problem | null {
  if (path === undefined) return null;
  const rules = renamingsOf(map);
  if (isProblem(rules)) return rules;
  const ports = uniqueByName(functions.flatMap(({ graph }) => weightPorts(graph)));
  if (!target.includes('wgsl')) return loadWeights(path, ports, rules);
  const learnt = trains.flatMap(({ step }) => weightPorts(step));
  const found = startingWeights(path, uniqueByName([...ports, ...learnt]), rules);
  if (isProblem(found)) return found;
  const lacks = ports.some(({ name }) => found.missing.includes(name));
  return lacks ? loadWeights(path, ports, rules) : found.tensors;
}

/** The file of weights that a module reads. What is there already may be more: a checkpoint, or weights that are not rounded. */
function weightsBeside(
  program: CompiledProgram,
  weights: Tensors,
  options: BuildOptions,
): ReadonlyMap<string, Uint8Array> | Problem {
  const { out, weights: source = '', map = [] } = options;
  const file = `${program.name}.safetensors`;
  const path = join(out, file);
  const halved = halvedWeights(program, wgslTarget(options));
  if (resolve(path) === resolve(source) && map.length === 0) {
    if (areHalves(source, halved)) return new Map();
    return problem(
      'E0514',
      path,
      'has the weights as they were learnt, which those in half precision would replace',
      '`--out` names another folder',
    );
  }
  const large = [...halved].find((of) => weights.get(of)?.data.some(isTooLarge) === true);
  if (large !== undefined)
    return problem('E0509', source, `has a number in ${large} that half precision does not reach`);
  const before = existsSync(path) ? readWeightsFile(path) : null;
  if (before !== null && !isProblem(before) && isCheckpoint(before))
    return problem(
      'E0514',
      path,
      'is a checkpoint of `dlg train`, which the weights would replace',
      '`--out` names another folder',
    );
  return new Map([[file, writeSafetensors(weights, { format: 'dlg weights 1' }, halved)]]);
}

/** Whether a finite number rounds to an infinite half. */
const isTooLarge = (x: number): boolean =>
  Number.isFinite(x) && !Number.isFinite(half(halfBits(x)));

/** Whether the file has these tensors in half precision already. */
function areHalves(path: string, names: ReadonlySet<string>): boolean {
  const file = readWeightsFile(path);
  return !isProblem(file) && [...names].every((of) => file.tensors.get(of)?.type === 'float16');
}

const uniqueByName = (ports: readonly PortInfo[]): readonly PortInfo[] => [
  ...new Map(ports.map((port) => [port.name, port])).values(),
];

const size = (bytes: number): string =>
  bytes < 10_000 ? plural(bytes, 'byte') : `${count(Math.round(bytes / 1000))} kB`;

interface Stats {
  readonly pass: (pass: string, graph: Graph) => void;
  readonly stage: (stage: string, milliseconds: number) => void;
  readonly text: () => string;
}

/** Collects times of stages and sizes of graphs. */
function createStats(): Stats {
  const times: string[] = [];
  const graphs: { readonly name: string; readonly counts: string[] }[] = [];
  return {
    stage: (stage, ms) => times.push(`${stage.padEnd(12)}${ms.toFixed(1).padStart(9)} ms`),
    pass: (pass, { name, nodes }) => {
      if (pass === 'elaborate') graphs.push({ name, counts: [] });
      graphs.at(-1)?.counts.push(`${nodes.length} after ${pass}`);
    },
    text: () =>
      [...times, ...graphs.map(({ name, counts }) => `${name}, nodes: ${counts.join(', ')}`)].join(
        '\n',
      ),
  };
}
