// E05xx: files of data, checkpoints, and what a program is run with. They have no place in a source text. The runtime finds
// them and words them (runtime/problem.ts), without knowing this table; the command line puts the two together.

import { defineDiagnostics } from './diagnostic.ts';

/** `file` stands before the message where one is at fault: `labels.npy row 3 holds 10, ...`. */
export interface FileProblem {
  readonly file: string | null;
  readonly message: string;
}

const message = ({ file, message }: FileProblem): string =>
  file === null ? message : `${file} ${message}`;

const severity = 'error';
const example = 'export fn run(x: [B, 3], y: fin(10)[B]) -> [B, 3] = x';

export const files = defineDiagnostics({
  E0501: {
    severity,
    message,
    example,
    title: 'cannot read the file',
    explanation: 'The file does not exist, is a folder, or may not be read.',
  },
  E0502: {
    severity,
    message,
    example,
    title: 'the data cannot be read',
    explanation:
      'Data is read from IDX, npy, npz, CSV, safetensors and JSON files, each also gzipped. The content must be what the ' +
      'name promises, and whole: a file that was cut short is refused.',
  },
  E0503: {
    severity,
    message,
    example,
    title: 'the data has another shape',
    explanation:
      'The first axis of a data file counts the rows; the others must be those that the program declares. Axes after the ' +
      'first may be merged or split, without changing the order of the elements, and axes of size 1 come and go: ' +
      '[N, 28, 28] fits `[B, 784]` and `[B, 1, 28, 28]`.',
  },
  E0504: {
    severity,
    message,
    example,
    title: 'a value is out of range',
    explanation:
      'Data declared `fin(n)` holds whole numbers from 0 to n - 1; `int` whole numbers of 32 bits; `bool` 0 and 1; reals ' +
      'are finite. All of it is checked once, when it is loaded, so that reads with it cannot go out of range.',
  },
  E0505: {
    severity,
    message,
    example,
    title: 'an input is missing',
    explanation: 'Every data input of the entry point or of the `train` block needs a value.',
  },
  E0506: {
    severity,
    message,
    example,
    title: 'no such input',
    explanation: 'Data is given by the names of the parameters that the program declares.',
  },
  E0507: {
    severity,
    message,
    example,
    title: 'different numbers of rows',
    explanation:
      'The data of a `train` block, such as `x: [B, n]` and `y: fin(10)[B]`, go together one to one.',
  },
  E0508: {
    severity,
    message,
    example,
    title: 'not a checkpoint',
    explanation:
      'A checkpoint is a safetensors file that `dlg train` wrote; it lies in the output folder.',
  },
  E0509: {
    severity,
    message,
    example,
    title: 'the weights do not fit the program',
    explanation:
      'Every parameter of the program is in the file under its path, such as `net.l1.W`, in its shape. After a change of ' +
      'the model, train again.',
  },
  E0510: {
    severity,
    message,
    example,
    title: 'which entry point is meant is not clear',
    explanation:
      'The command names an `export fn` or a `train` block of the file; where there is one `train` block only, it need not be named.',
  },
  E0511: {
    severity,
    message,
    example,
    title: 'the run cannot be continued',
    explanation:
      '`--resume` continues a run exactly as it would have gone on. So the data, the seed and the batch size must be those ' +
      'that it was started with.',
  },
  E0512: {
    severity,
    message,
    example,
    title: 'too few rows',
    explanation:
      'A program whose batch has a fixed size, such as `x: [64, 784]`, takes that many rows at a time.',
  },
  E0513: {
    severity,
    message,
    example,
    title: 'training diverged',
    explanation:
      'The loss is no longer a finite number, so every further step would be lost. The last checkpoint is kept. Common ' +
      'causes: a learning rate that is too high, a logarithm or square root at 0, inputs that are not scaled.',
  },
  E0514: {
    severity,
    message,
    example,
    title: 'cannot write the file',
    explanation: 'The folder may not be written, a file is in the way, or the disk is full.',
  },
  E0515: {
    severity,
    message,
    example,
    title: 'the target cannot run the program',
    explanation:
      'The compiled program was refused by what should run it. This is rarely the fault of the source: please report it.',
  },
  E0516: {
    severity,
    message,
    example,
    title: 'no GPU can be used',
    explanation:
      '`--device webgpu` computes through WebGPU: in Node with Dawn, the optional package `webgpu`, which needs a driver for Vulkan ' +
      '(Linux), Direct3D 12 (Windows) or Metal (macOS). The message says which part is missing. `--device cpu` needs none of them.',
  },
  E0517: {
    severity,
    message,
    example,
    title: 'the program has no such part',
    explanation:
      '`--freeze` and `--only` name layers of the program or single parameters, by their paths, and `--watch` a loss or a report of ' +
      'the `train` block; `--png` names results.',
  },
  E0520: {
    severity,
    message,
    example,
    title: 'no pictures',
    explanation:
      '`--png` draws tensors of the shapes [H, W], [n, H, W], [n, H, W, c] and [n, c, H, W], where c, the number of channels, is 1 or 3.',
  },
});
