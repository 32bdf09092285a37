// E05xx: files of data, checkpoints, and the arguments that a program is run with. Most have no place in the source; those
// about a declared input point at its declaration.

import { defineDiagnostics } from './diagnostic.ts';

const didYouMean = (data: { readonly suggestion: string | null }): string =>
  data.suggestion === null ? '' : `did you mean \`${data.suggestion}\`?`;

const inputs = 'fn f(x: [n]) -> [n] = x\nexport fn run(x: [B, 3]) -> [B, 3] = f(x)';

export const files = defineDiagnostics({
  E0501: {
    severity: 'error',
    title: 'cannot read the file',
    message: (data: { path: string; reason: string }) => `${data.path}: ${data.reason}`,
    explanation: 'The file does not exist, is a directory, or may not be read.',
    example: inputs,
  },
  E0502: {
    severity: 'error',
    title: 'not a known kind of data',
    message: (data: { path: string; reason: string }) => `${data.path}: ${data.reason}`,
    explanation:
      'Data is read from IDX (also gzipped), npy, npz, CSV and safetensors files; the content must be what the name ' +
      'promises.',
    example: inputs,
  },
  E0503: {
    severity: 'error',
    title: 'the data has another shape',
    message: (data: { name: string; declared: string; found: string; path: string }) =>
      `\`${data.name}\` is declared ${data.declared}, and ${data.path} has ${data.found}`,
    explanation:
      'The first axis of a data file counts the examples; the others must be those that the program declares.',
    example: inputs,
  },
  E0504: {
    severity: 'error',
    title: 'a value is out of range',
    message: (data: { name: string; value: string; at: string; size: string; path: string }) =>
      `\`${data.name}\` is declared fin(${data.size}), and ${data.path} has ${data.value} at ${data.at}`,
    explanation:
      'Data declared `fin(n)` holds whole numbers from 0 to n - 1: checked once, when it is loaded, so that reads with it ' +
      'cannot go out of range.',
    example: inputs,
  },
  E0505: {
    severity: 'error',
    title: 'an input is missing',
    message: (data: { name: string; type: string }) =>
      `nothing was given for \`${data.name}\`: ${data.type}`,
    help: (data: { name: string }) => `give it a file: \`${data.name}=FILE\``,
    explanation: 'Every parameter of the entry point or of the `train` block needs a value.',
    example: inputs,
  },
  E0506: {
    severity: 'error',
    title: 'no such input',
    message: (data: { name: string; of: string; suggestion: string | null }) =>
      `${data.of} has no parameter \`${data.name}\``,
    help: didYouMean,
    explanation: 'Data is given by the names of the parameters that the program declares.',
    example: inputs,
  },
  E0507: {
    severity: 'error',
    title: 'different numbers of examples',
    message: (data: { name: string; count: number; other: string; otherCount: number }) =>
      `\`${data.name}\` has ${data.count}, and \`${data.other}\` has ${data.otherCount}`,
    explanation:
      'Inputs that share their first axis, such as `x: [B, n]` and `y: fin(10)[B]`, go together one to one.',
    example: inputs,
  },
  E0508: {
    severity: 'error',
    title: 'not a checkpoint',
    message: (data: { path: string; reason: string }) => `${data.path}: ${data.reason}`,
    explanation: 'Checkpoints are safetensors files that `dlg train` wrote.',
    example: inputs,
  },
  E0509: {
    severity: 'error',
    title: 'the checkpoint does not fit the program',
    message: (data: { path: string; name: string; reason: string }) =>
      `${data.path}: \`${data.name}\` ${data.reason}`,
    explanation:
      'Every parameter of the program is in the checkpoint under its path, such as `net.l1.W`, in its shape. After a ' +
      'change of the model, train again.',
    example: inputs,
  },
  E0510: {
    severity: 'error',
    title: 'the program has no such entry point',
    message: (data: { name: string; kind: string; suggestion: string | null }) =>
      `there is no ${data.kind} called \`${data.name}\``,
    help: didYouMean,
    explanation: 'The command names an `export fn` or a `train` block of the file.',
    example: inputs,
  },
  E0511: {
    severity: 'error',
    title: 'a size needs a value',
    message: (data: { name: string }) => `nothing given determines \`${data.name}\``,
    explanation: 'A free size gets its value from the data that has it as an axis, or as a number.',
    example: 'export fn sample(B: dim) -> [B, 3] = zeros(B, 3)',
  },
  E0512: {
    severity: 'error',
    title: 'too few examples',
    message: (data: { count: number; batch: number }) =>
      `there are ${data.count}, fewer than one batch of ${data.batch}`,
    explanation: 'A step of training takes a whole batch. Give more data, or a smaller `--batch`.',
    example: inputs,
  },
  E0513: {
    severity: 'error',
    title: 'not a number',
    message: (data: { path: string; at: string; found: string }) =>
      `${data.path} has ${data.found} at ${data.at}`,
    explanation:
      'Data must be finite numbers. Missing values are for the program to fill in before.',
    example: inputs,
  },
  E0514: {
    severity: 'error',
    title: 'cannot write the file',
    message: (data: { path: string; reason: string }) => `${data.path}: ${data.reason}`,
    explanation: 'The directory is missing or may not be written, or the disk is full.',
    example: inputs,
  },
});
