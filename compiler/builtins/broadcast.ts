// The shape rule of elementwise operations, in its one place: equal shapes, or a scalar, or one shape a suffix of the
// other. Size-1 axes never stretch; everything else is index notation.

import type { Axis, Shape } from '../dims/shape.ts';
import type { Span } from '../../grammar/source.ts';
import { E0602, E0603 } from '../diagnostics/builtins.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { showDim, showValuation } from '../dims/show.ts';
import type { BuiltinCall } from './builtin.ts';
import { reportRounded } from './skip-sizes.ts';
import { isOne } from './type-tools.ts';

type Pair = { readonly left: Shape; readonly right: Shape; readonly span: Span };

/** The common shape of two operands, or null after a report at `span`. */
export function broadcastShapes(call: BuiltinCall, { left, right, span }: Pair): Shape | null {
  const [long, short] = left.length >= right.length ? [left, right] : [right, left];
  const offset = long.length - short.length;
  for (let i = short.length - 1; i >= 0; i--) {
    const why = difference(call, long[offset + i], short[i]);
    if (why === null) continue;
    const shapes = { left: call.showShape(left), right: call.showShape(right) };
    if (why === 'stretch') {
      call.report(report(E0603, { span, data: shapes }));
    } else if (!reportRounded(call, left, right, span)) {
      call.report(
        report(E0602, {
          span,
          data: { name: call.name, ...shapes, why },
          notes: why === '' ? [] : [why],
        }),
      );
    }
    return null;
  }
  return long;
}

/** The common shape of all; null after a report. */
export function broadcastAll(call: BuiltinCall, shapes: readonly Shape[]): Shape | null {
  let result: Shape | null = [];
  for (const shape of shapes)
    if (result !== null)
      result = broadcastShapes(call, { left: result, right: shape, span: call.span });
  return result;
}

/** Null where the axes are equal; otherwise the reason, which may be empty. */
function difference(call: BuiltinCall, a: Axis, b: Axis): string | null {
  if (a.kind === 'pack' || b.kind === 'pack')
    return a.kind === 'pack' && b.kind === 'pack' && a.pack === b.pack ? null : '';
  const answer = call.sameSize(a.size, b.size);
  if (answer.kind === 'proved') return null;
  if (isOne(a.size) || isOne(b.size)) return 'stretch';
  const [left, right] = [showDim(a.size), showDim(b.size)];
  if (answer.kind === 'unknown')
    return `nothing shows that ${left} and ${right} are equal: add \`where ${left} == ${right}\` if they are`;
  if (answer.valuation.size === 0) return '';
  return `for ${showValuation(answer.valuation)} ${left} is ${answer.left} and ${right} is ${answer.right}`;
}
