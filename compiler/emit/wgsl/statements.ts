// Statements in nested blocks while a kernel is written: what is remembered in each block, and which loops are open, so that what does
// not change in a loop can be computed before it.

import type { IndexVariable } from './indices.ts';

interface Line {
  readonly depth: number;
  /** Null for a statement that turned out not to be needed. */
  readonly text: () => string | null;
  /** Names an expression, and does nothing else. */
  readonly isName: boolean;
  /** Statements put in before it, when what follows it was written already. */
  readonly before: Line[];
}

interface Scope {
  readonly remembered: Map<string, string>;
  /** The head of the loop whose body this is. */
  readonly loop: Line | null;
}

export function createLines() {
  const lines: Line[] = [];
  const scopes: Scope[] = [{ remembered: new Map(), loop: null }];
  const subroutines: { readonly head: string; readonly body: readonly Line[] }[] = [];
  const levels = new Map<IndexVariable, number>();
  const loops = (): Scope[] => scopes.filter(({ loop }) => loop !== null);
  const level = (): number => loops().length;
  const add = (text: () => string | null, isName: boolean): void =>
    void lines.push({ depth: scopes.length, text, isName, before: [] });
  const line = (text: string): void => add(() => text, false);
  const nested = (body: () => void, loop: Line | null = null): void => {
    scopes.push({ remembered: new Map(), loop });
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
    block,
    /** `let name = expression`, which need not be known yet; or nothing, if it turns out not to be needed. */
    letIf: (text: () => string | null): void => add(text, true),
    /** A block that may run again and again. */
    loop(head: string, body: () => void) {
      line(`${head} {`);
      nested(body, lines.at(-1) ?? null);
      line('}');
    },
    /** In how many loops the next statement lies. */
    level,
    /** Of an index variable; one of unknown origin may be of the innermost. */
    levelOf: (v: IndexVariable): number => levels.get(v) ?? level(),
    declared(v: IndexVariable): IndexVariable {
      levels.set(v, level());
      return v;
    },
    /** Names an expression at a level further out, before the loop that leads here; once for all who ask there. */
    before(outer: number, expression: string, name: () => string): string {
      const { loop } = loops()[outer];
      const around = scopes[scopes.findIndex((scope) => scope.loop === loop) - 1];
      const known = around.remembered.get(expression);
      if (known !== undefined || loop === null) return known ?? expression;
      const made = name();
      around.remembered.set(expression, made);
      loop.before.push({
        depth: loop.depth,
        text: () => `let ${made} = ${expression};`,
        isName: true,
        before: [],
      });
      return made;
    },
    /** Writes `body` as the body of a function apart, which sees nothing of what is written here. */
    subroutine(head: string, body: () => void): void {
      const [around, open] = [lines.splice(0), scopes.splice(0)];
      scopes.push({ remembered: new Map(), loop: null });
      body();
      subroutines.push({ head, body: lines.splice(0) });
      scopes.splice(0, scopes.length, ...open);
      lines.push(...around);
    },
    /** Goes on after the block that was just closed. */
    orElse(body: () => void) {
      lines.pop();
      block('} else', body);
    },
    ...createTrials(lines, scopes, nested),
    recall: (key: string) =>
      scopes.findLast(({ remembered }) => remembered.has(key))?.remembered.get(key),
    remember: (key: string, expression: string) =>
      void scopes.at(-1)?.remembered.set(key, expression),
    texts: (): string[] => textsOf(lines),
    functions: (): string[] =>
      subroutines.map(({ head, body }) => [`${head} {`, ...textsOf(body), '}'].join('\n')),
  };
}

/** Expressions that are taken only if little must be written before them. */
function createTrials(
  lines: Line[],
  scopes: readonly Scope[],
  nested: (body: () => void) => void,
): Record<'withoutStatements' | 'withNames', (expression: () => string) => string | null> {
  return {
    /** The expression, if it needs no statement before it; else null, and nothing is written. */
    withoutStatements(expression) {
      const before = lines.length;
      let result = '';
      nested(() => (result = expression()));
      if (lines.length === before) return result;
      lines.length = before;
      return null;
    },
    /** The expression, if all it needs before it are names, which are written; else null, and nothing is written. */
    withNames(expression) {
      const before = lines.length;
      const { remembered } = scopes[scopes.length - 1];
      const known = [...remembered];
      const result = expression();
      if (lines.slice(before).every(({ isName }) => isName)) return result;
      lines.length = before;
      remembered.clear();
      known.forEach(([key, value]) => remembered.set(key, value));
      return null;
    },
  };
}

function textsOf(lines: readonly Line[]): string[] {
  // Later declarations use earlier ones, so what is needed is found from the end.
  const inOrder = lines.flatMap((statement) => [...statement.before, statement]);
  const written = inOrder.toReversed().map(({ depth, text }) => {
    const statement = text();
    return statement === null ? null : '  '.repeat(depth) + statement;
  });
  return written.reverse().filter((statement) => statement !== null);
}
