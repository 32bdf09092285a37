// What all layers of the parser share: spans, human failures, and recovery. Chevrotain chooses between alternatives and
// matches tokens; its own recovery is off, because without statement terminators its guesses run across line ends. Instead
// each list of declarations, members or statements is a `sequence`: a failure inside ends the item, is noted once, and
// parsing goes on at the next token that plausibly begins another item.

import {
  EmbeddedActionsParser,
  isRecognitionException,
  type IToken,
  type TokenType,
} from 'chevrotain';
import type { ErrorNode } from './ast.ts';
import type { SyntaxProblem } from './problem.ts';
import {
  bindOperators,
  braces,
  closers,
  members,
  outermost,
  sequences,
  type SequenceKind,
  type TokenSet,
} from './sequences.ts';
import type { Source, Span } from './source.ts';
import {
  Any,
  contextual,
  Identifier,
  isFirstOnLine,
  isNameToken,
  keyword,
  nestingOf,
  NumberToken,
  StringToken,
  symbol,
  vocabulary,
} from './tokens.ts';

/** A failure that carries its own problem; the nearest sequence catches it. */
class SyntaxFailure extends Error {
  readonly problem: SyntaxProblem;
  constructor(problem: SyntaxProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** Deeper nesting of expressions, types and blocks is refused: every later stage may recurse over the tree. */
const nestingLimit = 100;

/** How far to look for the `]` of an index when guessing whether a statement begins; keeps recovery linear. */
const guessLimit = 64;

const escapeTick = (text: string): string => text.replaceAll('`', "'");

export abstract class ParserBase extends EmbeddedActionsParser {
  protected source: Source = { path: '', text: '' };
  protected problems: SyntaxProblem[] = [];
  /** Set where a tree grew long without nesting, so that its depth is worth measuring. */
  protected longChains = false;
  protected insideWhere = false;
  /** While chevrotain runs the rules without input to learn the grammar; checks of the input must wait. */
  protected recording = true;
  #nesting = 0;
  #lastFailure = -1;

  constructor(skipValidations: boolean) {
    super(vocabulary, {
      recoveryEnabled: false,
      // Where one token does not decide, a GATE looks at the second; tables of pairs would slow the start.
      maxLookahead: 1,
      skipValidations,
      errorMessageProvider: {
        buildMismatchTokenMessage: ({ expected }) => expected.LABEL ?? expected.name,
        buildNotAllInputParsedMessage: () => 'the end of the file',
        buildNoViableAltMessage: ({ ruleName }) => ruleName,
        buildEarlyExitMessage: ({ ruleName }) => ruleName,
      },
    });
  }

  protected begin(source: Source, tokens: IToken[]): void {
    this.source = source;
    this.problems = [];
    this.longChains = false;
    this.insideWhere = false;
    this.#nesting = 0;
    this.#lastFailure = -1;
    this.input = tokens;
  }

  // ---- places -----------------------------------------------------------------------------------------------------

  /** Where the next token starts. */
  protected get here(): number {
    const { startOffset } = this.LA(1);
    return Number.isNaN(startOffset) ? this.source.text.length : startOffset;
  }

  /** Where the last token ended. */
  protected get there(): number {
    const { endOffset } = this.LA(0);
    return endOffset === undefined || Number.isNaN(endOffset) ? 0 : endOffset + 1;
  }

  /** From `start` to the end of the last token; empty, after that token, if none was read since. */
  protected since(start: number): Span {
    const end = this.there;
    return this.span(Math.min(start, end), end);
  }

  protected spanOf(token: IToken): Span {
    return this.span(token.startOffset, (token.endOffset ?? 0) + 1);
  }

  protected span(start: number, end: number): Span {
    return { source: this.source, start, end };
  }

  protected next(type: TokenType | undefined, ahead = 1): boolean {
    return this.LA(ahead).tokenType === type;
  }

  protected isName(ahead: number): boolean {
    return isNameToken(this.LA(ahead));
  }

  // ---- failures ---------------------------------------------------------------------------------------------------

  /** Fails in words, before chevrotain would in token classes. */
  protected expect(
    holds: boolean,
    expected: readonly string[],
    context: string | null = null,
  ): void {
    if (!holds && !this.recording) throw new SyntaxFailure(this.#expected(expected, context, null));
  }

  protected expectName(expected = 'a name'): void {
    this.expect(this.isName(1), [expected]);
  }

  /** The words are the language's, their arrangement is not. */
  protected malformed(span: Span, message: string, help: string | null): never {
    throw new SyntaxFailure({ kind: 'malformed', span, message, help });
  }

  #expected(
    expected: readonly string[],
    context: string | null,
    opened: Span | null,
  ): SyntaxProblem {
    const found = this.LA(1);
    const end = Number.isNaN(found.startOffset);
    // What is missing at a line's end is missing there, not at the start of the next line.
    const missing = end || (isFirstOnLine(found) && this.there > 0);
    const span = missing ? this.span(this.there, this.there) : this.spanOf(found);
    return {
      kind: 'expected',
      span,
      found: end ? 'the end of the file' : describe(found),
      expected,
      context,
      opened,
    };
  }

  /** Reports a failure, unless the same place has failed before: one cause is reported once. */
  #note(failure: unknown): void {
    const problem =
      failure instanceof SyntaxFailure
        ? failure.problem
        : failure instanceof Error && isRecognitionException(failure)
          ? this.#expected([failure.message], null, null)
          : null;
    if (problem === null) throw failure;
    this.#report(problem);
  }

  #report(problem: SyntaxProblem): void {
    if (this.here === this.#lastFailure) return;
    this.#lastFailure = this.here;
    this.problems.push(problem);
  }

  // ---- brackets and nesting ---------------------------------------------------------------------------------------

  /**
   * The closing bracket of `open`. If it is missing where the bracketed text plausibly ends, that is reported and parsing
   * goes on as if it stood there. Wraps the CONSUME of the closer, which the grammar needs to see.
   */
  protected closing(closer: TokenType, open: IToken, what: string, consume: () => IToken): void {
    const found = this.LA(1);
    if (found.tokenType === closer || this.recording) {
      consume();
      return;
    }
    const label = closer.LABEL ?? closer.name;
    const expected = closer === symbol['}'] ? [label] : ['`,`', label];
    const problem = this.#expected(expected, what, this.spanOf(open));
    const ended =
      Number.isNaN(found.startOffset) || isFirstOnLine(found) || closers.has(found.tokenType);
    if (!ended) throw new SyntaxFailure(problem);
    this.#report(problem);
  }

  /** Called on entering a rule that can contain itself; `leave` must follow. */
  protected enter(): void {
    if (++this.#nesting <= nestingLimit) return;
    const found = this.LA(1);
    const end = Number.isNaN(found.startOffset);
    this.malformed(
      end ? this.since(this.there) : this.spanOf(found),
      'this nests too deeply',
      'give names to the inner parts',
    );
  }

  protected leave(): void {
    this.#nesting--;
  }

  // ---- recovery ---------------------------------------------------------------------------------------------------

  /** Whether the text ahead reads like the start of a binding: `a =`, `a[i], b <-`, `a: `. */
  protected bindAhead(typed: boolean, from = 1, limit = guessLimit): boolean {
    for (let ahead = from; ahead < limit; ahead++) {
      if (!this.isName(ahead)) return false;
      ahead++;
      if (this.next(symbol['['], ahead)) ahead = this.#pastIndex(ahead, limit);
      const { tokenType } = this.LA(ahead);
      if (bindOperators.has(tokenType)) return true;
      if (tokenType === symbol[':']) return typed;
      if (!typed || tokenType !== symbol[',']) return false;
    }
    return false;
  }

  #pastIndex(from: number, limit: number): number {
    let depth = 0;
    for (let ahead = from; ahead < from + limit; ahead++) {
      const { tokenType } = this.LA(ahead);
      if (tokenType === symbol['[']) depth++;
      else if (tokenType === symbol[']'] && --depth === 0) return ahead + 1;
      else if (braces.has(tokenType)) break;
    }
    return from;
  }

  /** Whether an operand cannot stand here because the next line begins another binding: `y = a +` and a line break. */
  protected get lineBeginsBinding(): boolean {
    const found = this.LA(1);
    return (
      isFirstOnLine(found) && nestingOf(found) === 0 && !this.insideWhere && this.bindAhead(false)
    );
  }

  #startsItem(kind: SequenceKind): boolean {
    const found = this.LA(1);
    if (found.tokenType === keyword.return) return kind.starts.has(keyword.return);
    if (!isFirstOnLine(found)) return false;
    if (kind.starts.has(found.tokenType)) return true;
    if (found.tokenType === contextual.jvp && kind === sequences.file) return true;
    return kind.binds && this.isName(1) && (this.bindAhead(true) || this.#startsStep(kind));
  }

  #startsStep(kind: SequenceKind): boolean {
    if (kind === sequences.statements) return false;
    const { tokenType } = this.LA(1);
    const blocks = tokenType === contextual.every || tokenType === contextual.repeat;
    return blocks || (tokenType !== Identifier && this.isName(2));
  }

