// The derivative of a scan: the same loop, which now also hands out what the derivative needs of each step, and a loop the other
// way that runs the pullback of the step. Both are scans, so that derivatives of any order are this rule again.

import type { Node, Value } from '../graph.ts';
import { imageOf, inlineNodes } from '../inline.ts';
import { chooseResiduals, keep } from './scan-residuals.ts';
import type { ScanContext, Step } from './scan-step.ts';
import { pullBackStep } from './scan-step.ts';
import type { Outside } from './scan-sums.ts';
import { sumOverSteps } from './scan-sums.ts';

export function scanGradient(context: ScanContext): readonly (Value | null)[] {
  const { inputs, attributes, wanted } = context;
  const { carries, xs, recompute } = attributes;
  const step = pullBackStep(context);
  if (step === null) return wanted.map(() => null);
  const cotangents = inputs.map((_, i) => {
    const index = step.cotangents[i + 1];
    return index === null ? null : step.graph.outputs[index].value;
  });
  const reversed = createReversed(context, step);
  const results: (Outside | null)[] = inputs.map(() => null);
  for (const i of step.through) results[i] = reversed.carry(cotangents[i]);
  cotangents.slice(carries, carries + xs).forEach((g, i) => {
    if (g !== null) results[carries + i] = reversed.row(g);
  });
  const captured = cotangents.flatMap((g, i) =>
    g !== null && i >= carries + xs ? [{ i, g }] : [],
  );
  // Those that only join what others stack come last.
  const joins = ({ g }: { readonly g: Value }): boolean => step.makerOf(g)?.op === 'reduce';
  for (const { i, g } of [...captured.filter((c) => !joins(c)), ...captured.filter(joins)])
    results[i] = recompute ? reversed.accumulate(g) : sumOverSteps(reversed, g);
  reversed.build();
  return results.map((result, i) => (result === null || !wanted[i] ? null : result()));
}

interface Loop {
  readonly carries: readonly Value[];
  readonly ys: readonly Value[];
  readonly stackOf: (value: Value) => Value;
}

/** The loop the other way: collects what is asked of it, then is built, together with the forward loop's stacks. */
function createReversed(context: ScanContext, step: Step) {
  const { builder, attributes } = context;
  const carried: (Value | null)[] = [];
  const accumulated: Value[] = [];
  const rows: Value[] = [];
  const kept = new Set<Value>();
  let loop: Loop | null = null;
  const afterwards =
    (get: (loop: Loop) => Value): Outside =>
    () => {
      if (loop === null) throw new Error('the loop is not built yet');
      return get(loop);
    };
  const row = (value: Value): Outside => {
    const index = indexIn(rows, value);
    return afterwards(({ ys }) => ys[index]);
  };
  return {
    builder,
    count: attributes.count,
    makerOf: step.makerOf,
    varies: step.varies,
    whole: wholeValues(context, step),
    row,
    stack(value: Value): Outside {
      if (step.isBackward(value)) return row(value);
      kept.add(value);
      return afterwards(({ stackOf }) => stackOf(value));
    },
    isStacked: (value: Value): boolean =>
      rows.includes(value) || kept.has(value) || step.slices.includes(value),
    /** The next carry, in the order of `step.through`. */
    carry(value: Value | null): Outside {
      const index = carried.push(value) - 1;
      return afterwards(({ carries }) => carries[index]);
    },
    accumulate(value: Value): Outside {
      const index = step.through.length + indexIn(accumulated, value);
      return afterwards(({ carries }) => carries[index]);
    },
    build(): void {
      loop = buildLoop(context, step, { carried, accumulated, rows, kept });
    },
  };
}

function indexIn(list: Value[], value: Value): number {
  const index = list.indexOf(value);
  return index >= 0 ? index : list.push(value) - 1;
}

/** Finds, in the graph around, values of the step that are the same in every step. */
function wholeValues(
  { builder, inputs, attributes: { carries, xs } }: ScanContext,
  { captured, makerOf }: Step,
): (value: Value) => Value {
  const images = new Map(captured.map((value, i) => [value, inputs[carries + xs + i]]));
  return (value) => {
    const missing: Node[] = [];
    const visit = (v: Value): void => {
      const node = makerOf(v);
      if (node === undefined || images.has(v) || missing.includes(node)) return;
      node.inputs.forEach(visit);
      missing.push(node);
    };
    visit(value);
    inlineNodes(builder, missing, images);
    return imageOf(images, value);
  };
}

interface Asked {
  readonly carried: readonly (Value | null)[];
  readonly accumulated: readonly Value[];
  readonly rows: readonly Value[];
  readonly kept: ReadonlySet<Value>;
}

function buildLoop(context: ScanContext, step: Step, asked: Asked): Loop {
  const { builder: b, attributes, inputs, cotangents } = context;
  const { count, carries, xs, reverse, recompute } = attributes;
  const roots = [...asked.carried, ...asked.accumulated, ...asked.rows].filter((v) => v !== null);
  const { nodes, rows } = chooseResiduals(step, roots, asked.kept, recompute);
  const stackOf = keep(context, step, [...rows, ...asked.kept]);
  const zeros = (value: Value): Value => b.full(0, value.shape);
  const first = [
    ...step.through.map((i) => cotangents[i] ?? zeros(inputs[i])),
    ...asked.accumulated.map(zeros),
  ];
  const ofYs = cotangents.slice(carries).filter((g) => g !== null);
  const loop = b.scan(
    count,
    first,
    [...ofYs, ...rows.map(stackOf)],
    (c, t, current, slices) => {
      const n = step.through.length;
      const images = new Map<Value, Value>([[step.t, t]]);
      step.captured.forEach((value, i) => images.set(value, inputs[carries + xs + i]));
      const given = [...current.slice(0, n), ...slices.slice(0, ofYs.length)];
      step.given.forEach((value, i) => images.set(value, given[i]));
      rows.forEach((value, i) => images.set(value, slices[ofYs.length + i]));
      inlineNodes(c, nodes, images);
      const next = asked.carried.map((g, i) =>
        g === null ? c.full(0, current[i].shape) : imageOf(images, g),
      );
      const sums = asked.accumulated.map((g, i) => c.add(current[n + i], imageOf(images, g)));
      return { carries: [...next, ...sums], ys: asked.rows.map((g) => imageOf(images, g)) };
    },
    { reverse: !reverse, recompute },
  );
  return { ...loop, stackOf };
}
