// E00xx: texts that are not DLG. The grammar reports plain problems; here they become diagnostics.

import type { SyntaxProblem } from '../../grammar/problem.ts';
import { defineDiagnostics, report, type Diagnostic } from './diagnostic.ts';

export const syntax = defineDiagnostics({
  E0001: {
    severity: 'error',
    title: 'unexpected character',
    message: (data: { found: string }) => `no part of the language starts with \`${data.found}\``,
    explanation:
      'This character has no meaning in DLG outside strings and comments. Comments start with `#`; names are letters, ' +
      'digits, `_` and primes, Greek letters included.',
    example: 'const a = 1 $\n',
  },
  E0002: {
    severity: 'error',
    title: 'the string is not closed',
    message: () => 'this string has no closing `"` on its line',
    explanation: 'A string begins and ends with `"` on one line.',
    example: 'import "std/nn',
  },
  E0003: {
    severity: 'error',
    title: 'syntax error',
    message: (data: { expected: string; found: string; context: string | null }) =>
      `expected ${data.expected}, found ${data.found}` +
      (data.context === null ? '' : ` in ${data.context}`),
    explanation:
      'The text stops following the grammar here. The message says what may stand in this place. Statements need no ' +
      'semicolons: each begins with a name or a keyword.',
    example: 'fn f(x: [n] -> [n] = x',
  },
  E0004: {
    severity: 'error',
    title: 'not a form of the language',
    message: (data: { message: string }) => data.message,
    explanation:
      'The words are DLG, but their arrangement is one that the language does not have. The help says what to write.',
    example: 'fn f(x: [n]) -> [n] = x ** 2\n',
  },
});

/** `a, b or c`. */
export function oneOf(items: readonly string[]): string {
  const [last, ...others] = items.toReversed();
  return others.length === 0 ? (last ?? '') : `${others.toReversed().join(', ')} or ${last}`;
}

/** What the lexer or the parser found, as a diagnostic. */
export function fromSyntaxProblem(problem: SyntaxProblem): Diagnostic {
  const { span } = problem;
  switch (problem.kind) {
    case 'unexpected-character':
      return report(syntax.E0001, { span, data: { found: problem.found } });
    case 'unterminated-string':
      return report(syntax.E0002, { span });
    case 'malformed':
      return report(syntax.E0004, { span, data: { message: problem.message }, help: problem.help });
    case 'expected':
      return report(syntax.E0003, {
        span,
        data: {
          expected: oneOf(problem.expected),
          found: problem.found,
          context: problem.context,
        },
        related:
          problem.opened === null
            ? []
            : [
                {
                  span: problem.opened,
                  reason: `this opens ${problem.context ?? 'what is not closed'}`,
                },
              ],
      });
  }
}
