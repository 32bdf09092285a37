import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Declaration } from '../../grammar/ast.ts';
import type { SyntaxProblem } from '../../grammar/problem.ts';
import { positionOf } from '../../grammar/source.ts';
import { checkInvariants } from './invariants.ts';
import { parseText } from './tree.ts';

/** `line:column what was expected; found`, as a message would say it. */
function show(problem: SyntaxProblem): string {
  const { line, column } = positionOf(problem.span.source, problem.span.start);
  const at = `${line}:${column} `;
  if (problem.kind === 'expected') {
    const context = problem.context === null ? '' : ` in ${problem.context}`;
    return `${at}expected ${problem.expected.join(' or ')}, found ${problem.found}${context}`;
  }
  if (problem.kind === 'malformed')
    return `${at}${problem.message}${problem.help === null ? '' : `; ${problem.help}`}`;
  return `${at}${problem.kind}`;
}

const problemsOf = (text: string): string[] => {
  const result = parseText(text);
  checkInvariants(text, result);
  return result.problems.map(show);
};

const nameOf = (one: Declaration): string =>
  'name' in one && one.name !== null ? `${one.kind} ${one.name.text}` : one.kind;

describe('messages', () => {
  test.each([
    ['const a = ', '1:10 expected an expression, found the end of the file'],
    ['const a = 1 +', '1:14 expected an expression, found the end of the file'],
    ['fn f(x: [n] -> [n] = x', '1:13 expected `,` or `)`, found `->` in a parameter list'],
    ['fn f(x) = x', '1:7 expected `:`, found `)`'],
    ['fn f(x: ) = x', '1:9 expected a type, found `)`'],
    ['fn f() -> = 1', '1:11 expected a type, found `=`'],
    ['fn f() 1', '1:8 expected `=` or `{`, found the number `1`'],
    ['model 3 { }', '1:7 expected a name, found the number `3`'],
    ['hello', '1:1 expected a declaration, found the name `hello`'],
    ['const a = f(1', '1:14 expected `,` or `)`, found the end of the file in the arguments'],
    ['const a = x[]', '1:13 expected an expression, found `]`'],
    ['const a = sum[] x', '1:15 expected an index name, found `]`'],
    ['const a = ()', '1:12 expected an expression, found `)`'],
    ['const a = if b then c', '1:22 expected `else`, found the end of the file'],
    ['model A { x = 1 }', '1:11 expected a member, found the name `x`'],
    ['model A { param W ~ glorot }', '1:19 expected `:`, found `~`'],
    ['schedule A { 3 }', '1:14 expected a table, found the number `3`'],
    ['train t { minimize loss using Adam }', '1:25 expected `over`, found `using`'],
    ['train t { minimize loss over 3 }', '1:30 expected the name of a model, found the number `3`'],
    ['fn f() { for t T { } }', '1:16 expected `<` or `in`, found the name `T` in a `for` loop'],
    ['fn f() { fix tol 1 }', '1:18 expected `=`, found the number `1`'],
    ['fn f() {', '1:9 expected `}`, found the end of the file in a block'],
    ['fn f() { return }', '1:17 expected an expression, found `}`'],
    [
      'fn f() { return 1 b = 2 }',
      '1:19 expected `}`, found the name `b` in a block: `return` ends it',
    ],
  ])('%s', (text, message) => {
    expect(problemsOf(text)).toEqual([message]);
  });

  test.each([
    ['const a = 2x', '1:11 a number runs into a name; write `2 * x`, or put a space between them'],
    ['const a = b ** c', '1:14 `**` is not an operator; write `^`'],
    ['const a = if b = c then d else e', '1:16 `=` binds a name; to compare, write `==`'],
    [
      'const a = b < <- c',
      '1:15 `<-` updates a name; to compare with a negative number, put a space: `< -`',
    ],
    [
      'fn f() { g(x) }',
      '1:10 a statement binds a name, and an expression alone does nothing; write `y = ...`, or `return ...` at the end of a block',
    ],
    [
      'fn f() { x }',
      '1:10 an expression alone is not a statement; to give it back, write `return`',
    ],
    [
      'fn f() { if a { b = 1 } else if c { b = 2 } }',
      '1:30 `else` takes a block; write `else { if ... { ... } }`',
    ],
    [
      'fn f() { if a then b else c }',
      '1:15 an `if` with `then` is an expression, and stands in a binding; write `x = if c then a else b`, or `if c { ... } else { ... }`',
    ],
  ])('%s', (text, message) => {
    expect(problemsOf(text)[0]).toBe(message);
  });

  test('what is missing at the end of a line is missed there', () => {
    expect(problemsOf('fn f() {\n  y = a +\n  z = b\n  return z\n}')).toEqual([
      '2:10 expected an expression, found the name `z`',
    ]);
  });

  test('stray characters and open strings', () => {
    expect(problemsOf('const a = 1 $$ + £ 2\nconst b = "open\nconst c = 3')).toEqual([
      '1:13 unexpected-character',
      '1:18 unexpected-character',
      '2:11 unterminated-string',
    ]);
  });

  test('a bracket that is not closed names the place where it opened', () => {
    const [problem] = parseText('const a = f(b, (c\nconst d = 1').problems;
    expect(problem.kind === 'expected' && problem.opened?.start).toBe(15);
  });
});

