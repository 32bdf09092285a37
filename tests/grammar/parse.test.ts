import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Expression } from '../../grammar/ast.ts';
import { Parser } from '../../grammar/parser.ts';
import { textOf } from '../../grammar/source.ts';
import { depthOf, isNode, nodeAt, nodesAt, walk } from '../../grammar/walk.ts';
import { checkInvariants } from './invariants.ts';
import { parseText, sameTree } from './tree.ts';

const fixtures = new URL('fixtures/', import.meta.url);

/** The expression of `const e = ...`. */
function expression(text: string): Expression {
  const { file, problems } = parseText(`const e = ${text}\n`);
  expect(problems).toEqual([]);
  const [only] = file.declarations;
  if (only.kind !== 'const') throw new Error(`parsed a ${only.kind}`);
  return only.value;
}

/** The structure as an S-expression. */
function show(node: Expression): string {
  if (node.kind === 'name' || node.kind === 'number') return node.text;
  if (node.kind === 'binary') return `(${node.operator} ${show(node.left)} ${show(node.right)})`;
  if (node.kind === 'unary') return `(${node.operator} ${show(node.operand)})`;
  if (node.kind === 'binder') return `(${node.binder} ${show(node.body)})`;
  if (node.kind === 'compare') {
    const links = node.relations.map(
      (relation, index) => ` ${relation} ${show(node.operands[index + 1])}`,
    );
    return `(${show(node.operands[0])}${links.join('')})`;
  }
  if (node.kind === 'call')
    return `(call ${[node.callee, ...node.arguments.map(({ value }) => value)].map(show).join(' ')})`;
  if (node.kind === 'index') return `(index ${show(node.target)} ${node.slots.length})`;
  if (node.kind === 'member') return `(. ${show(node.target)} ${node.name.text})`;
  if (node.kind === 'if')
    return `(if ${[node.condition, node.then, node.else].map(show).join(' ')})`;
  return node.kind;
}

describe('precedence', () => {
  test.each([
    ['a + b * c', '(+ a (* b c))'],
    ['a - b - c', '(- (- a b) c)'],
    ['a / b / c @ d', '(@ (/ (/ a b) c) d)'],
    ['a // b % c', '(% (// a b) c)'],
    ['-x^2', '(- (^ x 2))'],
    ['2^-3', '(^ 2 (- 3))'],
    ['a^b^c', '(^ a (^ b c))'],
    ['f(x)^2', '(^ (call f x) 2)'],
    ['--x', '(- (- x))'],
    ['not a and b or c', '(or (and (not a) b) c)'],
    ['0 < b <= 1', '(0 < b <= 1)'],
    ['a + 1 < b and c', '(and ((+ a 1) < b) c)'],
    ['x |> f |> g or h', '(|> (|> x f) (or g h))'],
    ['(a + b) * c', '(* (+ a b) c)'],
    ['if a then b else c + 1', '(if a b (+ c 1))'],
    ['if a then b else if c then d else e', '(if a b (if c d e))'],
    ['a.b(c)[d].e', '(. (index (call (. a b) c) 1) e)'],
  ])('%s', (text, structure) => {
    expect(show(expression(text))).toBe(structure);
  });
});

describe('binders', () => {
  test.each([
    ['sum[i] a * b + c', '(+ (sum (* a b)) c)'],
    ['a * sum[i] b * c + d', '(+ (* a (sum (* b c))) d)'],
    ['-sum[i] a * b', '(- (sum (* a b)))'],
    ['sum[i] a * sum[j] b * c', '(sum (* a (sum (* b c))))'],
    ['(sum[i] a) * b', '(* (sum a) b)'],
    ['2^sum[i] a * b', '(^ 2 (sum (* a b)))'],
    ['sum(x) * 2', '(* (call sum x) 2)'],
    ['x |> max', '(|> x max)'],
    ['(sum)[i]', '(index sum 1)'],
  ])('%s', (text, structure) => {
    expect(show(expression(text))).toBe(structure);
  });
});

describe('forms', () => {
  test('parentheses leave no node', () => {
    expect(sameTree(expression('((a)) + (b * (c))'), expression('a + b * c'))).toBe(true);
  });

  test('an index tells slots apart', () => {
    const node = expression('x[.., :, :k, a:b, a:, (i, j), u < p]');
    expect(node.kind === 'index' && node.slots.map(({ kind }) => kind)).toEqual([
      'ellipsis',
      'range',
      'range',
      'range',
      'range',
      'at',
      'at',
    ]);
  });

  test('a pack as an argument is the shape of the pack', () => {
    expect(sameTree(expression('numel(..B)'), expression('numel([..B])'))).toBe(true);
  });

  test('`##` lines straight above document a declaration; others do not', () => {
    const { file } = parseText(
      '## far\n\n## one\n##   two\nfn f() = 1\nconst a = 1 ## beside\nconst b = 2\n# plain\nconst c = 3\n',
    );
    expect(file.declarations.map((one) => 'documentation' in one && one.documentation)).toEqual([
      'one\n  two',
      null,
      null,
      null,
    ]);
  });

  test('statements need no separators', () => {
    const { file, problems } = parseText('fn f() { a = 1 b, c = g(a) d[i] <- b + c return d }');
    expect(problems).toEqual([]);
    const [f] = file.declarations;
    expect(f.kind === 'fn' && f.body.kind === 'block' && f.body.statements.length).toBe(3);
  });

  test('a condition may end on the name that begins a line', () => {
    expect(parseText('fn f(n: dim) where n > 1,\n  ready = n').problems).toEqual([]);
  });
});

