// The text of one kernel while it is written: statements in nested blocks, names, helpers, the sizes it reads. Implements `Code`, which
// lowerings write to.

import {
  add,
  constant,
  dimOf,
  floorDivide,
  isConstant,
  multiply,
  one,
  subtract,
  sumOfTerms,
  zero,
} from '../../dims/arithmetic.ts';
import type { Atom, Dim } from '../../dims/dim.ts';
import type { DType } from '../../ir/tensor.ts';
import { isName, typeNames } from './expressions.ts';
import {
  indexText,
  indexVariable,
  isIndexVariable,
  surelyBelow,
  type Index,
  type IndexVariable,
} from './indices.ts';
import { never, type Code } from './lowering.ts';
import { uniqueNames } from './names.ts';
import { createLines } from './statements.ts';

export interface Writer extends Code {
  readonly line: (text: string) => void;
  /** `head { body }`. */
  readonly block: (head: string, body: () => void) => void;
  /** `for (var t = from; t < to; t += step) { body }`. */
  readonly steps: (hint: string, range: StepRange, body: (t: Index) => void) => void;
  /**
   * Writes a function `fn name(indices, x: type)` that sees nothing of what is written here; gives what writes a call of it.
   */
  readonly subroutine: (
    hint: string,
    indices: readonly { readonly hint: string; readonly bound: Dim }[],
    x: { readonly hint: string; readonly type: string },
    body: (indices: readonly Index[], x: string) => void,
  ) => (...operands: readonly string[]) => void;
  /**
   * An index as text, for the position of a read: what does not change in a loop is computed before it. Compilers of GPUs do that by
   * themselves; SwiftShader's does not.
   */
  readonly position: (i: Index) => string;
  /** An expression of the index alone, such as a load: named before the loops in which the index stays the same; else as it is. */
  readonly outside: (hint: string, i: Index, expression: () => string) => string;
  /** A name not used yet in the kernel. */
  readonly name: (hint: string) => string;
  /**
   * An index variable with the expression that gives it: declared here, if anything turns out to use it. Expressions may use
   * indices declared before.
   */
  readonly declare: (hint: string, bound: Dim, expression: () => string) => IndexVariable;
  /** `name`, declared here already, as an index below `bound`. */
  readonly indexOf: (name: string, bound: Dim) => Index;
  /** From here on the index is written as `name`. */
  readonly abbreviate: (i: Index, name: string) => void;
  /** What is remembered until the block ends. */
  readonly recall: (key: string) => string | undefined;
  readonly remember: (key: string, expression: string) => void;
  /** The finished statements, the helpers they call and the free sizes they read. */
  readonly finish: () => WrittenCode;
}

export interface StepRange {
  readonly from: string;
  readonly to: Dim;
  readonly step: number;
  /** How many elements from t on are there: those that the body may read at. */
  readonly together?: number;
}

export interface WrittenCode {
  readonly lines: readonly string[];
  /** Functions of the kernel's own. */
  readonly functions: readonly string[];
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
  const bind = (hint: string, expression: string): string => {
    const made = name(hint);
    lines.letIf(() => `let ${made} = ${expression};`);
    return made;
  };
  const variable = (hint: string, dtype: DType, initial: string | null): string => {
    const made = name(hint);
    line(`var ${made}: ${typeNames[dtype]}${initial === null ? '' : ` = ${initial}`};`);
    return made;
  };
  const assign = (to: string, expression: string): void => line(assignment(to, expression));
  const indexOf = (made: string, bound: Dim): Index =>
    dimOf(lines.declared(indexVariable(made, bound)));
  const loops = createLoops(texts, lines, name);
  return {
    ...texts,
    ...lines,
    name,
    bind,
    variable,
    assign,
    when(condition, body) {
      if (condition === null) body();
      else if (condition !== never) block(`if (${condition})`, body);
    },
    loop: (hint, count, body) => loops.steps(hint, { from: '0u', to: count, step: 1 }, body),
    ...loops,
    ...createPositions(texts, lines, name),
    choose(dtype, condition, then, otherwise) {
      if (condition === null) return then();
      if (condition === never) return otherwise();
      const simple = lines.withoutStatements(otherwise);
      // Compilers make little of a branch around a load; and what was loaded may be wanted again.
      const isFree = simple !== null && isName(simple);
      const direct =
        simple === null ? null : isFree ? lines.withNames(then) : lines.withoutStatements(then);
      if (direct !== null) return `select(${simple}, ${direct}, ${condition})`;
      const result = variable('element', dtype, simple);
      block(`if (${condition})`, () => assign(result, then()));
      if (simple === null) lines.orElse(() => assign(result, otherwise()));
      return result;
    },
    below(i, bound) {
      const [known, most] = [i, bound].map(isConstant);
      if (known !== null && (known < 0 || (most !== null && known >= most))) return never;
      return surelyBelow(i, bound) ? null : `${text(i)} < ${text(bound)}`;
    },
    index: (hint, expression, bound) => indexOf(bind(hint, expression), bound),
    indexOf,
    call(helper, ...operands) {
      helpers.add(helper);
      return `${helper}(${operands.join(', ')})`;
    },
    declare(hint, bound, expression) {
      const made = indexVariable(name(hint), bound);
      lines.letIf(() => (texts.isUsed(made) ? `let ${made.name} = ${expression()};` : null));
      return lines.declared(made);
    },
    finish: () => ({
      lines: lines.texts(),
      functions: lines.functions(),
      helpers,
      sizes: texts.sizes,
    }),
  };
}

