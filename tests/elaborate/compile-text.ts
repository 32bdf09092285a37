// Programs from text to graphs, with the standard library of the repository.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Graph } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { tensor, type Tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { compile, type Compilation } from '../../compiler/pipeline.ts';
import type { CompiledProgram } from '../../compiler/program.ts';

const stdlib = (path: string): string =>
  fileURLToPath(new URL(`../../stdlib/${path.replace('std/', '')}`, import.meta.url));

export const host = {
  read: (path: string): string | null => {
    const file = stdlib(path.endsWith('.dlg') ? path : `${path}.dlg`);
    return existsSync(file) ? readFileSync(file, 'utf8') : null;
  },
};

/** Compiles; every graph is verified after elaboration and after each pass. */
export const compileText = (text: string, path = 'test.dlg'): Compilation =>
  compile({ path, text }, host, {
    onPass: (pass, graph) => {
      const wrong = verify(graph);
      if (wrong.length > 0) throw new Error(`after ${pass}: ${wrong.join('; ')}`);
    },
  });

/** The program of a text that has no errors. */
export function program(text: string): CompiledProgram {
  const { program: compiled, diagnostics } = compileText(text);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (compiled === null || errors.length > 0)
    throw new Error(errors.map((d) => `${d.code} ${d.title}: ${d.message}`).join('\n'));
  return compiled;
}

/** The operations of a graph in order, but for constants. */
export const opsOf = (graph: Graph): string[] =>
  graph.nodes.map(({ op }) => op).filter((op) => op !== 'constant');

export const run = (
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> => interpret(graph, feeds, { precision: 'f64' });

/** A tensor of reals that are not special. */
export const wavy = (shape: readonly number[], phase = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + phase));
  return tensor('f32', shape, values, 'f64');
};

export const whole = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor('i32', shape, values);

export const seeded = (seed: number): Record<string, Tensor> => ({
  seed: tensor('u32', [], [seed]),
});
