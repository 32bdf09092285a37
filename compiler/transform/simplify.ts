// Local simplification: each node is asked, before it is made, whether the rules of its operation have something simpler.
// What a rule makes is asked in its turn, so one walk over the graph is enough.

import type { Graph } from '../ir/graph.ts';
import type { Shortcut } from '../ir/builder.ts';
import { opNamed } from '../ir/registry.ts';
import { arithmeticRules } from './arithmetic-rules.ts';
import { rewrite } from './rewrite.ts';
import type { Rule } from './rules.ts';
import { beforeBroadcast, shapeRules } from './shape-rules.ts';
import { beforeTranspose } from './transpose-rules.ts';

function rulesOf(op: string): readonly Rule[] {
  const own = arithmeticRules[op] ?? shapeRules[op] ?? [];
  return opNamed(op).elementwise !== undefined ? [...own, beforeBroadcast, beforeTranspose] : own;
}

const simplified: Shortcut = (builder, op, inputs, attributes) => {
  for (const rule of rulesOf(op)) {
    const value = rule({ builder, op, inputs, attributes });
    if (value !== null) return [value];
  }
  return null;
};

export const simplify = (graph: Graph): Graph =>
  rewrite(
    graph,
    ({ op, attributes }, inputs, builder) => simplified(builder, op, inputs, attributes),
    simplified,
  );
