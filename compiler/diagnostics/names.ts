// E02xx: names, imports, and how definitions are used by name.

import { defineDiagnostics } from './diagnostic.ts';

export const names = defineDiagnostics({
  E0201: {
    severity: 'error',
    title: 'unknown name',
    message: (data: { name: string }) => `nothing here is called \`${data.name}\``,
    explanation:
      'The name is neither defined in this file, nor brought in by an import, nor built in. Names of a model, its ' +
      'parameters for example, are known inside the model only; elsewhere they are reached through a layer: `net.W`.',
    example: 'fn f(x: [n]) -> [n] = tahn(x)\n',
  },
  E0202: {
    severity: 'error',
    title: 'defined twice',
    message: (data: { name: string }) => `\`${data.name}\` is defined already`,
    explanation:
      'A name has one definition in one place. A variable is assigned once: give the second value a name of its own, ' +
      "a primed one perhaps (`x'`). Only `state` changes, by `<-`.",
    example: 'const a = 1\nconst a = 2\n',
  },
  E0203: {
    severity: 'error',
    title: 'no such member',
    message: (data: { owner: string; name: string }) => `${data.owner} has no \`${data.name}\``,
    explanation:
      'After the dot stands a parameter, state, layer, constant or named function of a layer, a field of a record, or ' +
      'a definition of an imported file.',
    example:
      'model M() {\n  param w: real = 0\n  fn (x: real) -> real = w * x\n}\nlayer net = M()\nconst a = net.v\n',
  },
  E0204: {
    severity: 'error',
    title: 'file not found',
    message: (data: { path: string }) => `there is no file \`${data.path}\``,
    explanation:
      '`import "std/nn"` reads a part of the standard library; `import "./blocks.dlg"` reads a file relative to the one ' +
      'that imports it.',
    example: 'import "./missing.dlg"\n',
  },
  E0205: {
    severity: 'error',
    title: 'files import each other',
    message: (data: { path: string }) => `\`${data.path}\` imports this file again`,
    explanation: 'Imports form no circle. Move what both files need to a third one.',
    example: 'import "./main.dlg"\n',
  },
  E0206: {
    severity: 'error',
    title: 'two imports define one name',
    message: (data: { name: string; first: string; second: string }) =>
      `both \`${data.first}\` and \`${data.second}\` define \`${data.name}\``,
    help: () => 'give one import a name, as in `import "std/nn" as nn`, and write `nn.Dense`',
    explanation:
      'Imports without `as` bring all definitions of the file into scope. Where two files define the same name, one ' +
      'of the imports needs a name of its own.',
    example: 'import "./a.dlg"\nimport "./b.dlg"\n',
  },
  E0212: {
    severity: 'error',
    title: 'not a value',
    message: (data: { name: string; what: string }) =>
      `\`${data.name}\` is ${data.what}, not a value`,
    explanation:
      'Models, types and imported files are not values. A model becomes one through `layer`.',
    example: 'type Pair = (a: real, b: real)\nconst p = Pair\n',
  },
  E0213: {
    severity: 'error',
    title: 'not a type',
    message: (data: { name: string }) => `\`${data.name}\` is not a type`,
    explanation:
      'A type is a shape such as `[B, n]`, a base such as `int` or `fin(n)`, a record, a function type, a model, or a ' +
      'name defined by `type`.',
    example: 'fn id(x: [n]) -> [n] = x\nfn f(x: id) -> real = 1\n',
  },
  E0215: {
    severity: 'error',
    title: 'a definition uses itself',
    message: (data: { name: string; path: string }) => `\`${data.name}\` uses itself: ${data.path}`,
    explanation:
      'There is no recursion: functions are inlined and models are built whole. Repetition is an array of layers, or ' +
      'index notation.',
    example: 'fn f(x: [n]) -> [n] = f(x)\n',
  },
  E0216: {
    severity: 'error',
    title: 'a name of the model is used again',
    message: (data: { name: string; what: string }) =>
      `\`${data.name}\` is ${data.what} of this model already`,
    explanation:
      'A variable or parameter of a function may not hide a parameter, state, layer, constant or hyper-parameter of ' +
      'its model: the reader could not tell which is meant.',
    example:
      'model M() {\n  param w: real = 0\n  fn (x: real) -> real {\n    w = 2 * x\n    return w\n  }\n}\n',
  },
  E0217: {
    severity: 'error',
    title: 'has no value in every case',
    message: (data: { name: string; place: 'if' | 'every' | 'repeat' }) =>
      data.place === 'if'
        ? `\`${data.name}\` is assigned in one branch of an \`if\` only`
        : `\`${data.name}\` is assigned inside \`${data.place}\` only`,
    explanation:
      'After an `if`, the names that both branches assign live on. What `every` and `repeat` assign ends with them; a ' +
      '`state` keeps its value.',
    example:
      'fn f(x: [n], a: real) -> [n] {\n  if training { y = 2 * x } else { z = x }\n  return y\n}\n',
  },
  E0220: {
    severity: 'error',
    title: 'a model is no value',
    message: (data: { name: string }) => `a layer of \`${data.name}\` needs a name of its own`,
    help: (data: { name: string }) => `declare it: \`layer name = ${data.name}(...)\``,
    explanation:
      'A layer owns parameters, and their names begin with the name of the layer. So a model is instantiated by a ' +
      '`layer` declaration, not inside an expression.',
    example:
      'model M() {\n  param w: real = 0\n  fn (x: real) -> real = w * x\n}\nfn f(x: real) -> real = M()(x)\n',
  },
  E0222: {
    severity: 'error',
    title: 'an array of layers is no single layer',
    message: (data: { name: string; count: string }) =>
      `\`${data.name}\` stands for ${data.count} layers`,
    help: (data: { name: string }) => `choose one: \`${data.name}[0]\``,
    explanation:
      'A layer of an array is chosen by an index that is known when the program is built: `steps[0]`.',
    example:
      'model M() {\n  param w: real = 0\n  fn (x: real) -> real = w * x\n}\nlayer steps[3] = M()\nfn f(x: real) -> real = steps(x)\n',
  },
});