test('the grammar has no ambiguity that chevrotain can find', () => {
  expect(() => new Parser(false)).not.toThrow();
});

describe.each(readdirSync(fixtures))('%s', (name) => {
  const text = readFileSync(new URL(name, fixtures), 'utf8');

  test('parses, and its spans are sound', () => {
    const result = parseText(text);
    expect(result.problems).toEqual([]);
    checkInvariants(text, result);
  });
});

test('a thousand lines take few milliseconds once warm', () => {
  const text = readFileSync(new URL('six-programs.dlg', fixtures), 'utf8').repeat(12);
  const samples = Array.from({ length: 12 }, () => {
    const before = process.cpuUsage();
    parseText(text);
    return process.cpuUsage(before).user / 1000;
  });
  // 7 ms measured; the bound leaves room for a busy or slower machine.
  expect(Math.min(...samples)).toBeLessThan(100);
});

test('the kitchen sink has every kind of node', () => {
  const text = readFileSync(new URL('kitchen-sink.dlg', fixtures), 'utf8');
  const kinds = new Set<string>();
  walk(parseText(text).file, (child) => isNode(child) && kinds.add(child.kind));
  expect([...kinds].toSorted()).toMatchSnapshot();
});

describe('nodes at an offset', () => {
  const text = 'fn f(x: [n]) = x + net.enc(y)[i]\n';
  const { file } = parseText(text);

  test.each([
    ['enc', 'enc'],
    ['y)', 'y'],
    ['n]', 'n'],
    ['f(', 'f'],
  ])('%s', (before, expected) => {
    expect(textOf(nodeAt(file, text.indexOf(before)).span)).toBe(expected);
  });

  test('come with the path that leads to them', () => {
    const path = nodesAt(file, text.indexOf('enc')).map((one) =>
      isNode(one) ? one.kind : one.text,
    );
    expect(path).toEqual(['file', 'fn', 'binary', 'index', 'call', 'member', 'enc']);
  });

  test('after the last character of a name, the name is found', () => {
    expect(textOf(nodeAt(file, text.indexOf('enc') + 3).span)).toBe('enc');
  });
});

describe('hostile texts', () => {
  const many = 10_000;
  test.each([
    ['parentheses', `const a = ${'('.repeat(many)}1${')'.repeat(many)}`],
    ['open brackets', `const a = ${'['.repeat(many)}`],
    ['blocks', `fn f() ${'{ if a '.repeat(many)}${'}'.repeat(many)}`],
    ['signs', `const a = ${'-'.repeat(many)}1`],
    ['powers', `const a = ${'a^'.repeat(many)}b`],
    ['conditionals', `const a = ${'if '.repeat(many)}b`],
    ['else chains', `const a = ${'if a then b else '.repeat(many)}b`],
    ['a sum', `const a = ${'a + '.repeat(many)}b`],
    ['binders', `const a = ${'sum[i] '.repeat(many)}b`],
    ['calls', `const a = f${'(x)'.repeat(many)}`],
    ['function types', `const a: ${'(x) -> '.repeat(many)}x = 1`],
    ['steps', `train t ${'{ every 1 '.repeat(many)}`],
  ])('%s nested too deeply are refused, and what follows survives', (_, text) => {
    const { file, problems } = parseText(`${text}\nexport fn last() = 1\n`);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThan(4);
    const last = file.declarations.at(-1);
    expect(last?.kind === 'fn' && last.name?.text).toBe('last');
    expect(depthOf(file)).toBeLessThan(600);
  });

  test.each([
    ['broken declarations', 'const = \n'],
    ['broken statements', 'fn f() {\n  y = ) (\n'],
    ['open indices', 'a[\n'],
    ['stray characters', '$ '],
    ['open strings', '"\n'],
    ['sound functions', 'fn f(x: [n]) -> [n] {\n  y = a + b * f(c)\n  return y\n}\n'],
  ])(
    'time grows linearly: %s',
    (_, piece) => {
      const time = (count: number): number => {
        const text = piece.repeat(count);
        const samples = Array.from({ length: 5 }, () => {
          const before = process.cpuUsage();
          parseText(text);
          return process.cpuUsage(before).user / 1000;
        });
        return Math.min(...samples);
      };
      time(1000);
      // Quadratic growth would make it 100; what is collected now and then, and a busy machine, make it more than 10.
      expect(time(10_000) / Math.max(time(1000), 1)).toBeLessThan(35);
    },
    60_000,
  );
});