  /** Whether the list ends here. */
  #ends(kind: SequenceKind): boolean {
    const found = this.LA(1);
    if (Number.isNaN(found.startOffset)) return true;
    if (!kind.closed) return false;
    if (found.tokenType === symbol['}']) return true;
    if (kind === sequences.statements && found.tokenType === keyword.return) return true;
    return isFirstOnLine(found) && kind.foreign.has(found.tokenType);
  }

  /** Skips to the next item of the list or its end, over whole `{ ... }`; always moves on from `from`. */
  #skip(kind: SequenceKind, from: IToken, start: number): ErrorNode {
    let depth = 0;
    for (;;) {
      const found = this.LA(1);
      if (Number.isNaN(found.startOffset)) break;
      const firstOnLine = isFirstOnLine(found);
      if (found !== from) {
        if (firstOnLine && (kind.closed ? kind.foreign : outermost).has(found.tokenType)) break;
        if (depth === 0 && (this.#ends(kind) || this.#startsItem(kind))) break;
      }
      if (found.tokenType === symbol['{']) depth++;
      else if (found.tokenType === symbol['}']) depth = Math.max(0, depth - 1);
      this.CONSUME(Any);
    }
    return { kind: 'error', span: this.since(start) };
  }

  /** Where the first token at or after `offset` starts. */
  #firstAfter(offset: number): number {
    const { text } = this.source;
    let at = offset;
    while (at < text.length && (text.charCodeAt(at) <= 32 || text[at] === '#'))
      at = text[at] === '#' ? lineEnd(text, at) : at + 1;
    return at;
  }

  /**
   * A list of items: `many` is the repetition over them, and adds to `items` itself. Where an item fails, an error node
   * takes its place and the list goes on.
   */
  protected sequence<Item extends { readonly span: Span }>(
    kind: SequenceKind,
    items: (Item | ErrorNode)[],
    many: () => void,
  ): void {
    if (this.recording) {
      many();
      return;
    }
    const nesting = this.#nesting;
    const first = this.here;
    for (;;) {
      const from = this.LA(1);
      try {
        many();
        if (this.#ends(kind)) return;
        this.#failItem(kind);
      } catch (failure) {
        this.#nesting = nesting;
        this.insideWhere = false;
        this.#note(failure);
      }
      const previous = items.at(-1);
      const start = previous === undefined ? first : this.#firstAfter(previous.span.end);
      items.push(this.#skip(kind, from, start));
      if (this.#ends(kind)) return;
    }
  }

  #failItem(kind: SequenceKind): never {
    const problem = this.#expected([kind.what], null, null);
    throw new SyntaxFailure({ ...problem, span: this.spanOf(this.LA(1)) });
  }

  /**
   * Parses a part that may fail on its own: on failure skips to one of `stops`, or, with `lines`, to a line that begins a
   * statement, and gives an error node.
   */
  protected attempt<Part>(stops: TokenSet, parse: () => Part, lines = false): Part | ErrorNode {
    const nesting = this.#nesting;
    const start = this.here;
    try {
      return parse();
    } catch (failure) {
      this.#nesting = nesting;
      this.#note(failure);
      let depth = 0;
      for (;;) {
        const { tokenType, startOffset } = this.LA(1);
        if (Number.isNaN(startOffset) || (depth === 0 && stops.has(tokenType))) break;
        if (tokenType === symbol['{'] || tokenType === symbol['}']) break;
        if (isFirstOnLine(this.LA(1)) && members.has(tokenType)) break;
        if (lines && this.#startsItem(sequences.steps)) break;
        if (tokenType === symbol['('] || tokenType === symbol['[']) depth++;
        if (tokenType === symbol[')'] || tokenType === symbol[']']) depth = Math.max(0, depth - 1);
        this.CONSUME(Any);
      }
      return { kind: 'error', span: this.since(start) };
    }
  }
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/** A token in words: the name `x`, the number `2`, `)`. */
function describe(found: IToken): string {
  const image = escapeTick(found.image.length > 24 ? `${found.image.slice(0, 24)}…` : found.image);
  const { tokenType } = found;
  if (tokenType === Identifier) return `the name \`${image}\``;
  if (tokenType === NumberToken) return `the number \`${image}\``;
  if (tokenType === StringToken) return `the string \`${image}\``;
  return `\`${image}\``;
}
