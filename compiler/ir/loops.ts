// The builder's operations with bodies. A body is written through a builder of its own, which captures: a value of a graph
// around it becomes an operand of the node and an input of the body, once, through as many levels as lie between.

import { isConstant } from '../dims/arithmetic.ts';
import type { Dim } from '../dims/dim.ts';
import type { Builder } from './builder-types.ts';
import type { BuilderOptions, GraphBuilder } from './builder.ts';
import type { Attributes, Graph, Node, TensorType, Value } from './graph.ts';
import { sizeOf } from './tensor.ts';

/** What of a builder a body is nested in, or captures into. */
type Around = Pick<GraphBuilder, 'adopt' | 'emit' | 'origin' | 'producerOf'>;

/** The value of the graph under construction that stands for `value`, which is of a graph around it. */
export type Capture = (
  value: Value,
  inner: Pick<GraphBuilder, 'emit' | 'inputs' | 'input'>,
) => Value;

interface Body {
  readonly graph: Graph;
  /** The values around that it reads, in the order of the inputs they became, which are its last ones. */
  readonly captured: readonly Value[];
}

/** An input of a body, by its name and type. */
type Parameter = readonly [name: string, type: TensorType];
type Result = readonly [name: string, value: Value];

/** Larger constants are captured, so that they are written once. */
const mostRepeated = 16;

/**
 * Whether a node takes no work of its own: a size, a ramp, a small constant, or a smaller value repeated over a shape. A body
 * makes it again rather than capture it, so that its passes see it and no memory holds it.
 */
export function isBrief({ op, outputs }: Node): boolean {
  if (op === 'constant')
    return sizeOf(outputs[0].shape.map((size) => isConstant(size) ?? 1)) <= mostRepeated;
  return op === 'dim_value' || op === 'iota' || op === 'broadcast_in_dim';
}

function buildBody(
  outer: Around,
  create: (options: BuilderOptions) => GraphBuilder,
  name: string,
  parameters: readonly Parameter[],
  body: (builder: GraphBuilder, values: readonly Value[]) => readonly Result[],
): Body {
  const standing = new Map<Value, Value>();
  const captured: Value[] = [];
  const capture: Capture = (value, inner) => {
    const outside = outer.adopt(value);
    const known = standing.get(outside);
    if (known !== undefined) return known;
    const node = outer.producerOf(outside);
    let image: Value;
    if (node !== undefined && isBrief(node))
      [image] = inner.emit(node.op, node.inputs, node.attributes);
    else {
      image = inner.input(`outer${captured.length}`, 'data', outside);
      captured.push(outside);
    }
    standing.set(outside, image);
    return image;
  };
  const builder = create({ capture, origin: outer.origin() });
  const values = parameters.map(([port, type]) => builder.input(port, 'data', type));
  for (const [port, value] of body(builder, values)) builder.output(port, 'result', value);
  return { graph: builder.graph(name), captured };
}

const named = (name: string, types: readonly TensorType[]): Parameter[] =>
  types.map((type, i) => [`${name}${i}`, type]);

const results = (name: string, values: readonly Value[]): Result[] =>
  values.map((value, i) => [`${name}${i}`, value]);

const counter: Parameter = ['t', { dtype: 'i32', shape: [] }];

/** What one step sees of a tensor whose first axis runs with the loop. */
const rowOf = ({ dtype, shape }: TensorType): TensorType => ({ dtype, shape: shape.slice(1) });

/** The builder's methods for nodes with bodies; `create` makes the builder of a body. */
export function loops(
  outer: Around,
  create: (options: BuilderOptions) => GraphBuilder,
): Pick<Builder, 'scan' | 'whileLoop' | 'implicit' | 'customJvp'> {
  const emit = (
    op: string,
    inputs: readonly Value[],
    attributes: Attributes,
    parameters: readonly Parameter[],
    body: (builder: GraphBuilder, values: readonly Value[]) => readonly Result[],
  ): readonly Value[] => {
    const { graph, captured } = buildBody(outer, create, op, parameters, body);
    return outer.emit(op, [...inputs, ...captured], { ...attributes, body: graph });
  };
  return {
    scan(count: Dim, init, xs, body, { reverse = false, recompute = false } = {}) {
      const n = init.length;
      const parameters = [counter, ...named('carry', init), ...named('slice', xs.map(rowOf))];
      const attributes = { count, reverse, recompute, carries: n, xs: xs.length };
      const values = emit('scan', [...init, ...xs], attributes, parameters, (b, [t, ...rest]) => {
        const step = body(b, t, rest.slice(0, n), rest.slice(n));
        return [...results('carry', step.carries), ...results('y', step.ys)];
      });
      return { carries: values.slice(0, n), ys: values.slice(n) };
    },
    whileLoop(limit: Dim, init, body) {
      const n = init.length;
      const parameters = [counter, ...named('carry', init)];
      const attributes = { limit, carries: n };
      const values = emit('while', init, attributes, parameters, (b, [t, ...carries]) => {
        const step = body(b, t, carries);
        return [...results('carry', step.carries), ['done', step.done]];
      });
      return { carries: values.slice(0, n), steps: values[n], done: values[n + 1] };
    },
    implicit(kind, z, f, { tolerance, limit }) {
      const attributes = { kind, tolerance, limit, unknowns: z.length };
      return emit('implicit', z, attributes, named('z', z), (b, unknowns) =>
        results('f', f(b, unknowns)),
      );
    },
    customJvp(y, xs, rule) {
      const parameters = [...named('x', xs), ...named('dx', xs)];
      const attributes = { variables: xs.length };
      const [value] = emit('custom_jvp', [y, ...xs], attributes, parameters, (b, values) => [
        ['dy', rule(b, values.slice(0, xs.length), values.slice(xs.length))],
      ]);
      return value;
    },
  };
}
