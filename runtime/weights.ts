// Weights from a safetensors file, whoever wrote it: all that a program needs, or a part of it to start training from. What does not
// fit is told all at once, and nothing is taken then.

import { sizeOf, type Tensor } from '../compiler/ir/tensor.ts';
import type { ArrayFile } from './data/array.ts';
import { readWeightsFile } from './checkpoint.ts';
import { isProblem, problem, showSizes, type Problem } from './problem.ts';
import type { PortInfo } from './program.ts';
import { rename, type Renaming } from './renaming.ts';

export interface Weights {
  readonly kind: 'weights';
  /** By path. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Paths that the program has and the file lacks. */
  readonly missing: readonly string[];
  /** Names of the file that were not taken, but for those that a rule leaves out. */
  readonly unused: readonly string[];
}

/** Every one of `ports`, by name, from a safetensors file; what else the file holds is left alone. */
export function loadWeights(
  path: string,
  ports: readonly PortInfo[],
  rules: readonly Renaming[] = [],
): ReadonlyMap<string, Tensor> | Problem {
  const weights = takeWeights(path, ports, rules);
  if (isProblem(weights)) return weights;
  const { missing, tensors, unused } = weights;
  if (missing.length === 0) return tensors;
  return {
    ...problem(
      'E0509',
      path,
      `has nothing for ${listed(missing)}, which the program needs`,
      unused.length === 0 ? null : '`--map OLD=NEW` says what the file calls it',
    ),
    notes: notesOn(weights),
  };
}

/** Those of `ports` that the file has, to start from; a problem where none is among them. */
export function startingWeights(
  path: string,
  ports: readonly PortInfo[],
  rules: readonly Renaming[],
): Weights | Problem {
  const weights = takeWeights(path, ports, rules);
  if (isProblem(weights) || weights.tensors.size > 0) return weights;
  const help = '`--map OLD=NEW` says what the file calls it, as in `--map encoder=net.enc`';
  const none = problem('E0509', path, 'has nothing that the program has', help);
  return { ...none, notes: notesOn(weights) };
}

/** Those of `ports` that the file has; a problem where one has another shape. */
function takeWeights(
  path: string,
  ports: readonly PortInfo[],
  rules: readonly Renaming[],
): Weights | Problem {
  const file = readWeightsFile(path);
  if (isProblem(file)) return file;
  const named = new Map<string, Entry>();
  for (const [name, array] of file.tensors) {
    const { path: to, rule } = rename(name, rules);
    const before = to === null ? undefined : named.get(to);
    if (before !== undefined)
      return problem('E0509', path, `has two tensors for ${to}: ${before.name} and ${name}`);
    if (to !== null) named.set(to, { name, array, rule });
  }
  const wanted = new Map(ports.map((port) => [port.name, port]));
  const idle = idleRule(path, file.tensors, named, wanted, rules);
  if (idle !== null) return idle;
  const fitted = ports.flatMap((port) => {
    const entry = named.get(port.name);
    return entry === undefined ? [] : [{ port, entry, tensor: fit(port, entry) }];
  });
  const tensors = new Map<string, Tensor>();
  const misfits: string[] = [];
  for (const { port, tensor } of fitted)
    if (typeof tensor === 'string') misfits.push(tensor);
    else tensors.set(port.name, tensor);
  const weights: Weights = {
    kind: 'weights',
    tensors,
    missing: ports.filter(({ name }) => !named.has(name)).map(({ name }) => name),
    unused: unusedOf(named, wanted),
  };
  const [first, ...others] = misfits;
  if (first === undefined) return weights;
  return {
    ...problem('E0509', path, first),
    notes: [...others.map((misfit) => `${path} ${misfit}`), ...notesOn(weights)],
  };
}

/** Names that the program does not have, but for what an optimiser or a counter of ours left beside its parameter. */
function unusedOf(
  named: ReadonlyMap<string, Entry>,
  wanted: ReadonlyMap<string, PortInfo>,
): readonly string[] {
  const isBeside = (path: string): boolean =>
    path.split('.').some((_, i, parts) => i > 0 && named.has(parts.slice(0, i).join('.')));
  return [...named].flatMap(([path, { name }]) =>
    wanted.has(path) || path === 'step' || isBeside(path) ? [] : [name],
  );
}

