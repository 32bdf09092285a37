// The text of one kernel while it is written: statements in nested blocks, names, helpers, the sizes it reads. Implements `Code`, which
// lowerings write to.

import { dimOf, equal } from '../../dims/arithmetic.ts';
import type { Atom, Dim } from '../../dims/dim.ts';
import type { DType } from '../../ir/tensor.ts';
import { typeNames } from './expressions.ts';
import {
  indexText,
  indexVariable,
  isIndexVariable,
  surelyBelow,
  type Index,
  type IndexVariable,
} from './indices.ts';
import type { Code } from './lowering.ts';
import { uniqueNames } from './names.ts';

export interface Writer extends Code {
  readonly line: (text: string) => void;
  /** `head { body }`. */
  readonly block: (head: string, body: () => void) => void;
  /** A name not used yet in the kernel. */
  readonly name: (hint: string) => string;
  /**
   * An index variable with the expression that gives it: declared here, if anything turns out to use it. Expressions may use
   * indices declared before.
   */
  readonly declare: (hint: string, bound: Dim, expression: () => string) => IndexVariable;
  /** From here on the index is written as `name`. */
  readonly abbreviate: (i: Index, name: string) => void;
  /** What is remembered until the block ends. */
  readonly recall: (key: string) => string | undefined;
  readonly remember: (key: string, expression: string) => void;
  /** The finished statements, the helpers they call and the free sizes they read. */
  readonly finish: () => WrittenCode;
}

export interface WrittenCode {
  readonly lines: readonly string[];
  readonly helpers: ReadonlySet<string>;
  readonly sizes: ReadonlySet<Atom>;
}

/** `name` gives the names of the kernel, each once. */
export function createWriter(
  nameOfSize: (size: Atom) => string,
  name: (hint: string) => string = uniqueNames(),
): Writer {
  const helpers = new Set<string>();
  const texts = createTexts(nameOfSize);
  const lines = createLines();
  const { text } = texts;
  const { line, block } = lines;
  const named = (hint: string, write: (made: string) => string): string => {
    const made = name(hint);
    line(write(made));
    return made;
  };
  const bind = (hint: string, expression: string): string =>
    named(hint, (made) => `let ${made} = ${expression};`);
  const variable = (hint: string, dtype: DType, initial: string | null): string => {
    const value = initial === null ? '' : ` = ${initial}`;
    return named(hint, (made) => `var ${made}: ${typeNames[dtype]}${value};`);
  };
  const assign = (to: string, expression: string): void => line(assignment(to, expression));
  return {
    ...texts,
    ...lines,
    name,
    bind,
    variable,
    assign,
    when: (condition, body) => (condition === null ? body() : block(`if (${condition})`, body)),
    loop(hint, count, body) {
      const t = indexVariable(name(hint), count);
      block(`for (var ${t.name} = 0u; ${t.name} < ${text(count)}; ${t.name}++)`, () =>
        body(dimOf(t)),
      );
    },
    choose(dtype, condition, then, otherwise) {
      if (condition === null) return then();
      const simple = lines.withoutStatements(otherwise);
      const result = variable('element', dtype, simple);
      block(`if (${condition})`, () => assign(result, then()));
      if (simple === null) lines.orElse(() => assign(result, otherwise()));
      return result;
    },
    below: (i, bound) => (surelyBelow(i, bound) ? null : `${text(i)} < ${text(bound)}`),
    index: (hint, expression, bound) => dimOf(indexVariable(bind(hint, expression), bound)),
    call(helper, ...operands) {
      helpers.add(helper);
      return `${helper}(${operands.join(', ')})`;
    },
    declare(hint, bound, expression) {
      const made = indexVariable(name(hint), bound);
      lines.lineIf(() => (texts.isUsed(made) ? `let ${made.name} = ${expression()};` : null));
      return made;
    },
    finish: () => ({ lines: lines.texts(), helpers, sizes: texts.sizes }),
  };
}

/** Indices as text, and what was used in them. */
function createTexts(nameOfSize: (size: Atom) => string) {
  const sizes = new Set<Atom>();
  const used = new Set<IndexVariable>();
  const shorthands: { readonly index: Index; readonly name: string }[] = [];
  const nameOf = (atom: Atom): string => {
    if (isIndexVariable(atom)) {
      used.add(atom);
      return atom.name;
    }
    sizes.add(atom);
    return nameOfSize(atom);
  };
  return {
    sizes,
    isUsed: (index: IndexVariable) => used.has(index),
    abbreviate: (index: Index, short: string) => void shorthands.push({ index, name: short }),
    text: (i: Index) =>
      shorthands.find(({ index }) => equal(index, i))?.name ?? indexText(i, nameOf),
  };
}

/** Statements in nested blocks, and what is remembered in each. */
function createLines() {
  const lines: { readonly depth: number; readonly text: () => string | null }[] = [];
  const scopes: Map<string, string>[] = [new Map()];
  /** A statement, or none if it turns out not to be needed. */
  const lineIf = (text: () => string | null): void =>
    void lines.push({ depth: scopes.length, text });
  const line = (text: string): void => lineIf(() => text);
  const nested = (body: () => void): void => {
    scopes.push(new Map());
    body();
    scopes.pop();
  };
  const block = (head: string, body: () => void): void => {
    line(`${head} {`);
    nested(body);
    line('}');
  };
  return {
    line,
    lineIf,
    block,
    /** Goes on after the block that was just closed. */
    orElse(body: () => void) {
      lines.pop();
      block('} else', body);
    },
    /** The expression, if it needs no statement before it; else null, and nothing is written. */
    withoutStatements(expression: () => string): string | null {
      const before = lines.length;
      let result = '';
      nested(() => (result = expression()));
      if (lines.length === before) return result;
      lines.length = before;
      return null;
    },
    recall: (key: string) => scopes.findLast((scope) => scope.has(key))?.get(key),
    remember: (key: string, expression: string) => void scopes.at(-1)?.set(key, expression),
    texts(): string[] {
      // Later declarations use earlier ones, so what is needed is found from the end.
      const written = lines.toReversed().map(({ depth, text }) => {
        const statement = text();
        return statement === null ? null : '  '.repeat(depth) + statement;
      });
      return written.reverse().filter((statement) => statement !== null);
    },
  };
}

/** `sum = sum + x` is `sum += x`. */
const assignment = (to: string, expression: string): string =>
  expression.startsWith(`${to} + `)
    ? `${to} += ${expression.slice(to.length + 3)};`
    : `${to} = ${expression};`;
