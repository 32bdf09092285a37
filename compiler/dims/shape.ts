// Shapes of axes and packs, and how the shape of an argument lines up with that of a parameter: by rank first, which gives
// packs their axes and leaves equations between sizes for solve.ts.

import { multiply, numelOf, one } from './arithmetic.ts';
import type { Dim, PackVar } from './dim.ts';

export type Axis =
  { readonly kind: 'size'; readonly size: Dim } | { readonly kind: 'pack'; readonly pack: PackVar };

export type Shape = readonly Axis[];

/** The number of elements. */
export const sizeOf = (shape: Shape): Dim =>
  shape.map((a) => (a.kind === 'size' ? a.size : numelOf(a.pack))).reduce(multiply, one);

/** `expected` and `actual` are where in the two shapes the equation comes from. */
export interface AxisEquation {
  readonly left: Dim;
  readonly right: Dim;
  readonly expectedAxis: number;
  readonly actualAxis: number;
}

export type Match =
  | {
      readonly kind: 'matched';
      readonly packs: ReadonlyMap<PackVar, Shape>;
      readonly equations: readonly AxisEquation[];
    }
  /** `expected` axes are needed (at least so many, if `atLeast`) and `actual` are there (not counting a pack's). */
  | {
      readonly kind: 'too few axes' | 'too many axes';
      readonly expected: number;
      readonly actual: number;
      readonly atLeast: boolean;
    }
  /** A pack stands where the other shape has sizes, or another pack. */
  | { readonly kind: 'pack mismatch'; readonly expectedAxis: number; readonly actualAxis: number };

/** Axes before, from and after the only pack of a shape. */
const packIndex = (shape: Shape): number => shape.findIndex((a) => a.kind === 'pack');

/**
 * Lines `actual` up with `pattern`. A pack of `unknown` in the pattern takes whatever axes of `actual` the others leave,
 * another pack there included; any other pack matches itself alone. At most one pack a shape.
 */
export function matchShapes(pattern: Shape, actual: Shape, unknown: ReadonlySet<PackVar>): Match {
  const at = packIndex(pattern);
  const packAxis = at < 0 ? undefined : pattern[at];
  if (packAxis?.kind === 'pack' && unknown.has(packAxis.pack)) {
    const after = pattern.length - at - 1;
    const needed = at + after;
    if (actual.length < needed)
      return { kind: 'too few axes', expected: needed, actual: actual.length, atLeast: true };
    const end = actual.length - after;
    const taken = actual.slice(at, end);
    return pairUp(
      [...pattern.slice(0, at), ...pattern.slice(at + 1)],
      [...actual.slice(0, at), ...actual.slice(end)],
      new Map([[packAxis.pack, taken]]),
      { at, expected: 1, actual: taken.length },
    );
  }
  if (pattern.length !== actual.length) {
    const kind = actual.length < pattern.length ? 'too few axes' : 'too many axes';
    const sizes = (shape: Shape): number => shape.filter((a) => a.kind === 'size').length;
    const opaque = at >= 0 || packIndex(actual) >= 0;
    if (opaque && sizes(pattern) === sizes(actual))
      return { kind: 'pack mismatch', expectedAxis: at, actualAxis: packIndex(actual) };
    return { kind, expected: pattern.length, actual: actual.length, atLeast: false };
  }
  return pairUp(pattern, actual, new Map(), { at: pattern.length, expected: 0, actual: 0 });
}

/** `skipped`: the axes taken out of both at `at`, so that equations name the axes of the whole shapes. */
function pairUp(
  pattern: Shape,
  actual: Shape,
  packs: ReadonlyMap<PackVar, Shape>,
  skipped: { readonly at: number; readonly expected: number; readonly actual: number },
): Match {
  const equations: AxisEquation[] = [];
  for (const [i, wanted] of pattern.entries()) {
    const found = actual[i];
    const past = i >= skipped.at;
    const expectedAxis = past ? i + skipped.expected : i;
    const actualAxis = past ? i + skipped.actual : i;
    if (wanted.kind === 'size' && found.kind === 'size')
      equations.push({ left: wanted.size, right: found.size, expectedAxis, actualAxis });
    else if (wanted.kind !== 'pack' || found.kind !== 'pack' || wanted.pack !== found.pack)
      return { kind: 'pack mismatch', expectedAxis, actualAxis };
  }
  return { kind: 'matched', packs, equations };
}

/** A shape with its packs replaced by their axes, and its sizes by `size`. */
export const substituteShape = (
  shape: Shape,
  packs: ReadonlyMap<PackVar, Shape>,
  size: (d: Dim) => Dim,
): Shape =>
  shape.flatMap((a): Shape => {
    if (a.kind === 'pack') return packs.get(a.pack) ?? [a];
    return [{ kind: 'size', size: size(a.size) }];
  });
