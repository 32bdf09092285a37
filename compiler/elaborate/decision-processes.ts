// What every decision process must hold: probabilities that are not negative and sum to one, a discount that makes sums of
// rewards finite. Reported, but no error: states that nothing leads to.

import type { InstanceValue } from '../builtins/elaboration.ts';
import type { TypedConstant } from '../check/typed.ts';
import { report, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { tables } from '../diagnostics/tables.ts';
import type { Span } from '../../grammar/source.ts';
import type { Tensor } from '../ir/tensor.ts';
import { refuse } from './context.ts';
import { placeOf, shown } from './table-checks.ts';

/** How far a sum of probabilities may be from one, for what float64 rounds away. */
const tolerance = 1e-9;

type Read = (table: TypedConstant) => Tensor;

const tableNamed = ({ model }: InstanceValue, name: string): TypedConstant => {
  const found = model.constants.find((constant) => constant.name === name);
  if (found === undefined) throw new Error(`${model.name} has no ${name}`);
  return found;
};

/** Refuses an instance, made at `span`, that is no decision process. */
export function checkProcess(instance: InstanceValue, span: Span, read: Read): void {
  const related = (table: TypedConstant) => [{ span: table.span, reason: 'defined here' }];
  const discount = tableNamed(instance, 'discount');
  const [gamma] = read(discount).data;
  if (!(gamma >= 0 && gamma < 1))
    refuse(
      report(tables.E0806, { span, data: { value: shown(gamma) }, related: related(discount) }),
    );
  const P = tableNamed(instance, 'P');
  const { shape, data } = read(P);
  const negative = data.findIndex((p) => !(p >= 0));
  if (negative >= 0) {
    const [s, a, r] = placeOf(shape, negative);
    const value = { s, a, r, value: shown(data[negative]) };
    refuse(report(tables.E0807, { span, data: value, related: related(P) }));
  }
  if (instance.model.rowSum === 1) return;
  const states = shape[2];
  for (let row = 0; row * states < data.length; row++) {
    let sum = 0;
    for (let r = 0; r < states; r++) sum += data[row * states + r];
    if (Math.abs(sum - 1) <= tolerance) continue;
    const [s, a] = placeOf(shape.slice(0, 2), row);
    refuse(report(tables.E0808, { span, data: { s, a, sum: shown(sum) }, related: related(P) }));
  }
}

/** A warning of states that no other state leads to. */
export function unreachableStates(
  instance: InstanceValue,
  span: Span,
  read: Read,
): readonly Diagnostic[] {
  const P = tableNamed(instance, 'P');
  const { shape, data } = read(P);
  const [states, actions] = shape;
  const entered = new Set<number>();
  data.forEach((p, flat) => {
    const [s, , r] = placeOf([states, actions, states], flat);
    if (p > 0 && s !== r) entered.add(r);
  });
  const lonely = Array.from({ length: states }, (_, s) => s).filter((s) => !entered.has(s));
  if (lonely.length === 0 || states === 1) return [];
  const related = [{ span: P.span, reason: 'the transitions' }];
  return [report(tables.E0809, { span, data: { states: listed(lonely) }, related })];
}

/** `3, 7 and 12`; of many, the first. */
function listed(states: readonly number[]): string {
  const most = 5;
  if (states.length > most)
    return `${states.slice(0, most).join(', ')} and ${states.length - most} more`;
  return states.length === 1
    ? `${states[0]}`
    : `${states.slice(0, -1).join(', ')} and ${states.at(-1)}`;
}
