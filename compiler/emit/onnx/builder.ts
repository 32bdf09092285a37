// The OnnxBuilder that lowerings write through: appends nodes, shares equal constants and equal nodes (every operator we
// emit is pure), and computes free sizes where a lowering asks for them. emit.ts drives it.

import { isConstant } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Origin } from '../../ir/graph.ts';
import type { SizeSource } from '../../ir/sizes.ts';
import type { DType } from '../../ir/tensor.ts';
import { tensor } from '../../ir/tensor.ts';
import type { OnnxAttribute, OnnxBuilder } from './builder-types.ts';
import type { FunctionProto, NodeProto, TensorProto } from './proto.ts';
import {
  attributeProto,
  constantProto,
  int64Proto,
  localDomain,
  opsetImport,
  tensorKey,
  tensorProto,
} from './proto.ts';
import { dimParams, sizeComputer } from './sizes.ts';

type OnnxAttributes = Readonly<Record<string, OnnxAttribute>>;

export interface OnnxWriter extends OnnxBuilder {
  readonly nodeProtos: readonly NodeProto[];
  readonly initialisers: readonly TensorProto[];
  /** The number, where the name is a real scalar constant. */
  scalarOf(name: string): number | undefined;
  /** The node that makes `name`, here or in a graph around. */
  makerOf(name: string): NodeProto | undefined;
  /** Whether the name is an initialiser. */
  isConstant(name: string): boolean;
  /** The list, where the name is a 1-d int64 constant. */
  int64sOf(name: string): readonly number[] | undefined;
  /** A name that is not taken, after `base`. */
  freshName(base: string): string;
  /** Texts for free sizes, the same for the same size in all of the model. */
  readonly dimText: (dim: Dim) => number | string;
  /** A writer for a subgraph. Constants, sizes and what depends on no name of the subgraph stay outside, where they are computed once. */
  nested(): OnnxWriter;
  /** Says that `name` is an input of the subgraph. */
  own(name: string): void;
  /** What follows is named after the origin's path, and has `doc` for its text. */
  from(origin: Origin, doc: string): void;
}

/**
 * `taken`: names that are not free, those of the ports. `sources`: where the free sizes are read. `functions`: collects the
 * functions that nodes call.
 */
export function createOnnxWriter(
  taken: Iterable<string>,
  sources: readonly SizeSource[],
  functions: Map<string, FunctionProto>,
): OnnxWriter {
  const freshName = createNames(taken);
  const sink = createSink(freshName, null);
  const { node } = appenders(sink, functions);
  const scalars = new Map<string, number>();
  const lists = new Map<string, readonly number[]>();
  const constant: OnnxBuilder['constant'] = (value) => {
    const made = sink.initialiser(tensorKey(value), 'constant', (name) => tensorProto(name, value));
    if (value.shape.length === 0 && value.dtype === 'f32') scalars.set(made, value.data[0]);
    return made;
  };
  const int64 = (dims: readonly number[], values: readonly number[]): string =>
    sink.initialiser(`int64[${dims.join()}]:${values.join()}`, 'sizes', (name) =>
      int64Proto(name, dims, values),
    );
  const int64s: OnnxBuilder['int64s'] = (values) => {
    const made = int64([values.length], values);
    lists.set(made, values);
    return made;
  };
  const sizeOf = sizeComputer({ node, int64s }, sources);
  const root = {
    initialisers: sink.initialisers,
    scalarOf: (name: string) => scalars.get(name),
    isConstant: sink.isInitialiser,
    int64sOf: (name: string) => lists.get(name),
    freshName,
    dimText: dimParams(),
    constant,
    scalar: (value: number, dtype: DType = 'f32') => constant(tensor(dtype, [], [value])),
    int64s,
    staticDim: isConstant,
    dim(size: Dim) {
      const known = isConstant(size);
      return known === null ? node('Squeeze', [sizeOf(size)]) : int64([], [known]);
    },
    shape(dims: readonly Dim[]) {
      const parts = staticRuns(dims).map((run) =>
        'known' in run ? int64s(run.known) : sizeOf(run.free),
      );
      return parts.length === 1
        ? parts[0]
        : node('Concat', parts, { axis: { kind: 'int', value: 0 } });
    },
  };
  const writerOf = (own: Sink): OnnxWriter => ({
    ...root,
    nodeProtos: own.nodes,
    from: own.from,
    own: own.own,
    makerOf: own.makerOf,
    ...appenders(own, functions),
    nested: () => writerOf(createSink(freshName, own)),
  });
  return writerOf(sink);
}

/** The methods that append nodes, to one graph. */
function appenders(
  { append }: Sink,
  functions: Map<string, FunctionProto>,
): Pick<OnnxBuilder, 'node' | 'nodes' | 'call'> {
  return {
    node: (opType, inputs, attributes = {}) => append('', opType, inputs, 1, attributes)[0],
    nodes: (opType, inputs, outputs, attributes = {}) =>
      append('', opType, inputs, outputs, attributes),
    call(name, inputs, outputs, define) {
      if (!functions.has(name))
        functions.set(name, functionProto(name, inputs.length, functions, define));
      return append(localDomain, name, inputs, outputs, {});
    },
  };
}

