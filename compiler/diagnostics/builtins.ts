// Diagnostics of the type rules of builtins and operators (compiler/builtins/).

import { defineDiagnostics } from './diagnostic.ts';

export const builtinDiagnostics = defineDiagnostics({
  E0601: {
    severity: 'error',
    title: 'wrong arguments',
    message: ({ name, why }: { name: string; signature: string; why: string }) =>
      `\`${name}\`: ${why}`,
    help: ({ signature }: { signature: string }) => `it is used so: \`${signature}\``,
    explanation:
      'A built-in function or operator got too many or too few arguments, or one of a kind it does not take. The help shows how it is written.',
    example: 'fn f(x: [n]) -> [n] = clamp(x, 0)\n',
  },
  E0602: {
    severity: 'error',
    title: 'shapes do not line up',
    message: ({ left, right }: { name: string; left: string; right: string; why: string | null }) =>
      `the left side is ${left}, the right side ${right}`,
    explanation:
      'Elementwise operations take equal shapes, or a scalar, or one shape that is a suffix of the other: `[B, n] + [n]` adds the vector to every row. Everything else is index notation, which says what is meant: `y[b, i] = a[b, i] * s[b]`.',
    example: 'fn f(a: [B, n], s: [B]) -> [B, n] = a * s\n',
  },
  E0603: {
    severity: 'error',
    title: 'an axis of size 1 does not stretch',
    message: ({ left, right }: { left: string; right: string }) =>
      `the left side is ${left}, the right side ${right}; DLG never stretches a size-1 axis`,
    help: () => 'take the axis out with an index, as in `y[b] = p[b, 0] - t[b]`',
    explanation:
      'Other languages repeat an axis of size 1 to fit the other operand. `[B, 1] - [B]` then silently becomes a [B, B] matrix, a classic way to train on the wrong loss. Here sizes must be equal.',
    example: 'fn f(p: [B, 1], y: [B, 3]) -> [B, 3] = p - y\n',
  },
  E0604: {
    severity: 'error',
    title: 'the number of elements changes',
    message: ({
      from,
      count,
      to,
      wanted,
    }: {
      from: string;
      count: string;
      to: string;
      wanted: string;
    }) => `${from} has ${count} elements, ${to} has ${wanted}`,
    explanation:
      '`reshape` keeps every element, in row-major order, so both shapes must have equally many for all sizes.',
    example: 'fn f(x: [B, 6]) -> [B, 2, 2] = reshape(x, [B, 2, 2])\n',
  },
  E0605: {
    severity: 'error',
    title: 'the size may not divide',
    message: ({ size, by }: { size: string; by: string }) =>
      `nothing shows that ${by} divides ${size}`,
    help: ({ size, by }: { size: string; by: string }) => `add \`where ${size} % ${by} == 0\``,
    explanation:
      'The operation splits an axis into equal parts, which needs a size that is a multiple. State it in a `where` clause; calls then have to fulfil it.',
    example: 'fn f(x: [n]) -> [n] {\n  a, b = halves(x)\n  return concat(b, a)\n}\n',
  },
});

export const { E0601, E0602, E0603, E0604, E0605 } = builtinDiagnostics;
