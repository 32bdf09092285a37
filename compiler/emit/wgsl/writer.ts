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

/** A statement, or one that may turn out not to be needed. */
type Line = { readonly depth: number; readonly text: () => string | null };

/** `name` gives the names of the kernel, each once. */
export function createWriter(
  nameOfSize: (size: Atom) => string,
  name: (hint: string) => string = uniqueNames(),
): Writer {
  const lines: Line[] = [];
  const helpers = new Set<string>();
  const sizes = new Set<Atom>();
  const used = new Set<IndexVariable>();
  const scopes: Map<string, string>[] = [new Map()];
  const shorthands: { readonly index: Index; readonly name: string }[] = [];

  const line = (text: string): void => void lines.push({ depth: scopes.length, text: () => text });
  const nameOf = (atom: Atom): string => {
    if (isIndexVariable(atom)) {
      used.add(atom);
      return atom.name;
    }
    sizes.add(atom);
    return nameOfSize(atom);
  };
  const text = (i: Index): string =>
    shorthands.find(({ index }) => equal(index, i))?.name ?? indexText(i, nameOf);
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
  const bind = (hint: string, expression: string): string => {
    const made = name(hint);
    line(`let ${made} = ${expression};`);
    return made;
  };
  const variable = (hint: string, dtype: DType, initial: string): string => {
    const made = name(hint);
    line(`var ${made}: ${typeNames[dtype]} = ${initial};`);
    return made;
  };
  const assign = (to: string, expression: string): void => line(assignment(to, expression));
  const when = (condition: string | null, body: () => void): void =>
    condition === null ? body() : block(`if (${condition})`, body);

  return {
    line,
    block,
    name,
    text,
    bind,
    variable,
    assign,
    when,
    loop(hint, count, body) {
      const t = indexVariable(name(hint), count);
      block(`for (var ${t.name} = 0u; ${t.name} < ${text(count)}; ${t.name}++)`, () =>
        body(dimOf(t)),
      );
    },
    choose(dtype, condition, then, otherwise) {
      if (condition === null) return then();
      const start = lines.length;
      const result = variable('element', dtype, defaults[dtype]);
      const other = otherwise();
      const isSimple = lines.length === start + 1;
      lines.length = start;
      if (isSimple) line(`var ${result}: ${typeNames[dtype]} = ${other};`);
      else line(`var ${result}: ${typeNames[dtype]};`);
      block(`if (${condition})`, () => assign(result, then()));
      if (!isSimple) {
        lines.pop();
        block('} else', () => assign(result, otherwise()));
      }
      return result;
    },
    below: (i, bound) => (surelyBelow(i, bound) ? null : `${text(i)} < ${text(bound)}`),
    index(hint, expression, bound) {
      const made = indexVariable(bind(hint, expression), bound);
      return dimOf(made);
    },
    call(helper, ...operands) {
      helpers.add(helper);
      return `${helper}(${operands.join(', ')})`;
    },
    declare(hint, bound, expression) {
      const made = indexVariable(name(hint), bound);
      lines.push({
        depth: scopes.length,
        text: () => (used.has(made) ? `let ${made.name} = ${expression()};` : null),
      });
      return made;
    },
    abbreviate: (index, short) => void shorthands.push({ index, name: short }),
    recall: (key) => scopes.findLast((scope) => scope.has(key))?.get(key),
    remember: (key, expression) => void scopes.at(-1)?.set(key, expression),
    finish() {
      // Later declarations use earlier ones, so needs are found from the end.
      const texts = lines.toReversed().map(({ depth, text: write }) => {
        const written = write();
        return written === null ? null : '  '.repeat(depth) + written;
      });
      return { lines: texts.reverse().filter((t) => t !== null), helpers, sizes };
    },
  };
}

const defaults: Readonly<Record<DType, string>> = {
  f32: '0.0',
  i32: '0i',
  u32: '0u',
  bool: 'false',
};

/** `sum = sum + x` is `sum += x`. */
const assignment = (to: string, expression: string): string =>
  expression.startsWith(`${to} + `)
    ? `${to} += ${expression.slice(to.length + 3)};`
    : `${to} = ${expression};`;
