// Sizes that agree only where nothing was rounded: the two sides of a skip connection, one of them halved and doubled again.

import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { sizes } from '../diagnostics/types-and-shapes.ts';
import { constant, dimOf, isConstant, quotientsOf } from '../dims/arithmetic.ts';
import { assume, noAssumptions } from '../dims/assumptions.ts';
import type { Dim } from '../dims/dim.ts';
import { sizesOf } from '../dims/linear.ts';
import { proveEqual } from '../dims/prove.ts';
import { showDim, showValuation } from '../dims/show.ts';
import type { Shape } from '../dims/shape.ts';
import type { BuiltinCall } from './builtin.ts';

const POWERS = [2, 4, 8, 16, 32, 64];

/** The divisibility of one size that makes the two equal: `H % 2 == 0`; null where none does. */
function settledBy(a: Dim, b: Dim): string | null {
  const quotients = [...quotientsOf(a), ...quotientsOf(b)];
  const by = quotients.flatMap((q) => isConstant(q.denominator) ?? []);
  const candidates = [...new Set([...by, ...POWERS])].sort((x, y) => x - y);
  for (const v of new Set([...sizesOf(a), ...sizesOf(b)]))
    for (const n of candidates) {
      const fact = { kind: 'divisible', left: dimOf(v), right: constant(n) } as const;
      if (proveEqual(a, b, assume(noAssumptions, fact)).kind === 'proved')
        return `${v.name} % ${n} == 0`;
    }
  return null;
}

/** Reports the first pair of sizes, from the end, that rounding makes differ; false where there is none. */
export function reportRounded(call: BuiltinCall, left: Shape, right: Shape, span: Span): boolean {
  for (let i = 1; i <= Math.min(left.length, right.length); i++) {
    const [a, b] = [left[left.length - i], right[right.length - i]];
    if (a.kind === 'pack' || b.kind === 'pack') continue;
    const answer = call.sameSize(a.size, b.size);
    if (answer.kind !== 'refuted') continue;
    if (quotientsOf(a.size).length + quotientsOf(b.size).length === 0) return false;
    const condition = settledBy(a.size, b.size);
    const [l, r] = [showDim(a.size), showDim(b.size)];
    call.report(
      report(sizes.E0106, {
        span,
        data: {
          left: l,
          right: r,
          values: `${showValuation(answer.valuation)} they are ${answer.left} and ${answer.right}`,
        },
        help: condition === null ? null : `add \`where ${condition}\``,
      }),
    );
    return true;
  }
  return false;
}
