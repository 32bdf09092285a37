// What ONNX Runtime computes is what the interpreter computes: random graphs, with their gradients, plain and optimised, one
// session for several batch sizes.

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { printGraph } from '../../compiler/ir/print.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { optimise } from '../../compiler/transform/passes.ts';
import { onnxProgram } from '../../runtime/executors/onnx.ts';
import { farthest } from '../transform/compare.ts';
import { randomFeeds, randomGraph, steps } from '../transform/random-graphs.ts';

const numRuns = Number(process.env['DLG_RUNS'] ?? 40);
const tolerance = 2e-4;

it('the interpreter and ONNX Runtime agree at every batch size', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const source = randomGraph(list);
      for (const graph of [differentiate(source), optimise(source)]) {
        const program = await onnxProgram(emitOnnx(graph), { threads: 1 });
        for (const batch of [1, 3]) {
          const feeds = randomFeeds(graph, batch, list.length);
          const expected = interpret(graph, feeds, { precision: 'f64' });
          const { distance, where } = farthest(expected, await program.run(feeds));
          if (!(distance < tolerance)) expect.fail(`B = ${batch}: ${where}\n${printGraph(graph)}`);
        }
        await program.dispose();
      }
    }),
    { numRuns, seed: 5 },
  );
});
