// Graphs as text for people: one line a node, inputs by their names, sizes by theirs. `dlg build --print-after` and the
// snapshots of tests show it.
//
//     %12: f32[B, 10] = dot_general(%3, net.l1.W) contracting 1x1    # net.l1
//
// A body stands indented below its node.

import type { Dim } from '../dims/dim.ts';
import { showDim } from '../dims/show.ts';
import { isDim, isGraph, isTensor } from './attributes.ts';
import type { Attribute, Attributes, Graph, Node, Port, Value } from './graph.ts';
import { attributesIf } from './node-attributes.ts';
import type { Tensor } from './tensor.ts';
import { showType } from './types.ts';

const commentColumn = 72;

/** The listing of `graph`: its inputs, its nodes numbered in order, its outputs. */
export function printGraph(graph: Graph): string {
  const names = new Map<Value, string>(graph.inputs.map(({ name, value }) => [value, name]));
  const count: Count = { next: 0 };
  const nodes = lines(graph, names, count);
  const ports = (list: readonly Port[], show: (port: Port) => string): string[] =>
    aligned(list.map((port) => [show(port), `# ${port.role}`]));
  const inputs = ports(graph.inputs, ({ name, value }) => `  input ${name}: ${showType(value)}`);
  const outputs = ports(
    graph.outputs,
    ({ name, value }) => `  output ${name} = ${names.get(value) ?? '?'}`,
  );
  return [`graph ${graph.name} {`, ...inputs, ...nodes, ...outputs, '}', ''].join('\n');
}

/** Numbers run through bodies, so that a name means one value. */
interface Count {
  next: number;
}

function lines({ nodes }: Graph, names: Map<Value, string>, count: Count): string[] {
  const text: string[] = [];
  for (const node of nodes) {
    const literal = literalOf(node);
    if (literal !== null) {
      names.set(node.outputs[0], literal);
      continue;
    }
    for (const output of node.outputs) names.set(output, `%${count.next++}`);
    const bodies = Object.values(node.attributes).filter(isGraph);
    text.push(line(node, names) + (bodies.length > 0 ? ' {' : ''));
    for (const body of bodies) text.push(...bodyLines(node, body, names, count), '  }');
  }
  return text;
}

/** What a body captures has its name from around; its inputs and results are listed like parameters and a return. */
function bodyLines(
  { inputs }: Node,
  body: Graph,
  around: ReadonlyMap<Value, string>,
  count: Count,
): string[] {
  const names = new Map<Value, string>();
  const parameters: string[] = [];
  const captures = inputs.length - body.inputs.length;
  for (const [i, { name, value }] of body.inputs.entries()) {
    const captured = name.startsWith('outer') ? around.get(inputs[i + captures]) : undefined;
    names.set(value, captured ?? name);
    if (captured === undefined) parameters.push(`${name}: ${showType(value)}`);
  }
  const nodes = lines(body, names, count);
  const results = body.outputs.map(({ name, value }) => `${name} = ${names.get(value) ?? '?'}`);
  return [
    `    (${parameters.join(', ')})`,
    ...nodes.map((text) => `  ${text}`),
    `    -> ${results.join(', ')}`,
  ];
}

/** Scalars and uniform tensors are written where they are used. */
function literalOf(node: Node): string | null {
  const value = attributesIf('constant', node)?.value;
  return value !== undefined && value.shape.length === 0 ? showElement(value, 0) : null;
}

function line(node: Node, names: ReadonlyMap<Value, string>): string {
  const nameOf = (value: Value): string => names.get(value) ?? '?';
  const results = node.outputs.map((value) => `${nameOf(value)}: ${showType(value)}`).join(', ');
  const operands = node.inputs.map(nameOf).join(', ');
  const detail = details[node.op]?.(node.attributes as never) ?? generic(node.attributes);
  const text = `  ${results} = ${node.op}(${operands})${detail === '' ? '' : ` ${detail}`}`;
  return node.origin.path === '' ? text : `${text.padEnd(commentColumn)} # ${node.origin.path}`;
}