describe('several errors in one run', () => {
  const text = readFileSync(new URL('broken.txt', import.meta.url), 'utf8');

  test('each is reported once, in order', () => {
    expect(problemsOf(text)).toMatchSnapshot();
  });

  test('the declarations around them survive, with their signatures', () => {
    const { file } = parseText(text);
    expect(file.declarations.map(nameOf)).toMatchSnapshot();
    const first = file.declarations.find((one) => one.kind === 'model');
    expect(first?.parameters.map(({ name, type }) => `${name.text}: ${type.kind}`)).toEqual([
      'n: tensor-type',
      'h: error',
    ]);
    expect(first?.members.map(({ kind }) => kind)).toEqual(['param', 'param', 'fn', 'fn']);
  });

  test('a binding whose value is broken keeps its names', () => {
    const { file } = parseText('fn f() {\n  a, b = g(1 2)\n  c = 3\n}');
    const [f] = file.declarations;
    const statements = f.kind === 'fn' && f.body.kind === 'block' ? f.body.statements : [];
    expect(
      statements.map((one) => one.kind === 'bind' && one.targets.map(({ name }) => name.text)),
    ).toEqual([['a', 'b'], ['c']]);
  });
});

describe('random damage', () => {
  /** mulberry32: a seeded generator of numbers in [0, 1). */
  function random(seed: number): () => number {
    let state = seed;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  const pieces =
    ' ( ) [ ] { } = ~ <- , : . .. -> |> # ## " \n if then else for in fn model train return sum 1 x $ ∀ 𝔸'.split(
      ' ',
    );

  test.each(['kitchen-sink.dlg', 'six-programs.dlg', 'comments.dlg'])(
    '%s',
    (name) => {
      const text = readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
      const draw = random(name.length);
      const below = (limit: number): number => Math.floor(draw() * limit);
      for (let round = 0; round < 800; round++) {
        let damaged = text;
        for (let blow = below(4); blow >= 0; blow--) {
          const at = below(damaged.length);
          const cut = below(3) === 0 ? 0 : below(12);
          const from = below(text.length);
          const piece =
            below(2) === 0 ? pieces[below(pieces.length)] : text.slice(from, from + below(20));
          damaged = damaged.slice(0, at) + piece + damaged.slice(at + cut);
        }
        const before = performance.now();
        const result = parseText(damaged);
        expect(performance.now() - before).toBeLessThan(2000);
        checkInvariants(damaged, result);
      }
    },
    60_000,
  );
});
