// The command line. This file knows the commands' names, options and help; each command is loaded when it runs, so that
// `dlg check` starts fast.

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

import { adapters, features, misplacedOption, targets } from './targets.ts';
import { closeDevices, devices } from './device.ts';
import { exit, note, type ExitCode } from './output.ts';

const wholeNumber =
  (least: number, most: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `expected a whole number ${most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`}.`,
    );
  };

/** Collects `x=FILE` options into a map. */
function assignment(text: string, before: ReadonlyMap<string, string> = new Map()) {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError('expected NAME=FILE, as in x=images.npy.');
  const name = text.slice(0, at).trim();
  if (before.has(name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return new Map([...before, [name, text.slice(at + 1)]]);
}

/** Collects an option that may stand several times. */
const collect = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
];

const mapOption = (): Option =>
  new Option(
    '--map <old=new>',
    'what the weights call a tensor, or the first parts of several; or a JSON file that says so',
  ).argParser(collect);

/** One or several of the names, with commas between. */
const listOf =
  (names: readonly string[]) =>
  (text: string): readonly string[] => {
    const wanted = text.split(',').map((name) => name.trim());
    if (wanted.every((name) => names.includes(name))) return wanted;
    const several = names.length > 1 ? ` or ${names.join(',')}` : '';
    throw new InvalidArgumentError(`expected ${names.join(', ')}${several}.`);
  };

const targetOption = (): Option =>
  new Option('--target <targets>', 'what models to write: onnx, wgsl or onnx,wgsl')
    .argParser(listOf(targets))
    .default(['onnx'], 'onnx');
const featuresOption = (): Option =>
  new Option(
    '--features <features>',
    `what WGSL may take of a GPU beyond plain WebGPU: ${features.join(', ')}`,
  ).argParser(listOf(features));
const precisionOption = (): Option =>
  new Option(
    '--precision <precision>',
    'what reals of WGSL are in memory where nothing learns: f32, or f16, half of that (default: f32)',
  ).choices(['f32', 'f16']);
const adapterOption = (): Option =>
  new Option('--adapter <kind>', 'what WGSL is to be fast on: a gpu, or software that acts as one')
    .choices(adapters)
    .default('gpu');

/** Collects `B=16` options into a map. */
function sizeAssignment(text: string, before: ReadonlyMap<string, number> = new Map()) {
  const [, name, size] = /^\s*([\p{L}_][\p{L}\p{N}_]*)\s*=\s*(\d+)\s*$/u.exec(text) ?? [];
  if (name === undefined || !(Number(size) >= 1 && Number.isSafeInteger(Number(size))))
    throw new InvalidArgumentError('expected NAME=SIZE, as in B=16.');
  if (before.has(name)) throw new InvalidArgumentError(`${name} is given twice.`);
  return new Map([...before, [name, Number(size)]]);
}

const seed = wholeNumber(0, 2 ** 32 - 1);
const example = (text: string): string => `\nExample:\n  ${text.trim().replaceAll('\n', '\n  ')}\n`;
const jsonOption = (): Option => new Option('--json', 'print diagnostics as JSON');
const deviceOption = (): Option =>
  new Option(
    '--device <device>',
    'cpu: ONNX Runtime; webgpu: the graphics card; interpreter: the slow, exact reference',
  )
    .choices(devices)
    .default('cpu');
const threadsOption = (): Option =>
  new Option('--threads <n>', 'threads of the CPU device')
    .argParser(wholeNumber(1, 1024))
    .default(2);

/** The commands' exit code, which commander's actions cannot return. */
let code: ExitCode = exit.done;

const program = new Command('dlg')
  .description('Compiles and trains deep-learning models written in DLG.')
  .version(process.env.DLG_VERSION ?? 'development', '--version', 'print the version')
  .helpOption('-h, --help', 'print help')
  .showSuggestionAfterError()
  .configureHelp({ showGlobalOptions: false })
  .addHelpText(
    'after',
    example(
      'dlg check examples/xor/xor.dlg\ndlg train examples/xor/xor.dlg --data x=examples/xor/x.csv --data y=examples/xor/y.csv --epochs 500',
    ),
  );

program.hook('preAction', (_, command) => {
  const name = misplacedOption(command.opts());
  if (name !== undefined)
    command.error(`error: \`--${name}\` is about WGSL: it needs \`--target wgsl\``);
});

program
  .command('check')
  .description('check files: names, shapes, indices; prints what is wrong')
  .argument('<files...>', '.dlg files')
  .addOption(jsonOption())
  .addHelpText('after', example('dlg check net.dlg'))
  .action(async (files: readonly string[], options) => {
    const { checkFiles } = await import('./commands/check.ts');
    code = await checkFiles(files, options);
  });

program
  .command('build')
  .description('compile a file to ONNX models, or to a JavaScript module that runs on WebGPU')
  .argument('<file>', 'a .dlg file')
  .addOption(targetOption())
  .option('--out <folder>', 'where to write', 'out')
  .option('--weights <file>', 'safetensors for the inference models, and beside the module')
  .addOption(
    new Option('--steps <k>', 'training steps in one run of the ONNX training model').argParser(
      wholeNumber(1, 1_000_000),
    ),
  )
  .addOption(adapterOption())
  .addOption(featuresOption())
  .addOption(precisionOption())
  .addOption(mapOption())
  .option('--print-after <pass>', 'print the graphs after this pass of the compiler')
  .option('--stats', 'print how long each stage took and what it left')
  .option('--explain', 'print what each kernel of WGSL computes and moves')
  .option(
    '--size <name=size>',
    'what a free size is taken to be in that, once for each (default: 64)',
    sizeAssignment,
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    example('dlg build net.dlg --target onnx,wgsl --out out/web --weights out/net/net.safetensors'),
  )
  .action(async (file: string, options) => {
    const { build } = await import('./commands/build.ts');
    code = await build(file, options);
  });

