// `dlg run FILE FN`: evaluates an export fn on data, and prints its results as one JSON object.

import type { Tensor } from '../../compiler/ir/tensor.ts';
import { bindSizes } from '../../compiler/ir/sizes.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import type { CompiledFunction, CompiledProgram } from '../../compiler/program.ts';
import { checkNames, loadPorts, type Sources } from '../../runtime/data/dataset.ts';
import { fitAll, toTensor, type Loaded } from '../../runtime/data/fit.ts';
import { readJson } from '../../runtime/data/json.ts';
import { isProblem, problem, type Problem } from '../../runtime/problem.ts';
import { unsolved } from '../../runtime/program.ts';
import { loadWeights } from '../../runtime/weights.ts';
import { chooseFunction, compileFile } from '../compile.ts';
import { guarded, load, type DeviceOptions } from '../device.ts';
import { renamingsOf } from '../maps.ts';
import { exit, fail, print, warnUnsolved, type ExitCode } from '../output.ts';
import { checkResultFiles, writeResult, type ResultFiles } from '../result-files.ts';
import { weightPorts } from '../weights.ts';

interface RunOptions extends DeviceOptions, ResultFiles {
  readonly input?: ReadonlyMap<string, string>;
  readonly weights?: string;
  readonly map?: readonly string[];
  readonly seed?: number;
  readonly json?: boolean;
}

type Tensors = Readonly<Record<string, Tensor>>;

export async function run(file: string, name: string, options: RunOptions): Promise<ExitCode> {
  const compiled = compileFile(file, options);
  if (typeof compiled === 'number') return compiled;
  const results = await evaluate(compiled.program, name, options);
  if (isProblem(results)) return fail(results, options);
  print(JSON.stringify(Object.fromEntries(results)));
  return exit.done;
}

async function evaluate(
  program: CompiledProgram,
  name: string,
  options: RunOptions,
): Promise<ReadonlyMap<string, unknown> | Problem> {
  const entry = chooseFunction(program.functions, name);
  if (isProblem(entry)) return entry;
  const unwritable = checkResultFiles(entry, options);
  if (unwritable !== null) return unwritable;
  const inputs = readInputs(entry, options.input ?? new Map());
  if (isProblem(inputs)) return inputs;
  const misfits = checkSizes(entry, inputs);
  if (misfits !== null) return misfits;
  const seed = seedOf(entry, options);
  if (isProblem(seed)) return seed;
  const weights = await readWeights(program, entry, options);
  if (isProblem(weights)) return weights;
  return guarded(async () => {
    const loaded = await load(entry.graph, options);
    const outputs = await loaded.run({ ...inputs, ...weights, ...seed });
    for (const equation of unsolved(loaded.outputs, outputs)) warnUnsolved(equation);
    const results = new Map<string, unknown>();
    for (const { name: result, base } of entry.results) {
      const { shape, data } = outputs[result];
      const values = base === 'bool' ? Array.from(data, (v) => v !== 0) : Array.from(data);
      const files = writeResult(result, outputs[result], options);
      if (isProblem(files)) return files;
      const named = files.length === 1 ? files[0] : files;
      results.set(result, files.length > 0 ? named : nested(values, shape));
    }
    return results;
  });
}

/** The inputs, from files or from JSON written on the command line, checked against the declarations. */
function readInputs({ data }: CompiledFunction, given: Sources): Tensors | Problem {
  const wrong = checkNames(data, given);
  if (wrong !== null) return wrong;
  const inline: Loaded[] = [];
  for (const port of data) {
    const text = given.get(port.name) ?? '';
    if (!/^\s*(\[|-?\d|true\s*$|false\s*$)/.test(text)) continue;
    const array = readJson(port.name, text);
    if (isProblem(array)) return array;
    inline.push({ port, file: port.name, array });
  }
  const named = data.filter((port) => !inline.some((item) => item.port === port));
  const files = loadPorts(
    named,
    new Map([...given].filter(([name]) => named.some((p) => p.name === name))),
  );
  if (isProblem(files)) return files;
  const fitted = fitAll([...inline, ...files]);
  if (isProblem(fitted)) return fitted;
  return Object.fromEntries(fitted.columns.map((column) => [column.port.name, toTensor(column)]));
}

/** Sizes that are inputs themselves: a target cannot tell that one is 0, or odd where `where` asks for an even one. */
function checkSizes({ graph }: CompiledFunction, inputs: Tensors): Problem | null {
  const ports = graph.inputs.filter(({ name }) => name in inputs);
  const shapes = new Map(ports.map(({ name }) => [name, inputs[name].shape]));
  const given = new Map(
    ports.filter(({ role }) => role === 'size').map(({ name }) => [name, inputs[name].data[0]]),
  );
  const sizes = bindSizes(ports, shapes, given);
  return typeof sizes === 'string' ? problem('E0503', null, sizes) : null;
}

/** The seed, where the function draws. */
function seedOf({ graph }: CompiledFunction, { seed }: RunOptions): Tensors | Problem {
  if (!graph.inputs.some(({ role }) => role === 'seed')) return {};
  if (seed === undefined)
    return problem(
      'E0505',
      null,
      'the function draws, and no seed is given',
      '`--seed N` gives it',
    );
  return { seed: tensor('u32', [], [seed]) };
}

async function readWeights(
  program: CompiledProgram,
  { graph }: CompiledFunction,
  { weights, map, seed, ...device }: RunOptions,
): Promise<Tensors | Problem> {
  const ports = weightPorts(graph);
  if (weights !== undefined) {
    const rules = renamingsOf(map);
    if (isProblem(rules)) return rules;
    const loaded = loadWeights(weights, ports, rules);
    return isProblem(loaded) ? loaded : Object.fromEntries(loaded);
  }
  if (ports.length === 0) return {};
  if (seed === undefined)
    return problem(
      'E0505',
      null,
      `the function uses parameters, such as ${ports[0].name}, and no weights are given`,
      '`--weights FILE` reads them from what `dlg train` wrote; `--seed N` draws them afresh',
    );
  return guarded(async () => {
    const init = await load(program.init, device);
    return init.run({ seed: tensor('u32', [], [seed]) });
  });
}

/** Flat values as nested lists; a number JSON does not have becomes its name. */
function nested(values: readonly (number | boolean)[], shape: readonly number[]): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) {
    const [value] = values;
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  }
  const step = values.length / size;
  return Array.from({ length: size }, (_, i) =>
    nested(values.slice(i * step, (i + 1) * step), rest),
  );
}
