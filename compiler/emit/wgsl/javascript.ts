// Pieces of JavaScript text: names, literals, numbers that depend on free sizes as functions of them, and the plan of a program, as the
// runtime takes it (runtime/webgpu/embedded/types.ts).

import { evaluate, isConstant, variablesOf } from '../../dims/arithmetic.ts';
import type { Dim, DimVar } from '../../dims/dim.ts';
import { javascriptDim } from '../../dims/show.ts';
import { showType } from '../../ir/types.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { showPort, type DataPort } from '../../program.ts';
import type { ProgramPort, ProgramStep, WgslProgram } from './emit.ts';
import { holdOnGpu } from './held.ts';

export const indent = (text: string, by = '  '): string => text.replaceAll(/^(?=.)/gm, by);

/** `'net.l1.W'`. */
export const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** A key of an object: quoted where it is no name. */
export const keyOf = (name: string): string =>
  /^([\p{ID_Start}$_][\p{ID_Continue}$]*|\d+)$/u.test(name) ? name : quoted(name);

/** `[a, b]`, in lines of their own where one does not hold them. */
export function list(items: readonly string[]): string {
  const line = `[${items.join(', ')}]`;
  if (line.length <= 110 && !line.includes('\n')) return line;
  return `[\n${items.map((item) => `${indent(item)},\n`).join('')}]`;
}

export function object(fields: readonly (readonly [name: string, value: string])[]): string {
  const members = fields.map(([name, value]) =>
    keyOf(name) === value ? value : `${keyOf(name)}: ${value}`,
  );
  const line = `{ ${members.join(', ')} }`;
  if (line.length <= 110 && !line.includes('\n')) return members.length === 0 ? '{}' : line;
  return `{\n${members.map((member) => `${indent(member)},\n`).join('')}}`;
}

const arrays = { f32: 'Float32Array', i32: 'Int32Array', u32: 'Uint32Array', bool: 'Uint8Array' };

/** The class of the elements' array. */
export const arrayOf = ({ dtype }: Pick<Tensor, 'dtype'>): string => arrays[dtype];

