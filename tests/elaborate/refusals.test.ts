// What the builtins' rules and the elaborator refuse: the example of each code gets that code and no other.

import { describe, expect, it } from 'vitest';
import { builtinDiagnostics } from '../../compiler/diagnostics/builtins.ts';
import { elaborationDiagnostics } from '../../compiler/diagnostics/elaboration.ts';
import { compileText } from './compile-text.ts';

const errorsOf = (text: string): string[] =>
  compileText(text)
    .diagnostics.filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);

describe('examples of diagnostics', () => {
  for (const { code, example } of Object.values({
    ...builtinDiagnostics,
    ...elaborationDiagnostics,
  }))
    it(code, () => expect(errorsOf(example)).toEqual([code]));
});

describe('refusals', () => {
  it('one wrong call met by two graphs is said once', () => {
    const body = elaborationDiagnostics.E0701.example.replace('export fn f', 'fn g');
    const text = `${body}
      export fn a(x: [T, B]) -> y: [T, B] = g(x)
      export fn b(x: [T, B]) -> y: [T, B] = g(x)
    `;
    expect(errorsOf(text)).toEqual(['E0701']);
  });

  it('names the numbers of shapes that do not line up', () => {
    const { diagnostics } = compileText('fn f(a: [3], b: [4]) -> [3] = a + b\n');
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0].message).toContain('[3]');
    expect(diagnostics[0].message).toContain('[4]');
  });
});
