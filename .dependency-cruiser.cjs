// The direction of imports (docs/architecture.md): each layer knows only those below it, and nothing goes round in a circle.

const layers = [
  ['grammar', '^grammar/'],
  ['dims', '^compiler/dims/'],
  ['diagnostics', '^compiler/diagnostics/'],
  ['ir', '^compiler/ir/(?!ops/|registry|builder[.]|verify|interpret|print)'],
  ['onnx encodings', '^compiler/emit/onnx/(?!emit)'],
  [
    'wgsl elements',
    '^compiler/emit/wgsl/(lowering|indices|expressions|helpers|windows|contractions)[.]ts',
  ],
  ['ops', '^compiler/ir/(ops/|registry)'],
  ['graphs', '^compiler/ir/(builder|verify|interpret|print)[.]ts'],
  ['transform', '^compiler/transform/'],
  ['builtins and checker', '^compiler/(builtins|check)/'],
  ['elaborate', '^compiler/elaborate/'],
  ['formula', '^compiler/formula/'],
  [
    'emit',
    '^compiler/emit/(onnx/emit|wgsl/(?!lowering|indices|expressions|helpers|windows|contractions))',
  ],
  ['pipeline', '^compiler/pipeline'],
  ['runtime', '^runtime/'],
  ['cli', '^cli/'],
];

/** A layer must not import any layer above it. */
const upward = layers.slice(0, -1).map(([name, path], i) => ({
  name: `${name} imports from above`.replaceAll(' ', '-'),
  severity: 'error',
  from: { path },
  to: {
    path: layers.slice(i + 1).map(([, above]) => above),
    // What compiling yields is a description of graphs, which every stage may name.
    dependencyTypesNot: ['type-only'],
  },
}));

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'runtime-knows-only-the-ir',
      comment: 'Executors take graphs; they never parse, check or elaborate.',
      severity: 'error',
      from: { path: '^runtime/' },
      to: {
        path: '^(grammar|compiler/(diagnostics|check|builtins|elaborate|transform|pipeline))',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'grammar-stands-alone',
      severity: 'error',
      from: { path: '^grammar/' },
      to: { path: '^(compiler|runtime|cli)/' },
    },
    {
      name: 'compiler-is-pure',
      comment:
        'The compiler does no input or output: the command line, an editor or a browser hands it sources.',
      severity: 'error',
      from: { path: '^(grammar|compiler)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { path: '^(grammar|compiler|runtime|cli)/' },
      to: { path: '^(tests|bench)/' },
    },
    { name: 'resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