interface Sink {
  readonly nodes: readonly NodeProto[];
  readonly initialisers: readonly TensorProto[];
  find(key: string): readonly string[] | undefined;
  own(name: string): void;
  makerOf(name: string): NodeProto | undefined;
  from(origin: Origin, doc: string): void;
  append(
    domain: string,
    opType: string,
    input: readonly string[],
    outputs: number,
    attributes: OnnxAttributes,
  ): readonly string[];
  isInitialiser(name: string): boolean;
  initialiser(key: string, base: string, proto: (name: string) => TensorProto): string;
}

/** Where nodes and initialisers go: names them, and writes equal ones once. `around`: that of the graph around. */
function createSink(freshName: (base: string) => string, around: Sink | null): Sink {
  const nodes: NodeProto[] = [];
  const initialisers: TensorProto[] = [];
  const constants = new Set<string>();
  const shared = new Map<string, readonly string[]>();
  let prefix = '';
  let docString = '';
  const names = new Set<string>();
  const makers = new Map<string, NodeProto>();
  const find = (key: string): readonly string[] | undefined => shared.get(key) ?? around?.find(key);
  const once = (key: string, make: () => readonly string[]): readonly string[] => {
    const known = find(key) ?? make();
    shared.set(key, known);
    return known;
  };
  return {
    nodes,
    initialisers,
    find,
    own: (name) => void names.add(name),
    makerOf: (name) => makers.get(name) ?? around?.makerOf(name),
    from({ path }: Origin, doc: string): void {
      prefix = path === '' ? '' : `${path}/`;
      docString = doc;
    },
    append: (domain, opType, inputs, outputs, attributes) =>
      once(nodeKey(domain, opType, inputs, outputs, attributes), () => {
        const isWhole = !hasGraph(attributes) && !inputs.some((name) => names.has(name));
        if (around !== null && isWhole)
          return around.append(domain, opType, inputs, outputs, attributes);
        const name = freshName(prefix + opType);
        const output = [name];
        while (output.length < outputs) output.push(freshName(`${name}:${output.length}`));
        output.forEach((result) => names.add(result));
        const attribute = Object.entries(attributes).map(([key, value]) =>
          attributeProto(key, value),
        );
        const input = [...inputs];
        const node = { name, opType, domain, input, output: [...output], attribute, docString };
        nodes.push(node);
        for (const result of output) makers.set(result, node);
        return output;
      }),
    isInitialiser: (name: string): boolean => constants.has(name),
    initialiser: (key: string, base: string, proto: (name: string) => TensorProto): string =>
      once(key, () => {
        const name = freshName(base);
        initialisers.push(proto(name));
        constants.add(name);
        return [name];
      })[0],
  };
}

const hasGraph = (attributes: OnnxAttributes): boolean =>
  Object.values(attributes).some(({ kind }) => kind === 'graph');

let subgraphs = 0;

/** Nodes with subgraphs are never taken for equal. */
const nodeKey = (
  domain: string,
  opType: string,
  input: readonly string[],
  outputs: number,
  attributes: OnnxAttributes,
): string =>
  hasGraph(attributes)
    ? `subgraph ${subgraphs++}`
    : JSON.stringify([domain, opType, input, outputs, attributes]);

/** Names never given twice: `base`, then `base.2`, `base.3`. */
function createNames(taken: Iterable<string>): (base: string) => string {
  const used = new Set(taken);
  const counts = new Map<string, number>();
  return (base) => {
    let count = counts.get(base) ?? 0;
    let name: string;
    do {
      count++;
      name = count === 1 ? base : `${base}.${count}`;
    } while (used.has(name));
    counts.set(base, count);
    used.add(name);
    return name;
  };
}

type Run = { readonly known: number[] } | { readonly free: Dim };

/** Neighbouring constant sizes together: each run is one piece of a shape. */
function staticRuns(dims: readonly Dim[]): readonly Run[] {
  const runs: Run[] = [];
  for (const free of dims) {
    const size = isConstant(free);
    const last = runs.at(-1);
    if (size === null) runs.push({ free });
    else if (last !== undefined && 'known' in last) last.known.push(size);
    else runs.push({ known: [size] });
  }
  return runs.length === 0 ? [{ known: [] }] : runs;
}

/** A function's constants have to be nodes in its body: it has no initialisers. */
function functionProto(
  name: string,
  arity: number,
  functions: Map<string, FunctionProto>,
  define: (onnx: OnnxBuilder, inputs: readonly string[]) => readonly string[],
): FunctionProto {
  const input = Array.from({ length: arity }, (_, i) => `in${i}`);
  const writer = createOnnxWriter(input, [], functions);
  const output = define(writer, input);
  return {
    name,
    domain: localDomain,
    input,
    output: [...output],
    node: [...writer.initialisers.map(constantProto), ...writer.nodeProtos],
    opsetImport,
  };
}
