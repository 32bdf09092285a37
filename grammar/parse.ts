// Text to syntax tree: the whole of the grammar's first half. Pure data in and out; no input makes it throw.

import type { Comment, Declaration, File } from './ast.ts';
import { Parser } from './parser.ts';
import type { SyntaxProblem } from './problem.ts';
import type { Source } from './source.ts';
import { tokenize } from './scanner.ts';
import { depthOf } from './walk.ts';

export interface ParseResult {
  readonly file: File;
  readonly comments: readonly Comment[];
  /** In the order of the text. */
  readonly problems: readonly SyntaxProblem[];
  /** Whether the tree says all that the text says, so that the printer may replace the text. */
  readonly printable: boolean;
}

/** Later stages recurse over the tree; nothing that a person writes comes near. */
const depthLimit = 500;

let parser: Parser | undefined;

/** Parses one file. What does not parse is reported and stands in the tree as error nodes. */
export function parse(source: Source): ParseResult {
  // Analysing the grammar takes milliseconds, so it waits for the first use and happens once.
  parser ??= new Parser(true);
  const { tokens, comments, problems: stray } = tokenize(source);
  const parsed = parser.run(source, tokens, comments);
  const problems = [...stray, ...parsed.problems];
  const declarations = parsed.longChains
    ? parsed.declarations.map((declaration) => shallow(declaration, problems))
    : parsed.declarations;
  problems.sort((a, b) => a.span.start - b.span.start);
  const file: File = {
    kind: 'file',
    declarations,
    comments,
    span: { source, start: 0, end: source.text.length },
  };
  return { file, comments, problems, printable: problems.length === 0 };
}

function shallow(declaration: Declaration, problems: SyntaxProblem[]): Declaration {
  if (depthOf(declaration) <= depthLimit) return declaration;
  const { span } = declaration;
  problems.push({
    kind: 'malformed',
    span,
    message: 'an expression in this declaration is too long',
    help: 'give names to its parts',
  });
  return { kind: 'error', span };
}