const aligned = (rows: readonly (readonly [string, string])[]): string[] =>
  rows.map(([text, comment]) => `${text.padEnd(commentColumn)} ${comment}`);

const dims = (sizes: readonly Dim[]): string => `[${sizes.map(showDim).join(', ')}]`;
const pairs = (a: readonly number[], b: readonly number[]): string =>
  a.map((axis, i) => `${axis}x${b[i]}`).join(', ');

/** What follows the operands, for the operations whose attributes have a shorter form than their names and values. */
const details: Readonly<Record<string, (attributes: never) => string>> = {
  broadcast_in_dim: ({ axes }: { axes: readonly number[] }) =>
    axes.length === 0 ? '' : `to axes ${axes.join(', ')}`,
  compare: ({ direction }: { direction: string }) => direction,
  reduce: ({ kind, axes }: { kind: string; axes: readonly number[] }) =>
    `${kind} over ${axes.join(', ')}`,
  reshape: () => '',
  convert: () => '',
  scan: (a: { count: Dim; reverse: boolean; recompute: boolean }) =>
    `${showDim(a.count)} times${a.reverse ? ', down' : ''}${a.recompute ? ', recomputing' : ''}`,
  while: ({ limit }: { limit: Dim }) => `at most ${showDim(limit)} times`,
  dim_value: ({ dim }: { dim: Dim }) => showDim(dim),
  transpose: ({ permutation }: { permutation: readonly number[] }) =>
    `by ${permutation.join(', ')}`,
  slice: ({
    starts,
    limits,
    strides,
  }: {
    starts: readonly Dim[];
    limits: readonly Dim[];
    strides: readonly Dim[];
  }) =>
    `[${starts.map((start, i) => `${showDim(start)}:${showDim(limits[i])}${showDim(strides[i]) === '1' ? '' : `:${showDim(strides[i])}`}`).join(', ')}]`,
  pad: ({
    low,
    high,
    interior,
  }: {
    low: readonly Dim[];
    high: readonly Dim[];
    interior: readonly Dim[];
  }) =>
    `low ${dims(low)} high ${dims(high)}${interior.every((size) => showDim(size) === '0') ? '' : ` interior ${dims(interior)}`}`,
  dot_general: (d: {
    lhsBatch: readonly number[];
    rhsBatch: readonly number[];
    lhsContracting: readonly number[];
    rhsContracting: readonly number[];
  }) =>
    [
      d.lhsContracting.length === 0
        ? 'outer'
        : `contracting ${pairs(d.lhsContracting, d.rhsContracting)}`,
      d.lhsBatch.length === 0 ? '' : ` batch ${pairs(d.lhsBatch, d.rhsBatch)}`,
    ].join(''),
};

const generic = (attributes: Attributes): string =>
  Object.entries(attributes)
    .filter(([, value]) => !isGraph(value))
    .map(([name, value]) => `${name} ${showAttribute(value)}`)
    .join(' ');

function showAttribute(value: Attribute): string {
  if (typeof value !== 'object') return String(value);
  if (isDim(value)) return showDim(value);
  if (isTensor(value)) return showTensor(value);
  if (isGraph(value)) return value.name;
  if (Array.isArray(value)) return `[${value.map(showAttribute).join(', ')}]`;
  return `{ ${generic(value as Attributes)} }`;
}

const mostShown = 8;

function showTensor(value: Tensor): string {
  const shown = Array.from({ length: Math.min(mostShown, value.data.length) }, (_, i) =>
    showElement(value, i),
  );
  return `[${shown.join(', ')}${value.data.length > mostShown ? ', ...' : ''}]`;
}

/** Reals to seven digits, as f32 has them. */
function showElement({ dtype, data }: Tensor, i: number): string {
  const value = data[i];
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  return dtype === 'f32' && Number.isFinite(value)
    ? String(Number(value.toPrecision(7)))
    : String(value);
}
