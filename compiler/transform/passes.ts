// The passes between elaboration and the emitters, in order. Each is a pure function of a graph; tests verify the graph
// after each, and `dlg build --print-after=NAME` shows it.

import type { Graph } from '../ir/graph.ts';
import { everywhere } from './bodies.ts';
import { shareCommonSubexpressions } from './common-subexpressions.ts';
import { removeDeadCode } from './dead-code.ts';
import { differentiate } from './differentiate.ts';
import { foldConstants } from './fold-constants.ts';
import { recognise } from './recognise.ts';
import { settleLoops } from './settle-loops.ts';
import { simplify } from './simplify.ts';

export interface Pass {
  readonly name: string;
  readonly run: (graph: Graph) => Graph;
}

const share = everywhere(shareCommonSubexpressions);
const simple = everywhere(simplify);

/**
 * What is differentiated is tidied before, so that the derivative is of the plain form (x * x rather than x^2, one
 * standardisation rather than its ten operations), and tidied again after, since gradients bring their own zeros, ones and transposes.
 */
export const passes: readonly Pass[] = [
  { name: 'share', run: share },
  { name: 'simplify', run: simple },
  { name: 'prune', run: removeDeadCode },
  { name: 'settle-loops', run: settleLoops },
  { name: 'recognise', run: everywhere(recognise) },
  { name: 'prune-settled', run: removeDeadCode },
  { name: 'differentiate', run: differentiate },
  { name: 'share-derivatives', run: share },
  { name: 'simplify-derivatives', run: simple },
  { name: 'fold-constants', run: everywhere(foldConstants) },
  { name: 'prune-derivatives', run: removeDeadCode },
  { name: 'settle-derived-loops', run: settleLoops },
  { name: 'simplify-folded', run: simple },
  { name: 'share-all', run: share },
  { name: 'remove-dead-code', run: removeDeadCode },
];

/** Runs every pass; `onAfter` sees the graph after each one, with the pass's name. */
export function optimise(
  graph: Graph,
  onAfter: (name: string, graph: Graph) => void = () => {},
): Graph {
  return passes.reduce((before, { name, run }) => {
    const after = run(before);
    onAfter(name, after);
    return after;
  }, graph);
}
