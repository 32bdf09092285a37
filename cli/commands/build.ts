// `dlg build FILE`: compiles to ONNX models; shows the graphs on the way, and what each stage took.

import { join } from 'node:path';

import { printGraph } from '../../compiler/ir/print.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { exportOnnx } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';
import { passes } from '../../compiler/transform/passes.ts';
import { writeAtomic } from '../../runtime/files.ts';
import { count, isProblem, plural, type Problem } from '../../runtime/problem.ts';
import type { PortInfo } from '../../runtime/program.ts';
import { loadWeights } from '../../runtime/weights.ts';
import { compileFile } from '../compile.ts';
import { renamingsOf } from '../maps.ts';
import { exit, fail, note, print, type ExitCode } from '../output.ts';
import { weightPorts } from '../weights.ts';

interface BuildOptions {
  readonly out: string;
  readonly weights?: string;
  readonly steps?: number;
  readonly map?: readonly string[];
  readonly printAfter?: string;
  readonly stats?: boolean;
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
  const written = write(compiled.program, options, stats);
  if (isProblem(written)) return fail(written, options);
  if (options.stats === true) note(stats.text());
  for (const [path, bytes] of written) note(`${path}  ${size(bytes)}`);
  return exit.done;
}

/** The bytes written to each path. */
function write(
  program: CompiledProgram,
  { out, weights: path, map, steps }: BuildOptions,
  stats: Stats,
): ReadonlyMap<string, number> | Problem {
  let weights: ReadonlyMap<string, Tensor> | undefined;
  if (path !== undefined) {
    const rules = renamingsOf(map);
    if (isProblem(rules)) return rules;
    const ports = program.functions.flatMap(({ graph }) => weightPorts(graph));
    const loaded = loadWeights(path, uniqueByName(ports), rules);
    if (isProblem(loaded)) return loaded;
    weights = loaded;
  }
  const start = performance.now();
  const models = exportOnnx(program, { weights, steps });
  stats.stage('emit', performance.now() - start);
  const written = new Map<string, number>();
  for (const [name, bytes] of models) {
    const refused = writeAtomic(join(out, name), bytes);
    if (refused !== null) return refused;
    written.set(join(out, name), bytes.length);
  }
  return written;
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
