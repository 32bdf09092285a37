// The builder, the verifier and the binding of free sizes.

import { describe, expect, it } from 'vitest';

import {
  add,
  constant,
  dimOf,
  floorDivide,
  multiply,
  one,
  variable,
} from '../../compiler/dims/arithmetic.ts';
import type { Dim } from '../../compiler/dims/dim.ts';
import { attributeKey } from '../../compiler/ir/attributes.ts';
import { createBuilder } from '../../compiler/ir/builder.ts';
import type { Graph, Port } from '../../compiler/ir/graph.ts';
import { interpret } from '../../compiler/ir/interpret.ts';
import { bindSizes } from '../../compiler/ir/sizes.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { verify } from '../../compiler/ir/verify.ts';

const real = (...shape: readonly Dim[]) => ({ dtype: 'f32' as const, shape });

describe('builder', () => {
  it('names the operation and the types of an ill-typed node', () => {
    const b = createBuilder();
    const x = b.input('x', 'data', real(constant(3)));
    const y = b.input('y', 'data', real(constant(4)));
    expect(() => b.add(x, y)).toThrow(/^add\(f32\[3\], f32\[4\]\): /);
    expect(() => b.emit('sum', [x])).toThrow(/sum/);
  });

  it('drops what changes nothing', () => {
    const b = createBuilder();
    const x = b.input('x', 'data', real(constant(3), constant(1)));
    expect(
      [
        b.transpose(x, [0, 1]),
        b.reshape(x, x.shape),
        b.broadcastInDim(x, x.shape, [0, 1]),
        b.reduce('add', x, []),
        b.reverse(x, []),
        b.convert(x, 'f32'),
        b.concatenate([x], 0),
      ].every((value) => value === x),
    ).toBe(true);
    expect(b.nodes).toEqual([]);
  });

  it('marks nodes with the innermost origin, also after an exception', () => {
    const b = createBuilder();
    const x = b.input('x', 'data', real());
    const within = (path: string) => ({ path, span: null });
    b.at(within('net'), () => {
      b.at(within('net.l1'), () => b.negate(x));
      expect(() =>
        b.at(within('net.l2'), () => {
          throw new Error('no');
        }),
      ).toThrow('no');
      b.exp(x);
    });
    b.log(x);
    expect(b.nodes.map(({ origin }) => origin.path)).toEqual(['net.l1', 'net', '']);
  });

  it('attributes have equal keys when they are equal', () => {
    const n = dimOf(variable('n'));
    const key = (x: number, size: Dim) =>
      attributeKey({ value: tensor('f32', [2], [x, 1]), shape: [size, one] });
    expect(key(2, add(n, one))).toBe(key(2, add(one, n)));
    expect(key(2, n)).not.toBe(key(3, n));
    expect(key(2, n)).not.toBe(key(2, dimOf(variable('n'))));
    expect(key(0, n)).not.toBe(key(-0, n));
  });
});

describe('verifier', () => {
  const b = createBuilder();
  const x = b.input('x', 'data', real(constant(3)));
  const y = b.negate(x);
  const z = b.exp(y);
  b.output('z', 'result', z);
  const good = b.graph('good');
  const [negate, exp] = good.nodes;
  const broken = (change: Partial<Graph>): string => verify({ ...good, ...change }).join('; ');

  it('accepts a good graph', () => expect(verify(good)).toEqual([]));
  it.each([
    ['a value before it is made', { nodes: [exp, negate] }, /exponential.* reads value \d+ before/],
    ['a value made twice', { nodes: [negate, negate, exp] }, /a second time/],
    ['an output nobody makes', { nodes: [negate] }, /output z is value \d+, which nothing makes/],
    [
      'a wrong type',
      { nodes: [negate, { ...exp, outputs: [{ ...z, shape: [constant(4)] }] }] },
      /result 0 is f32\[4\], not f32\[3\]/,
    ],
    ['an unknown operation', { nodes: [negate, { ...exp, op: 'sum' }] }, /no operation/],
    [
      'two ports of one name',
      { outputs: [...good.outputs, ...good.outputs] },
      /two ports are named z/,
    ],
  ])('rejects %s', (_name, change, message) => expect(broken(change)).toMatch(message));
});

describe('free sizes', () => {
  const [n, m] = [variable('n'), variable('m')];
  const port = (name: string, ...shape: readonly Dim[]): Port => ({
    name,
    role: 'data',
    value: { id: 0, ...real(...shape) },
  });
  const bind = (ports: readonly Port[], ...shapes: readonly (readonly number[])[]) =>
    bindSizes(ports, new Map(ports.map(({ name }, i) => [name, shapes[i]])));
  const double = multiply(constant(2), dimOf(n));

  it('are read off bare names, solved for elsewhere, in any order', () => {
    const ports = [port('x', add(double, dimOf(m))), port('y', dimOf(m))];
    const sizeOf = bind(ports, [11], [3]);
    expect(typeof sizeOf === 'string' ? sizeOf : sizeOf(multiply(dimOf(n), dimOf(m)))).toBe(12);
  });
  it.each([
    [
      'a size that disagrees',
      [port('x', dimOf(n)), port('y', dimOf(n))],
      [[3], [4]],
      'input y: axis 0 has size 4, but n is 3 by input x',
    ],
    [
      'a size nothing reaches',
      [port('x', double)],
      [[7]],
      'input x: axis 0 has size 7, which is not 2 * n for any n',
    ],
    [
      'a quotient that disagrees',
      [port('x', dimOf(n)), port('y', floorDivide(dimOf(n), constant(2)))],
      [[5], [3]],
      'input y: axis 0 has size 3, but floor(n / 2) is 2, since n is 5 by input x',
    ],
    [
      'another rank',
      [port('x', dimOf(n))],
      [[3, 4]],
      'input x has 2 axes, [3, 4], but 1 are expected: [n]',
    ],
  ] as const)('explain %s', (_name, ports, shapes, message) =>
    expect(bind(ports, ...shapes)).toBe(message),
  );
});

describe('interpreter', () => {
  it('rounds to float32 or holds float64, as told', () => {
    const b = createBuilder();
    const x = b.input('x', 'data', real());
    b.output('y', 'result', b.add(x, b.scalar(0.1)));
    const run = (precision: 'f32' | 'f64') =>
      interpret(b.graph('g'), { x: tensor('f32', [], [0.2], 'f64') }, { precision })['y'].data[0];
    expect(run('f64')).toBe(0.2 + 0.1);
    expect(run('f32')).toBe(Math.fround(Math.fround(0.2) + Math.fround(0.1)));
  });

  it('keeps an input or a value that two outputs show', () => {
    const b = createBuilder();
    const x = b.input('x', 'data', real());
    const y = b.multiply(x, x);
    for (const [name, value] of [
      ['a', x],
      ['b', y],
      ['c', y],
      ['d', b.negate(y)],
    ] as const)
      b.output(name, 'result', value);
    const results = interpret(b.graph('g'), { x: tensor('f32', [], [3]) });
    expect(Object.values(results).map(({ data }) => data[0])).toEqual([3, 9, 9, -9]);
  });

  it.each([
    [{}, 'input x is missing'],
    [{ x: tensor('i32', [], [3]) }, 'input x is i32, but f32 is expected'],
  ])('names the input that does not fit', (feeds, message) => {
    const b = createBuilder();
    b.output('y', 'result', b.negate(b.input('x', 'data', real())));
    expect(() => interpret(b.graph('g'), feeds)).toThrow(message);
  });
});