/** Indices as text, and what was used in them. */
function createTexts(nameOfSize: (size: Atom) => string) {
  const sizes = new Set<Atom>();
  const used = new Set<IndexVariable>();
  const shorthands = new Map<string, string>();
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
    isNamed: (i: Index) => shorthands.has(i.key),
    abbreviate: (index: Index, short: string) => void shorthands.set(index.key, short),
    text: (i: Index) => shorthands.get(i.key) ?? indexText(i, nameOf),
  };
}

/** `steps` and `subroutine` of the writer. */
function createLoops(
  { text }: ReturnType<typeof createTexts>,
  lines: ReturnType<typeof createLines>,
  name: (hint: string) => string,
): Pick<Writer, 'steps' | 'subroutine'> {
  return {
    steps(hint, { from, to, step, together = 1 }, body) {
      // From 0 on, t is a multiple of the step: windows that tile know by that which elements they share.
      const unit = from === '0u' ? step : 1;
      const last = subtract(to, constant(together));
      const t = indexVariable(name(hint), add(floorDivide(last, constant(unit)), one), unit);
      const next = step === 1 ? `${t.name}++` : `${t.name} += ${step}u`;
      lines.loop(`for (var ${t.name} = ${from}; ${t.name} < ${text(to)}; ${next})`, () =>
        body(multiply(dimOf(lines.declared(t)), constant(unit))),
      );
    },
    subroutine(hint, indices, x, body) {
      const made = name(hint);
      const variables = indices.map((index) => indexVariable(name(index.hint), index.bound));
      const value = name(x.hint);
      const parameters = [...variables.map((v) => `${v.name}: u32`), `${value}: ${x.type}`];
      lines.subroutine(`fn ${made}(${parameters.join(', ')})`, () =>
        body(
          variables.map((v) => dimOf(lines.declared(v))),
          value,
        ),
      );
      return (...operands) => lines.line(`${made}(${operands.join(', ')});`);
    },
  };
}

/** `position` and `outside` of the writer. */
function createPositions(
  texts: ReturnType<typeof createTexts>,
  lines: ReturnType<typeof createLines>,
  name: (hint: string) => string,
): Pick<Writer, 'position' | 'outside'> {
  return {
    position(i) {
      const here = lines.level();
      const parts = apartByLevel(i, lines.levelOf);
      const outer = [...parts].filter(([level]) => level < here).sort(([a], [b]) => a - b);
      if (outer.length === 0 || texts.isNamed(i)) return texts.text(i);
      const named = outer.map(([level, part]) => {
        const written = texts.text(part);
        return isWord(written) ? written : lines.before(level, written, () => name('base'));
      });
      const inner = parts.get(here);
      return [...named, ...(inner === undefined ? [] : [texts.text(inner)])].join(' + ');
    },
    outside(hint, i, expression) {
      const level = Math.max(0, ...apartByLevel(i, lines.levelOf).keys());
      return level < lines.level()
        ? lines.before(level, expression(), () => name(hint))
        : expression();
    },
  };
}

/** The parts of an index that vary at each level of loops; constants go with the innermost. */
function apartByLevel(i: Index, levelOf: (v: IndexVariable) => number): Map<number, Index> {
  const levelOfIndex = (d: Index): number => Math.max(0, ...d.terms.map(levelOfTerm));
  const levelOfTerm = ({ factors }: Index['terms'][number]): number =>
    Math.max(
      0,
      ...factors.map(({ atom }) =>
        isIndexVariable(atom)
          ? levelOf(atom)
          : atom.kind === 'quotient'
            ? levelOfIndex(atom.numerator)
            : 0,
      ),
    );
  const innermost = levelOfIndex(i);
  const parts = new Map<number, Index>();
  for (const term of i.terms) {
    const at = term.factors.length === 0 ? innermost : levelOfTerm(term);
    parts.set(at, add(parts.get(at) ?? zero, sumOfTerms([term])));
  }
  return parts;
}

const isWord = (text: string): boolean => /^[\w.]+$/.test(text);

/** `sum = sum + x` is `sum += x`. */
const assignment = (to: string, expression: string): string =>
  expression.startsWith(`${to} + `)
    ? `${to} += ${expression.slice(to.length + 3)};`
    : `${to} = ${expression};`;
