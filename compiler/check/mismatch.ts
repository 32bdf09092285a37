// What to say when an argument does not fit: which sizes disagree, where each comes from, and what would help.

import { positionOf, textOf } from '../../grammar/source.ts';
import { report, type Related, type TextEdit } from '../diagnostics/diagnostic.ts';
import { sizes, types } from '../diagnostics/types-and-shapes.ts';
import { dimOf, equal, multiply, one } from '../dims/arithmetic.ts';
import type { Dim, DimVar } from '../dims/dim.ts';
import { sizesOf } from '../dims/linear.ts';
import { proveEqual, type Answer } from '../dims/prove.ts';
import { showDim, showValuation, sourceDim } from '../dims/show.ts';
import type { Shape } from '../dims/shape.ts';
import type { Equation } from '../dims/solve.ts';
import type { Callable, Context } from './context.ts';
import type { Mismatch, SizeOrigin } from './match.ts';
import { describe, showShape, showType } from './show.ts';
import { substituteSize } from './substitute.ts';
import type { Bindings } from './types.ts';

/** `the last axis`, `the first axis`, `axis 1`. */
export function axisName(axis: number, rank: number): string {
  if (rank === 1) return 'the only axis';
  if (axis === rank - 1) return 'the last axis';
  return axis === 0 ? 'the first axis' : `axis ${axis}`;
}

/** `n = 784`, or the size alone where it has no other name. */
const named = (written: Dim, value: Dim): string =>
  showDim(written) === showDim(value) ? showDim(value) : `${showDim(written)} = ${showDim(value)}`;

/** The axis of a parameter as the definition writes it, without the packs that other shapes have instead. */
function writtenSize(callable: Callable, origin: SizeOrigin): Dim | null {
  const parameter = callable.parameters.find((p) => p.name === origin.parameter);
  const { pattern, expectedAxis } = origin;
  if (parameter?.declared.kind !== 'tensor' || expectedAxis === null) return null;
  const { shape } = parameter.declared;
  // The pack of the written shape may have become any number of axes; count from the nearer end.
  const pack = shape.findIndex((a) => a.kind === 'pack');
  const fromEnd = pack >= 0 && expectedAxis > pack;
  const axis = shape[fromEnd ? shape.length - (pattern.length - expectedAxis) : expectedAxis];
  return axis?.kind === 'size' ? axis.size : null;
}

/** Where an unknown of the signature got its value. */
function determinedBy(
  equations: readonly Equation<SizeOrigin>[],
  failed: Equation<SizeOrigin>,
  of: DimVar,
): Equation<SizeOrigin> | null {
  return (
    equations.find(
      (e) =>
        e.origin !== failed.origin &&
        equal(e.left, dimOf(of)) &&
        e.origin.span !== failed.origin.span,
    ) ?? null
  );
}

export interface FailedCall {
  readonly callable: Callable;
  readonly bindings: Bindings;
  readonly equations: readonly Equation<SizeOrigin>[];
}

interface LayerOrigin {
  readonly related: Related;
  readonly help: string | null;
  readonly fix: readonly TextEdit[];
}

/** The declaration that gave a layer the size that does not fit, and what it might have been. */
function layerOrigin(
  context: Context,
  { layer, name, parameters }: Callable,
  origin: SizeOrigin,
  written: Dim,
  actual: Dim,
): LayerOrigin | null {
  const node = layer === null ? undefined : context.session.declarations.get(layer);
  if (layer === null || node?.value.kind !== 'call') return null;
  const type = parameters.find((p) => p.name === origin.parameter)?.type;
  const shape = type === undefined ? '' : ` ${showType(type)}`;
  const related = { span: node.value.span, reason: `so \`${name}\` expects${shape}` };
  const model = context.session.models.get(layer.value.type.model);
  const at = model
    ?.signature()
    .parameters.findIndex((p) => p.dim !== null && equal(written, dimOf(p.dim)));
  const argument = at === undefined || at < 0 ? undefined : node.value.arguments[at];
  const own = new Set(context.model?.signature().quantified ?? []);
  const nameable = sizesOf(actual).every((v) => own.has(v));
  if (argument === undefined || argument.name !== null || !nameable)
    return { related, help: null, fix: [] };
  const size = sourceDim(actual);
  const { callee, arguments: given } = node.value;
  const texts = given.map((a) => (a === argument ? size : textOf(a.span)));
  const { line } = positionOf(node.span.source, node.span.start);
  return {
    related,
    help: `did you mean \`${textOf(callee.span)}(${texts.join(', ')})\` on line ${line}?`,
    fix: [{ span: argument.value.span, newText: size }],
  };
}

