// A program as an artifact that stands alone: NAME.js with its types, and its kernels as text. The module's text is what is particular to
// the program, readable; the runtime, one for all programs, follows it, minified.

import type { CompiledFunction, CompiledProgram, CompiledTrain } from '../../program.ts';
import { isConstant } from '../../dims/arithmetic.ts';
import type { Graph, Port } from '../../ir/graph.ts';
import type { Feature, Target } from './adapter.ts';
import { declarations } from './declarations.ts';
import { emitWgsl, type WgslProgram } from './emit.ts';
import { halfParameters } from './halves.ts';
import type { Stored } from './expressions.ts';
import { holdOnGpu } from './held.ts';
import { indent, keyOf, list, object, planText, quoted, type Declared } from './javascript.ts';
import { kernelListing } from './listing.ts';

/** The runtime as JavaScript that exports `load`, and reads `model`; see runtime/webgpu/embedded/. */
export interface RuntimeText {
  /** Where nothing is learnt, no input has bounds, no equation is solved and no feature taken. */
  readonly least: string;
  readonly all: string;
}

export interface ModuleOptions {
  readonly target: Target;
  readonly runtime: RuntimeText;
  /** The name of the file of weights that lies beside the module; null where there is none. */
  readonly weights: string | null;
}

/** The artifact's texts by file name: `NAME.js`, `NAME.d.ts`, and `NAME.FN.wgsl` for each export fn and train block. */
export function emitModule(
  program: CompiledProgram,
  { target, runtime, weights }: ModuleOptions,
): ReadonlyMap<string, string> {
  const { name, functions, trains } = program;
  const kernels = createKernels();
  const held = new Map<string, string>();
  const halved = halfParameters(program, target);
  const files = new Map<string, string>();
  const features = new Set<Feature>();
  const emit = ({ graph, declared, block }: Entry, listed: string[]): string => {
    const emitted = emitWgsl(graph, target, halved);
    const heldAs = (port: Port): string => heldKey(port, ownerOf(program, port, block));
    for (const { port } of holdOnGpu(emitted).held) {
      const stored = halved.has(port.name) ? 'f16' : port.value.dtype;
      held.set(heldAs(port), heldText(port, stored, ownerOf(program, port, block)));
    }
    listed.push(kernelListing(emitted));
    for (const kernel of emitted.kernels) kernel.features.forEach((of) => features.add(of));
    return planText(emitted, kernels.namesOf(emitted), heldAs, declared);
  };
  const plans = functions.map((f) => {
    const listed: string[] = [];
    const text = emit({ graph: f.graph, declared: declaredBy(f), block: null }, listed);
    files.set(`${name}.${f.name}.wgsl`, listed.join('\n'));
    return [f.name, text] as const;
  });
  const blocks = trains.map((train) => {
    const listed: string[] = [];
    const declared = declaredBy(train);
    const parts = (['init', 'step', 'evaluate'] as const).map((part) => {
      const entry = { graph: train[part], declared, block: train.name };
      return [part, emit(entry, listed)] as const;
    });
    files.set(`${name}.${train.name}.wgsl`, listed.join('\n'));
    return [train.name, object(parts)] as const;
  });
  const model = object([
    ...(weights === null
      ? []
      : [['weights', `new URL(${quoted(`./${weights}`)}, import.meta.url)`] as const]),
    ['held', object([...held])],
    ['remedy', quoted(remedyOf(program))],
    ['functions', object(plans)],
    ...(blocks.length > 0 ? [['blocks', object(blocks)] as const] : []),
    ...(features.size > 0 ? [['features', list([...features].map(quoted))] as const] : []),
  ]);
  const text = `// ${name}.dlg on WebGPU; its types are in ${name}.d.ts.

const code = ${kernels.text()};

const model = ${model};

// The runtime.
${(features.size > 0 || needsAll(program) ? runtime.all : runtime.least).trim()}
`;
  return new Map([[`${name}.js`, text], [`${name}.d.ts`, declarations(program)], ...files]);
}

function needsAll({ functions, trains }: CompiledProgram): boolean {
  const hasBounds = ({ graph, data }: CompiledFunction): boolean =>
    data.some(({ size }) => size !== null) || graph.inputs.some(({ role }) => role === 'size');
  const solves = ({ graph }: CompiledFunction): boolean =>
    graph.outputs.some(({ role }) => role === 'solved');
  return trains.length > 0 || functions.some((f) => hasBounds(f) || solves(f));
}

/** How a parameter gets a value. */
const remedyOf = ({ trains }: CompiledProgram): string => {
  const [block, ...others] = trains.map(({ name }) => name);
  const draws = others.length > 0 ? 'start(seed) of its train block' : `${block}.start(seed)`;
  return `load({ weights }) gives it${block === undefined ? '' : `, ${draws} draws it`}`;
};

interface Entry {
  readonly graph: Graph;
  readonly declared: Declared;
  readonly block: string | null;
}

const declaredBy = ({ data }: CompiledFunction | CompiledTrain): Declared =>
  new Map(data.map((port) => [port.name, port]));

/** The train block that keeps a held value for itself: an optimiser's state, a counter, a state of its own. */
const ownerOf = ({ init }: CompiledProgram, { name }: Port, block: string | null): string | null =>
  init.outputs.some((shared) => shared.name === name) ? null : block;

const heldKey = ({ name }: Port, owner: string | null): string =>
  owner === null ? name : `${owner}: ${name}`;

const heldText = ({ value }: Port, stored: Stored, owner: string | null): string =>
  object([
    ['dtype', quoted(stored)],
    ['shape', `[${value.shape.map((size) => isConstant(size) ?? 'NaN').join(', ')}]`],
    ...(owner === null ? [] : [['block', quoted(owner)] as const]),
  ]);

interface Kernels {
  /** The names of a program's kernels in `code`. */
  readonly namesOf: (program: WgslProgram) => readonly string[];
  readonly text: () => string;
}

/** All kernels of the module: one that several programs have is written once; two of one name are told apart. */
function createKernels(): Kernels {
  const names = new Map<string, string>();
  const codes = new Map<string, string>();
  const nameOf = ({ name, code }: WgslProgram['kernels'][number]): string => {
    const known = names.get(code);
    if (known !== undefined) return known;
    let own = name;
    for (let n = 2; codes.has(own); n++) own = `${name}_v${n}`;
    names.set(code, own);
    codes.set(own, code.replace(`fn ${name}(`, `fn ${own}(`));
    return own;
  };
  return {
    namesOf: ({ kernels }) => kernels.map(nameOf),
    text: () =>
      `{\n${[...codes].map(([name, code]) => `${indent(`${keyOf(name)}: \`\n`)}${escaped(code)}\`,\n`).join('')}}`,
  };
}

/** As it stands in a template literal. */
const escaped = (code: string): string => code.replaceAll(/[\\`]|\$(?=\{)/g, '\\$&');