/** The shortest decimal that the 32-bit real is nearest to. */
function decimal(value: number): string {
  if (Object.is(value, -0)) return '-0';
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

const literal = (value: Tensor): string =>
  `new ${arrayOf(value)}([${Array.from(value.data, (x) => decimal(value.dtype === 'f32' ? Math.fround(x) : x)).join(', ')}])`;

// ---- sizes --------------------------------------------------------------------------------------------------------

/** What a size must not be called in a strict function that computes with it. */
const reserved = new Set(['arguments', 'eval', 'in', 'Math', 'given', 'run']);

const safeName = (name: string): string => (reserved.has(name) ? `${name}_` : name);

interface SizeNames {
  readonly expression: (dim: Dim) => string;
  /** `([B]) => [B, 10]`, or `() => [64, 10]`. */
  readonly ofSizes: (dims: readonly Dim[], text: string) => string;
  readonly all: readonly string[];
}

function namesOf({ sizes }: WgslProgram): SizeNames {
  const names = new Map<DimVar, string>(
    sizes.map(({ name, source }) => [source.variable, safeName(name)]),
  );
  const all = [...names.values()];
  return {
    all,
    expression: (dim) => javascriptDim(dim, (v) => names.get(v) ?? 'NaN'),
    ofSizes: (dims, text) =>
      dims.every((dim) => variablesOf(dim).size === 0)
        ? `() => ${text}`
        : `([${all.join(', ')}]) => ${text}`,
  };
}

/** The free sizes from the shapes of the inputs. */
function solving(
  { sizes }: WgslProgram,
  inputs: readonly ProgramPort[],
  { expression, all }: SizeNames,
): string {
  const found = sizes.map(({ source: { port, axis, coefficient, rest } }) => {
    const from = inputs.findIndex((input) => input.port.name === port.name);
    // Of a size that is an input itself, the only element is its value.
    const size = axis === null ? `given[${from}].data?.[0]` : `given[${from}].shape[${axis}]`;
    const [by, less] = [expression(coefficient), expression(rest)];
    const top = less === '0' ? size : `(${size} - (${less}))`;
    return by === '1' ? top : `${top} / (${by})`;
  });
  const [only] = found;
  if (found.length === 0) return '() => []';
  if (found.length === 1) return `(given) => [${only}]`;
  const lines = found.map((text, i) => `  const ${all[i]} = ${text};\n`);
  return `(given) => {\n${lines.join('')}  return [${all.join(', ')}];\n}`;
}

// ---- plans --------------------------------------------------------------------------------------------------------

/** How inputs are declared, by name. */
export type Declared = ReadonlyMap<string, DataPort>;

/** The plan of a program; `kernelNames` are those of its kernels in `code`, `heldAs` the key of a held value. */
export function planText(
  program: WgslProgram,
  kernelNames: readonly string[],
  heldAs: (port: ProgramPort['port']) => string,
  declared: Declared,
): string {
  const { inputs, outputs, held, copies, slots } = holdOnGpu(program);
  const names = namesOf(program);
  const { expression, ofSizes } = names;
  const ofAll = (dims: readonly Dim[]): string => ofSizes(dims, list(dims.map(expression)));
  const shared = ({ port: { name, value }, slot }: ProgramPort) =>
    [
      ['name', quoted(name)],
      ['dtype', quoted(value.dtype)],
      ['shape', ofAll(value.shape)],
      ['slot', String(slot)],
    ] as const;
  const input = (of: ProgramPort): string => {
    const { name, size, value } = of.port;
    const port = declared.get(name);
    const below = port?.size ?? null;
    const type = port === undefined ? showType(value) : showPort(port);
    return object([
      ...shared(of),
      ['type', quoted(type)],
      ...(below === null ? [] : [['below', ofSizes([below], expression(below))] as const]),
      ...(size === undefined ? [] : [['least', String(leastOf(size))] as const]),
    ]);
  };
  const output = (of: ProgramPort): string =>
    object([
      ...shared(of),
      ...(of.port.role === 'solved' ? [['equation', quoted(equationOf(of))] as const] : []),
    ]);
  const kernels = program.kernels.map(({ slots: bound, readsSizes, groups }, i) =>
    object([
      ['name', quoted(kernelNames[i])],
      ['slots', `[${(readsSizes ? [...bound, slots.length] : bound).join(', ')}]`],
      ['groups', ofSizes([groups], expression(groups))],
    ]),
  );
  const sizes = slots.map((slot) => slot.sizes);
  const largest = sizes.map((all) => {
    const known = all.map(isConstant).filter((size) => size !== null);
    const open = all.filter((size) => isConstant(size) === null).map(expression);
    const terms = known.length === 0 ? open : [...open, String(Math.max(...known))];
    return terms.length === 1 ? terms[0] : `Math.max(${terms.join(', ')})`;
  });
  const tables = program.tables.map(({ slot, value }) => `[${slot}, ${literal(value)}]`);
  const steps = program.steps.every((step) => 'kernel' in step)
    ? null
    : `(run${names.all.length === 0 ? '' : `, [${names.all.join(', ')}]`}) => {\n${indent(stepsText(program.steps, names).join('\n'))}\n}`;
  return object([
    ['sizes', solving(program, inputs, names)],
    ['inputs', list(inputs.map(input))],
    ['outputs', list(outputs.map(output))],
    ['held', object(held.map(({ port, slot }) => [String(slot), quoted(heldAs(port))] as const))],
    ['slots', ofSizes(sizes.flat(), list(largest))],
    ...(tables.length === 0 ? [] : [['tables', list(tables)] as const]),
    ['code', 'code'],
    ['kernels', list(kernels)],
    ...(steps === null ? [] : [['steps', steps] as const]),
    ...(copies.length === 0
      ? []
      : [['copies', list(copies.map(({ from, to }) => `[${from}, ${to}]`))] as const]),
  ]);
}

/** `run(0);`, and loops of such. */
function stepsText(steps: readonly ProgramStep[], names: SizeNames, depth = 0): string[] {
  return steps.flatMap((step) => {
    if ('kernel' in step) return [`run(${step.kernel});`];
    const counter = `n${depth}`;
    const body = indent(stepsText(step.steps, names, depth + 1).join('\n'));
    const count = names.expression(step.count);
    return [`for (let ${counter} = ${count}; ${counter} > 0; ${counter}--) {\n${body}\n}`];
  });
}

const leastOf = (size: Dim): number =>
  isConstant(size) ?? evaluate(size, (v) => (v.kind === 'variable' ? v.minimum : 1));

/** `fix V`, of the output `solved.fix.V`. */
const equationOf = ({ port: { name } }: ProgramPort): string =>
  name.replace(/^solved\./, '').replace('.', ' ');