/** Reports one pair of sizes that has to be equal and is not, or may not be. */
export function reportSizes(
  context: Context,
  call: FailedCall,
  original: Equation<SizeOrigin>,
  answer: Exclude<Answer, { kind: 'proved' }>,
): void {
  const { callable, bindings } = call;
  const { origin } = original;
  const left = substituteSize(original.left, bindings);
  const right = substituteSize(original.right, bindings);
  const written = writtenSize(callable, origin) ?? original.left;
  const related: Related[] = [];
  const layer = layerOrigin(context, callable, origin, written, right);
  if (layer !== null) related.push(layer.related);
  else if (origin.declared !== null)
    related.push({
      span: origin.declared,
      reason: `\`${callable.name}\` declares it as ${showDim(written)}`,
    });
  for (const v of [...bindings.dims.keys()]) {
    if (!original.left.key.includes(`#${v.id}`)) continue;
    const other = determinedBy(call.equations, original, v);
    if (other === null || other.origin.span === origin.span) continue;
    related.push({
      span: other.origin.span,
      reason: `this gives ${v.name} = ${showDim(bindings.dims.get(v) ?? left)}`,
    });
    break;
  }
  if (answer.kind === 'unknown') {
    context.report(
      report(sizes.E0102, {
        span: origin.span,
        data: { left: sourceDim(right), right: sourceDim(left) },
        related,
      }),
    );
    return;
  }
  const place =
    origin.actualAxis === null
      ? 'the number of values'
      : `${axisName(origin.actualAxis, origin.actual.length)} of ${showShape(origin.actual)}`;
  context.report(
    report(sizes.E0101, {
      span: origin.span,
      data: {
        what: place,
        actual: showDim(right),
        by: `\`${callable.name}\``,
        expected: named(written, left),
      },
      related,
      notes:
        answer.valuation.size === 0
          ? []
          : [`for ${showValuation(answer.valuation)} they are ${answer.right} and ${answer.left}`],
      help:
        flattenHelp(context, [{ kind: 'size', size: left }], origin.actual) ??
        layer?.help ??
        counterexampleHelp(left, right, answer),
      fix: layer?.fix ?? [],
    }),
  );
}

/** Where two sizes agree for some values only, the condition that makes them agree. */
function counterexampleHelp(
  left: Dim,
  right: Dim,
  answer: Extract<Answer, { kind: 'refuted' }>,
): string | null {
  return answer.valuation.size === 0
    ? null
    : `if they are always equal, add \`where ${sourceDim(right)} == ${sourceDim(left)}\``;
}

const productOf = (shape: Shape): Dim | null => {
  const known = shape.flatMap((a) => (a.kind === 'size' ? [a.size] : []));
  return known.length === shape.length ? known.reduce(multiply, one) : null;
};

/** `28 * 28 = 784: flatten it first`, where the trailing axes have as many elements as one axis that is wanted. */
function flattenHelp(context: Context, wanted: Shape, found: Shape): string | null {
  const last = wanted.at(-1);
  if (last?.kind !== 'size') return null;
  for (let from = found.length - 2; from >= 0; from--) {
    const product = productOf(found.slice(from));
    if (product === null || proveEqual(product, last.size, context.assumptions).kind !== 'proved')
      continue;
    const factors = found.slice(from).flatMap((a) => (a.kind === 'size' ? [showDim(a.size)] : []));
    const kept = wanted.length === 2 && from === 1 ? '`flatten(...)`' : '`reshape`';
    return `${factors.join(' * ')} = ${showDim(product)}: make one axis of them by ${kept}`;
  }
  return null;
}

/** Reports an argument whose type cannot fit whatever the sizes. */
export function reportMismatch(
  context: Context,
  callable: Callable,
  mismatch: Mismatch,
  origin: Pick<SizeOrigin, 'span' | 'declared'>,
): void {
  const { span } = origin;
  const related: Related[] =
    origin.declared === null ? [] : [{ span: origin.declared, reason: 'the parameter' }];
  const { found, wanted } = mismatch;
  if (mismatch.kind === 'type') {
    context.report(
      report(types.E0121, {
        span,
        data: { found: describe(found), expected: showType(wanted) },
        related,
        help: conversionHelp(mismatch),
      }),
    );
    return;
  }
  const { match } = mismatch;
  if (match.kind === 'pack mismatch') {
    context.report(
      report(sizes.E0105, {
        span,
        data: { found: showType(found), expected: showType(wanted) },
        related,
      }),
    );
    return;
  }
  const table = match.kind === 'too many axes' ? sizes.E0103 : sizes.E0104;
  context.report(
    report(table, {
      span,
      data: {
        found: showType(found),
        callee: `\`${callable.name}\``,
        takes: showType(wanted),
        expected: match.expected,
        atLeast: match.atLeast,
        actual: match.actual,
      },
      related,
      help: flattenHelp(context, mismatch.wanted.shape, mismatch.found.shape),
    }),
  );
}

/** A word that makes one base of another. */
function conversionHelp({ found, wanted }: Extract<Mismatch, { kind: 'type' }>): string | null {
  if (found.kind !== 'tensor' || wanted.kind !== 'tensor') return null;
  const [from, to] = [found.base.kind, wanted.base.kind];
  if (from === 'bool' && to !== 'bool') return '`ind(c)` is 1 where c is true, else 0';
  if (from === 'real' && to === 'int') return '`int(x)` rounds towards zero';
  if (from === 'real' && to === 'fin') return 'labels are declared as `fin(n)`';
  return from === 'int' && to === 'fin' ? '`clamp(i, 0, n - 1)` makes a `fin(n)`' : null;
}
