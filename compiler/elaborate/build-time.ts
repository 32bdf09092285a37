// What is known when the program is built, as numbers: an expression is elaborated into a graph of its own, which the reference
// interpreter runs in float64.

import type { Elaborated } from '../builtins/elaboration.ts';
import { asTensor, dtypeOf, numberOf, tensorOf } from '../builtins/labelled.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { tables } from '../diagnostics/tables.ts';
import { isConstant } from '../dims/arithmetic.ts';
import { showDim } from '../dims/show.ts';
import type { Span } from '../../grammar/source.ts';
import type { Graph } from '../ir/graph.ts';
import { interpret } from '../ir/interpret.ts';
import { sizeOf, type Tensor } from '../ir/tensor.ts';
import { optimise } from '../transform/passes.ts';
import { refuse, type Context } from './context.ts';
import { withoutDraws } from './draws.ts';

/** More elements than that in one value take too long for the reference interpreter. */
const mostElements = 2 ** 25;

/** Where an instance was made, and what is computed for it written. */
interface Places {
  readonly made: Span;
  readonly written: Span;
}

/** The values that `body` gives, computed now; `what` names them in a refusal. */
export function computeNow(
  outer: Context,
  what: string,
  places: Places,
  body: (context: Context) => readonly Elaborated[],
): readonly Tensor[] {
  const context = outer.apart();
  const { builder } = context;
  const values = withoutDraws(context, () => body(context));
  values.forEach((value, i) =>
    builder.output(String(i), 'result', asTensor(builder, value, dtypeOf(value)).value),
  );
  const written = builder.graph(what);
  demandKnown(written, what, places);
  const graph = optimise(written);
  const results = interpret(graph, {}, { precision: 'f64' });
  return values.map((_, i) => results[String(i)]);
}

/** Refuses a graph that reads anything, has a free size or would take too long. */
function demandKnown({ inputs, nodes }: Graph, what: string, { made, written }: Places): void {
  const no = (why: string): never =>
    refuse(
      report(tables.E0805, {
        span: made,
        data: { what, why },
        related: [{ span: written, reason: 'computed here' }],
      }),
    );
  const [input] = inputs;
  if (input !== undefined) no(`reads \`${input.name}\`, which changes`);
  for (const { shape } of nodes.flatMap((node) => node.outputs)) {
    const sizes = shape.map((dim) => isConstant(dim));
    const free = sizes.indexOf(null);
    if (free >= 0) no(`depends on the size \`${showDim(shape[free])}\`, which only the data have`);
    const count = sizeOf(sizes.map((size) => size ?? 1));
    if (count > mostElements)
      no(`takes ${count} numbers to compute, and the most is ${mostElements}`);
  }
}

/** A tensor that is known as a value of the graph that is being built: a number stays one. */
export function knownValue({ builder }: Context, known: Tensor): Elaborated {
  const { dtype, shape, data } = known;
  if (shape.length > 0) return tensorOf(builder.constant(known));
  return dtype === 'bool'
    ? { kind: 'boolean', value: data[0] !== 0 }
    : numberOf(data[0], dtype !== 'f32');
}
