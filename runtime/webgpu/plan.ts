// A WGSL program as the runtime takes it: dimension expressions become functions of the values of the free sizes. An artifact has the
// same as text (compiler/emit/wgsl/javascript.ts).

import { evaluate } from '../../compiler/dims/arithmetic.ts';
import type { Dim, DimVar, PackVar } from '../../compiler/dims/dim.ts';
import { showDim } from '../../compiler/dims/show.ts';
import type { HeldLayout } from '../../compiler/emit/wgsl/held.ts';
import type { ProgramPort, ProgramStep, WgslProgram } from '../../compiler/emit/wgsl/emit.ts';
import type { TensorData } from '../../compiler/ir/tensor.ts';
import type { Numbers, Plan, PlanInput } from './embedded/types.ts';

type Values = ReadonlyMap<DimVar | PackVar, number>;

/** A plan whose every input is given and every output is a result; unless some are `held`, as in an artifact. */
export function planOf(
  program: WgslProgram,
  { inputs, outputs, slots, held, copies }: HeldLayout = { ...program, held: [], copies: [] },
): Plan {
  const { sizes, tables, kernels, steps } = program;
  const variables = sizes.map(({ source }) => source.variable);
  const at =
    (dim: Dim) =>
    (values: ArrayLike<number>): number =>
      evaluateWith(dim, new Map(variables.map((v, i) => [v, values[i] ?? Number.NaN])));
  const port = ({ port: { name, role, value }, slot }: ProgramPort): PlanInput => {
    const shape = value.shape.map(at);
    return {
      name,
      dtype: value.dtype,
      type: `${value.dtype}[${value.shape.map(showDim).join(', ')}]`,
      shape: (values) => shape.map((size) => size(values)),
      slot,
      ...(role === 'size' ? { least: 0 } : {}),
    };
  };
  const runner = (of: readonly ProgramStep[]): Required<Plan>['steps'] => {
    const all = of.map((step): Required<Plan>['steps'] => {
      if ('kernel' in step) return (run) => run(step.kernel);
      const [count, body] = [at(step.count), runner(step.steps)];
      return (run, values) => {
        for (let n = count(values); n > 0; n--) body(run, values);
      };
    });
    return (run, values) => all.forEach((step) => step(run, values));
  };
  const slotSizes = slots.map((slot) => slot.sizes.map(at));
  return {
    sizes(given) {
      const values = new Map<DimVar | PackVar, number>();
      for (const { source } of sizes) {
        const { variable, port: from, axis, coefficient, rest } = source;
        const { shape, data } = given[inputs.findIndex(({ port: p }) => p.name === from.name)];
        const size = (axis === null ? data?.[0] : shape[axis]) ?? Number.NaN;
        values.set(
          variable,
          (size - evaluateWith(rest, values)) / evaluateWith(coefficient, values),
        );
      }
      return variables.map((v) => values.get(v) ?? Number.NaN);
    },
    inputs: inputs.map(port),
    outputs: outputs.map(port),
    held: Object.fromEntries(held.map(({ port: { name }, slot }) => [slot, name])),
    copies: copies.map(({ from, to }) => [from, to]),
    slots: (values) => slotSizes.map((all) => Math.max(...all.map((size) => size(values)))),
    tables: tables.map(({ slot, value }) => [slot, numbersOf(value.data)]),
    code: Object.fromEntries(kernels.map(({ name, code }) => [name, code])),
    kernels: kernels.map(({ name, slots: bound, readsSizes, groups }) => ({
      name,
      slots: readsSizes ? [...bound, slots.length] : bound,
      groups: at(groups),
    })),
    steps: runner(steps),
  };
}

const evaluateWith = (dim: Dim, values: Values): number =>
  evaluate(dim, (v) => values.get(v) ?? Number.NaN);

const numbersOf = (data: TensorData): Numbers =>
  data instanceof Float64Array ? Float32Array.from(data) : data;