/** A tensor of the file, by the path it gets. */
interface Entry {
  readonly name: string;
  readonly array: ArrayFile;
  readonly rule: Renaming | null;
}

/** A rule that finds nothing in the file, or nothing in the program, is a mistake. */
function idleRule(
  path: string,
  tensors: ReadonlyMap<string, ArrayFile>,
  named: ReadonlyMap<string, Entry>,
  wanted: ReadonlyMap<string, PortInfo>,
  rules: readonly Renaming[],
): Problem | null {
  for (const rule of rules) {
    const { from, to } = rule;
    const names = [...tensors.keys()].filter((name) => rename(name, [rule]).rule === rule);
    if (names.length === 0)
      return {
        ...problem('E0509', path, `has nothing called ${from}`),
        notes: [`it holds ${listed([...tensors.keys()])}`],
      };
    const paths = [...named].filter(([, entry]) => entry.rule === rule).map(([found]) => found);
    if (to === null || paths.length === 0 || paths.some((found) => wanted.has(found))) continue;
    return {
      ...problem('E0509', path, `is to give ${listed(paths)}, which the program does not have`),
      notes: [`it has ${listed([...wanted.keys()])}`],
    };
  }
  return null;
}

/** What is there on both sides, for a person who looks for the right names. */
function notesOn({ tensors, missing, unused }: Weights): readonly string[] {
  return [
    ...(tensors.size === 0 ? [] : [`these fit: ${listed([...tensors.keys()])}`]),
    ...(missing.length === 0 ? [] : [`the program also has ${listed(missing)}`]),
    ...(unused.length === 0 ? [] : [`the file also has ${listed(unused)}`]),
  ];
}

/** At most eight of them. */
export const listed = (names: readonly string[]): string =>
  names.length <= 8
    ? names.join(', ')
    : `${names.slice(0, 7).join(', ')} and ${names.length - 7} more`;

// ---- one tensor ---------------------------------------------------------------------------------------------------

type ElementType = ArrayFile['type'];

/** The element types of a file that a tensor of the program takes, and how its elements are made. */
const accepted: Readonly<
  Record<
    PortInfo['dtype'],
    { readonly types: readonly ElementType[]; readonly make: (n: number) => Tensor['data'] }
  >
> = {
  f32: {
    types: ['float32', 'float16', 'bfloat16', 'float64'],
    make: (n) => new Float32Array(n),
  },
  i32: { types: ['int32', 'int64'], make: (n) => new Int32Array(n) },
  u32: { types: ['uint32'], make: (n) => new Uint32Array(n) },
  bool: { types: ['bool'], make: (n) => new Uint8Array(n) },
};

/** The tensor as the program declares it; a sentence where it is another. */
function fit({ name: path, dtype, dims }: PortInfo, { name, array, rule }: Entry): Tensor | string {
  const { types, make } = accepted[dtype];
  const transpose = rule?.transpose ?? null;
  const order = transpose?.length === array.shape.length ? transpose : null;
  const shape = order === null ? array.shape : order.map((axis) => array.shape[axis]);
  const isSame = (sizes: readonly number[]): boolean =>
    sizes.length === dims.length && sizes.every((size, axis) => size === dims[axis]);
  if (types.includes(array.type) && isSame(shape)) {
    const data = make(array.data.length);
    data.set(order === null ? array.data : transposed(array, order));
    return { dtype, shape, data };
  }
  const called = name === path ? path : `${path} (there called ${name})`;
  const turned =
    order === null && array.shape.length === 2 && isSame(array.shape.toReversed())
      ? '; its transpose would fit: "transpose": [1, 0] in a file of `--map`'
      : '';
  return `holds ${array.type} ${showSizes(array.shape)} for ${called}, but the program declares ${types[0]} ${showSizes(dims)}${turned}`;
}

/** Row-major elements with the axes in another order. */
function transposed({ shape, data }: ArrayFile, order: readonly number[]): number[] {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis]);
  return Array.from({ length: data.length }, (_, i) => {
    let [rest, at] = [i, 0];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += (rest % sizes[axis]) * strides[order[axis]];
      rest = Math.floor(rest / sizes[axis]);
    }
    return data[at];
  });
}
