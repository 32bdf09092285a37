// Folds what the lanes of a row have each found: as a tree through workgroup memory, or by the instructions of subgroups where the target
// has them. Every lane has the result, and the order is the same every time.

import type { Feature } from './adapter.ts';
import type { DType } from '../../ir/tensor.ts';
import { literal, typeNames } from './expressions.ts';
import type { KernelContext } from './kernel-context.ts';
import type { Fold } from './lowering.ts';
import type { Writer } from './writer.ts';

/** How a row kernel lies over a workgroup. */
export interface Layout {
  /** Rows a workgroup. */
  readonly rows: number;
  /** Invocations a row. */
  readonly lanes: number;
}

export interface Accumulated {
  readonly fold: Fold;
  /** Of a reduction: its kind. */
  readonly kind: string | null;
  readonly accumulators: readonly string[];
}

/** What a kernel turns out to take: declarations in workgroup memory, and features. */
export interface Taken {
  readonly shared: string[];
  readonly features: Set<Feature>;
}

export function foldLanes(
  context: KernelContext,
  layout: Layout,
  foldings: readonly Accumulated[],
  { shared, features }: Taken,
): void {
  if (layout.lanes === 1) return;
  const hasSubgroups = context.target.features?.includes('subgroups') === true;
  if (hasSubgroups && layout.rows === 1 && foldings.every(isOfSubgroups)) {
    features.add('subgroups');
    for (const folding of foldings) writeSubgroups(context, layout, folding, shared);
  } else writeTree(context, layout, foldings, shared);
}

const ofSubgroups: Readonly<Record<string, { readonly name: string; readonly dropsNaN: boolean }>> =
  {
    add: { name: 'subgroupAdd', dropsNaN: false },
    multiply: { name: 'subgroupMul', dropsNaN: false },
    max: { name: 'subgroupMax', dropsNaN: true },
    min: { name: 'subgroupMin', dropsNaN: true },
  };

const isOfSubgroups = ({ kind, fold: { accumulators } }: Accumulated): boolean =>
  kind !== null && kind in ofSubgroups && accumulators[0].dtype !== 'bool';

/** What a subgroup's lanes have in `x`, folded. The largest of numbers and NaN may be any, and is to be NaN. */
function folded({ call }: Writer, kind: string, dtype: DType, x: string): string {
  const { name, dropsNaN } = ofSubgroups[kind];
  const plain = `${name}(${x})`;
  if (!dropsNaN || dtype !== 'f32') return plain;
  return `select(${plain}, ${call('not_a_number')}, subgroupAny(${call('is_nan', x)}))`;
}

/**
 * Each subgroup folds its lanes, and one lane of it writes that down; then each folds all that is written. How many lanes a subgroup has, and
 * which, nothing says before it runs: the lane that writes is the lowest, the others write what changes nothing.
 */
function writeSubgroups(
  { writer }: KernelContext,
  { lanes }: Layout,
  { fold, kind, accumulators: [name] }: Accumulated,
  shared: string[],
): void {
  const [{ dtype, initial }] = fold.accumulators;
  const [array, neutral] = [
    writer.name(`${name}_of_subgroups`),
    literal(dtype, initial, writer.call),
  ];
  const foldSubgroup = (): void => writer.assign(name, folded(writer, kind ?? '', dtype, name));
  shared.push(`var<workgroup> ${array}: array<${typeNames[dtype]}, ${lanes}>;`);
  foldSubgroup();
  writer.line(`${array}[lane] = select(${neutral}, ${name}, lane == subgroupMin(lane));`);
  writer.line('workgroupBarrier();');
  writer.assign(name, neutral);
  const at = writer.name('at');
  const range = `var ${at} = subgroup_lane; ${at} < ${lanes}u; ${at} += subgroup_lanes`;
  writer.block(`for (${range})`, () =>
    assignAll(writer, [name], fold.combine([name], [`${array}[${at}]`], writer)),
  );
  foldSubgroup();
}

export const assignAll = (writer: Writer, to: readonly string[], values: readonly string[]): void =>
  to.forEach((name, i) => writer.assign(name, values[i]));

/** Halves, quarters, eighths. */
function writeTree(
  { writer }: KernelContext,
  { rows, lanes }: Layout,
  foldings: readonly Accumulated[],
  shared: string[],
): void {
  const arrays = foldings.map(({ fold, accumulators }) =>
    accumulators.map((name, i) => {
      const array = writer.name(`${name}_of_lanes`);
      const type = typeNames[fold.accumulators[i].dtype];
      shared.push(`var<workgroup> ${array}: array<${type}, ${rows * lanes}>;`);
      writer.line(`${array}[lane] = ${name};`);
      return array;
    }),
  );
  writer.line('workgroupBarrier();');
  const step = writer.name('half');
  const part = rows === 1 ? 'lane' : 'part';
  writer.block(`for (var ${step} = ${lanes / 2}u; ${step} > 0u; ${step} /= 2u)`, () => {
    writer.block(`if (${part} < ${step})`, () => {
      const other = rows === 1 ? `lane + ${step}` : `lane + ${step} * ${rows}u`;
      foldings.forEach(({ fold }, f) => {
        const own = arrays[f].map((array) => `${array}[lane]`);
        const beside = arrays[f].map((array) => `${array}[${other}]`);
        const combined = fold.combine(own, beside, writer);
        const [first, ...rest] = combined;
        const held =
          rest.length === 0 ? [first] : combined.map((text) => writer.bind('kept', text));
        assignAll(writer, own, held);
      });
    });
    writer.line('workgroupBarrier();');
  });
  const first = rows === 1 ? '0u' : `lane % ${rows}u`;
  foldings.forEach(({ accumulators }, f) =>
    assignAll(
      writer,
      accumulators,
      arrays[f].map((array) => `${array}[${first}]`),
    ),
  );
}
