// Every pass keeps what a graph computes: random graphs, with their gradients, give the same results in float64 before and
// after each pass, and every graph in between is well-formed.

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { interpret } from '../../compiler/ir/interpret.ts';
import { printGraph } from '../../compiler/ir/print.ts';
import { verify } from '../../compiler/ir/verify.ts';
import { differentiate } from '../../compiler/transform/differentiate.ts';
import { optimise, passes } from '../../compiler/transform/passes.ts';
import { farthest } from './compare.ts';
import { randomFeeds, randomGraph, steps } from './random-graphs.ts';

const numRuns = Number(process.env['DLG_RUNS'] ?? 80);
const tolerance = 1e-8;

it('every pass alone and in order keeps the results', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (list, batch) => {
      const graph = randomGraph(list);
      const feeds = randomFeeds(graph, batch, list.length);
      const plain = differentiate(graph);
      expect(verify(graph)).toEqual([]);
      const reference = interpret(plain, feeds, { precision: 'f64' });
      const check = (name: string, after: typeof graph): void => {
        expect(verify(after), name).toEqual([]);
        const runnable = after.nodes.some(({ op }) => op === 'gradient')
          ? differentiate(after)
          : after;
        const { distance, where } = farthest(
          reference,
          interpret(runnable, feeds, { precision: 'f64' }),
        );
        if (!(distance < tolerance))
          expect.fail(`${name} moved ${where} by ${distance}:\n${printGraph(after)}`);
      };
      optimise(graph, check);
      for (const { name, run } of passes) check(`${name} alone`, run(plain));
    }),
    { numRuns, seed: 20 },
  );
});