program
  .command('train')
  .description('train a program on data; writes weights, models, the loss curve')
  .argument('<file>', 'a .dlg file')
  .option('--block <name>', 'the train block, if there are several')
  .option('--data <name=file>', 'training data for an input, once for each', assignment)
  .option('--test <name=file>', 'test data for an input, once for each', assignment)
  .option(
    '--validate <name=file>',
    'validation data for an input: keeps the best weights',
    assignment,
  )
  .option(
    '--watch <measure>',
    'what is to be best: a loss, or max:NAME or min:NAME of a report (default: the first loss)',
  )
  .addOption(
    new Option(
      '--patience <epochs>',
      'stop after so many epochs that were not the best on the validation data',
    ).argParser(wholeNumber(1)),
  )
  .option('--weights <file>', 'safetensors to start from; what it lacks is drawn')
  .addOption(mapOption())
  .option('--freeze <path>', 'keep the parameters under a path as they are, as in net.enc', collect)
  .option('--only <path>', 'learn the parameters under a path alone', collect)
  .addOption(
    new Option('--epochs <n>', 'passes over the data').argParser(wholeNumber(1)).default(10),
  )
  .addOption(
    new Option(
      '--epoch-steps <n>',
      'steps of an epoch, for a block that takes no data (default: 100)',
    ).argParser(wholeNumber(1)),
  )
  .addOption(
    new Option('--batch <n>', 'rows in a step (default: 64, or what the program fixes)').argParser(
      wholeNumber(1),
    ),
  )
  .addOption(
    new Option('--seed <n>', 'seed of the parameters and the shuffling (default: 0)').argParser(
      seed,
    ),
  )
  .option('--out <folder>', 'where to write (default: out/NAME)')
  .addOption(targetOption())
  .addOption(adapterOption())
  .addOption(featuresOption())
  .addOption(precisionOption())
  .option('--resume', 'go on from the checkpoint in the output folder, if there is one')
  .addOption(
    new Option(
      '--save-every <steps>',
      'steps between checkpoints (default: every 30 seconds)',
    ).argParser(wholeNumber(1)),
  )
  .addOption(
    new Option(
      '--steps-per-run <k>',
      'steps the device does at once; the results are the same',
    ).argParser(wholeNumber(1, 1_000_000)),
  )
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    example('dlg train digits.dlg --data x=images.gz --data y=labels.gz --epochs 3 --batch 64'),
  )
  .action(async (file: string, options) => {
    const { train } = await import('./commands/train.ts');
    code = await train(file, options);
  });

program
  .command('run')
  .description('run an export fn and print its results as JSON')
  .argument('<file>', 'a .dlg file')
  .argument('<fn>', 'the export fn')
  .option(
    '--input <name=value>',
    'a file, or JSON such as [[0, 1]], once for each input',
    assignment,
  )
  .option('--weights <file>', 'safetensors with the parameters')
  .addOption(mapOption())
  .addOption(
    new Option(
      '--seed <n>',
      'seed of the draws, and of the parameters where no weights are given',
    ).argParser(seed),
  )
  .option('--png <name=file>', 'draw a result as a PNG picture, or many as a grid', assignment)
  .option('--npy <name=file>', 'write a result as a NumPy array', assignment)
  .addOption(
    new Option('--columns <n>', 'pictures in a row of the grid').argParser(wholeNumber(1, 10_000)),
  )
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    example(
      "dlg run xor.dlg predict --input 'x=[[0, 1], [1, 1]]' --weights out/xor/xor.safetensors",
    ),
  )
  .action(async (file: string, name: string, options) => {
    const { run } = await import('./commands/run.ts');
    code = await run(file, name, options);
  });

program
  .command('fmt')
  .description('format files in place; comments stay')
  .argument('<files...>', '.dlg files')
  .option('--check', 'change nothing; fail if a file is not formatted')
  .addOption(jsonOption())
  .addHelpText('after', example('dlg fmt --check stdlib/*.dlg'))
  .action(async (files: readonly string[], options) => {
    const { fmt } = await import('./commands/fmt.ts');
    code = fmt(files, options);
  });

program
  .command('grad')
  .description('print the derivative of a function by one of its parameters, as DLG')
  .argument('<file>', 'a .dlg file')
  .argument('<fn>', 'a function of the file')
  .requiredOption('--wrt <name>', 'the parameter')
  .option('--latex', 'print LaTeX')
  .addOption(jsonOption())
  .addHelpText('after', example('dlg grad net.dlg energy --wrt x --latex'))
  .action(async (file: string, name: string, options) => {
    const { grad } = await import('./commands/grad.ts');
    code = grad(file, name, options);
  });

program
  .command('explain')
  .description('explain a diagnostic')
  .argument('<code>', 'as E0101')
  .addHelpText('after', example('dlg explain E0101'))
  .action(async (wanted: string) => {
    const { explainCode } = await import('./commands/explain.ts');
    code = explainCode(wanted);
  });

/** Commander writes its own messages; what is left is which exit code they mean. */
async function main(): Promise<ExitCode> {
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync();
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.usage;
    const told = error instanceof Error ? error : new Error(String(error));
    note(
      `dlg: internal error: ${told.message}\nThis is a bug in dlg; DLG_DEBUG=1 shows where. Please report it.`,
    );
    if (process.env.DLG_DEBUG === '1') note(told.stack ?? '');
    return exit.bug;
  }
}

// `dlg ... | head` closes the pipe early: what is left to say has no reader.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exit.done);
    throw error;
  });

process.exitCode = await main();
await closeDevices();
