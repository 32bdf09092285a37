// The types of an artifact: NAME.d.ts.

import { isConstant } from '../../dims/arithmetic.ts';
import type { CompiledFunction, CompiledProgram, CompiledTrain, DataPort } from '../../program.ts';
import { showPort } from '../../program.ts';
import type { Graph } from '../../ir/graph.ts';
import { indent, keyOf } from './javascript.ts';

const arrayOf = { real: 'Float32Array', int: 'Int32Array', fin: 'Int32Array', bool: 'Uint8Array' };

export function declarations(program: CompiledProgram): string {
  const { name, functions, trains } = program;
  const members = [...functions.map(functionType), ...trains.map(blockType)];
  return `// The types of ${name}.js, which \`dlg build\` made of ${name}.dlg.

/** The model on a GPU: one method for each export fn${trains.length > 0 ? ', one object for each train block' : ''}. */
export interface Model {
${members.map((member) => `${indent(member)}\n`).join('\n')}
${indent(common(trains.length > 0))}
}

${general(name, trains.length > 0)}`;
}

/** `(x: [B, 784], y: fin(10)[B])`. */
const portList = (ports: readonly DataPort[]): string =>
  `(${ports.map((port) => `${port.name}: ${showPort(port)}`).join(', ')})`;

const draws = ({ inputs }: Graph): boolean => inputs.some(({ role }) => role === 'seed');

const comment = (text: string): string => `/** ${text.replaceAll('*/', '* /')} */`;

const field = (port: DataPort, type: (array: string) => string): string =>
  `${comment(`\`${showPort(port)}\``)}\n${keyOf(port.name)}: ${type(arrayOf[port.base])};`;

function braces(fields: readonly string[]): string {
  return fields.length === 0 ? '{}' : `{\n${indent(fields.join('\n'))}\n}`;
}

/** Whether the number of elements says the shape. */
const isFlat = ({ shape }: DataPort): boolean =>
  shape.filter((size) => isConstant(size) === null).length <= 1;

function inputType(ports: readonly DataPort[], seed: string | null): string {
  const fields = ports.map((port) =>
    field(port, (array) =>
      port.shape.length === 0
        ? `${port.base === 'bool' ? 'boolean' : 'number'} | Input<${array}>`
        : `${isFlat(port) ? 'Input' : 'Shaped'}<${array}>`,
    ),
  );
  return braces([...fields, ...(seed === null ? [] : [seed])]);
}

function functionType({ name, data, results, graph }: CompiledFunction): string {
  const seed = draws(graph) ? '/** What is drawn depends on it. */\nseed: number;' : null;
  const title = comment(`\`fn ${name}${portList(data)} -> ${portList(results)}\``);
  const inputs = inputType(data, seed);
  const outputs = braces(results.map((port) => field(port, (array) => array)));
  return `${title}\nreadonly ${keyOf(name)}: Call<\n${indent(`${inputs},\n${outputs}`)}\n>;`;
}

function blockType({ name, data, step, evaluate }: CompiledTrain): string {
  const measures = ({ outputs }: Graph): string =>
    `{ ${outputs
      .filter(({ role }) => role === 'loss' || role === 'report')
      .map((port) => `${keyOf(port.name)}: number`)
      .join('; ')} }`;
  const title = comment(`\`train ${name}${portList(data)}\``);
  return `${title}\nreadonly ${keyOf(name)}: Block<\n${indent(`${inputType(data, null)},\n${measures(step)},\n${measures(evaluate)}`)}\n>;`;
}

const common = (learns: boolean): string => `readonly weights: Weights;
readonly device: Device;
/** Why the GPU was lost, when it is; then every call says so, and \`load\` gives a new model. */
readonly lost: Promise<{ readonly reason: string; readonly message: string }>;
/** Frees what the model holds on the GPU${learns ? ', what it has learnt included' : ''}. */
dispose(): void;`;

const general = (
  name: string,
  learns: boolean,
): string => `/** Opens a GPU, and reads the weights. Kernels are compiled when they are first called. */
export function load(options?: LoadOptions): Promise<Model>;

export interface LoadOptions {
  /** A device of the caller's, who destroys it. Without, the model has one of its own. */
  device?: Device;
  /** Where \`navigator.gpu\` is missing, as in Node: \`create([])\` of the package webgpu. */
  gpu?: object;
  /** Default: ${name}.safetensors, where \`dlg build --weights\` wrote it beside the module. */
  weights?: WeightsSource | null;
}

/** Safetensors: a URL or, in Node, a path; or bytes. */
export type WeightsSource = string | URL | ArrayBuffer | Uint8Array;

export interface Weights {${learns ? readAndSave : ''}
  /** What the source lacks stays as it is. */
  load(source: WeightsSource): Promise<void>;
}

/** An export fn. With \`keep\`, the results stay on the GPU. */
export interface Call<Inputs, Results> {
  (
    inputs: Inputs,
    options?: { keep?: false },
  ): Promise<{ [Name in keyof Results]: Tensor<Results[Name]> }>;
  (
    inputs: Inputs,
    options: { keep: true },
  ): Promise<{ [Name in keyof Results]: GpuTensor<Results[Name]> }>;
}
${learns ? blocks : ''}
/** Row-major elements. */
export interface Tensor<Elements> {
  readonly data: Elements;
  readonly shape: readonly number[];
}

/** A tensor on the GPU, until it is destroyed; an input of any call. */
export interface GpuTensor<Elements> {
  readonly dtype: 'f32' | 'i32' | 'u32' | 'bool';
  readonly shape: readonly number[];
  readonly buffer: Device extends { createBuffer(...of: never): infer Buffer } ? Buffer : object;
  read(): Promise<Tensor<Elements>>;
  destroy(): void;
}

export type Shaped<Elements> = Tensor<Elements> | GpuTensor<Elements>;
/** Elements alone say their shape, where one size at most is free. */
export type Input<Elements> = Elements | Shaped<Elements>;

/** \`GPUDevice\`, where TypeScript knows it (@webgpu/types). */
export type Device = typeof globalThis extends { GPUDevice: { prototype: infer D } } ? D : object;
`;

const readAndSave = `
  /** Parameters and states, by path. */
  read(): Promise<Record<string, Tensor<Float32Array | Int32Array | Uint32Array | Uint8Array>>>;
  /** As safetensors, which \`dlg run --weights\` and \`load\` read. */
  save(): Promise<Uint8Array>;`;

const blocks = `
/** A train block. Parameters, states and what the optimiser gathers stay on the GPU. */
export interface Block<Inputs, Measures, Evaluated> {
  /** Draws every parameter from the seed, which later draws depend on too, and begins anew. */
  start(seed?: number): Promise<void>;
  step(inputs: Inputs): Promise<Measures>;
  /** Measures, and learns nothing. */
  evaluate(inputs: Inputs): Promise<Evaluated>;
  /** All that \`step\` needs to go on, as safetensors: parameters, states, and what the optimiser gathers. */
  save(): Promise<Uint8Array>;
  /** Goes on from what was saved here, or from a checkpoint of \`dlg train\`. */
  resume(source: WeightsSource): Promise<void>;
}
`;
