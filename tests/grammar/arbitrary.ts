// Random syntax trees for property tests: every kind of node in every position where the parser can put it.

import fc, { type Arbitrary } from 'fast-check';
import {
  binderNames,
  type Argument,
  type Block,
  type Declaration,
  type Expression,
  type Field,
  type File,
  type Identifier,
  type Init,
  type PackNode,
  type Parameter,
  type Path,
  type Relation,
  type ShapeNode,
  type Slot,
  type Statement,
  type Step,
  type Target,
  type TypeNode,
} from '../../grammar/ast.ts';
import type { Span } from '../../grammar/source.ts';

// Random trees come from no text.
const span: Span = { source: { path: 'random', text: '' }, start: 0, end: 0 };

const plainNames = ['a', 'x', 'W', 'n', "s'", 'α', 'θ_1', '_', "c''", 'long_name_of_a_thing'];
// Contextual keywords and binders are names too.
const oddNames = [
  'states',
  'over',
  'clip',
  'accumulate',
  'every',
  'track',
  'as',
  'tol',
  'jvp',
  'max',
  'sum',
];

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...plainNames) },
  { weight: 1, arbitrary: fc.constantFrom(...oddNames) },
);
const identifier: Arbitrary<Identifier> = text.map((name) => ({ text: name, span }));
const relation = fc.constantFrom<Relation>('<', '<=', '>', '>=', '==', '!=');
const few = <T>(item: Arbitrary<T>): Arbitrary<T[]> => fc.array(item, { maxLength: 3 });
const some = <T>(item: Arbitrary<T>): Arbitrary<T[]> =>
  fc.array(item, { minLength: 1, maxLength: 3 });
const perhaps = <T>(item: Arbitrary<T>): Arbitrary<T | null> => fc.option(item, { nil: null });
const path: Arbitrary<Path> = some(identifier).map((parts) => ({ parts, span }));

const node = <K extends string, T extends object>(
  kind: K,
  parts: { [P in keyof T]: Arbitrary<T[P]> },
) =>
  fc.record({ kind: fc.constant(kind), span: fc.constant(span), ...parts }) as Arbitrary<
    { kind: K; span: Span } & T
  >;

const numbers = fc.oneof(
  fc.nat({ max: 2000 }).map(String),
  fc.constantFrom('0.5', '1e-4', '2.5E+3', '0.0', '1e6'),
);

interface Expressions {
  expression: Expression;
  shape: ShapeNode;
  slot: Slot;
  argument: Argument;
}

const leaf: Arbitrary<Expression> = fc.oneof(
  node('name', { text }),
  node('name', { text }),
  node('number', { text: numbers }),
  node('string', { value: fc.constantFrom('', 'std/nn', 'a # b', "it's") }),
  node('boolean', { value: fc.boolean() }),
  node('name', { text: fc.constantFrom('real', 'int', 'bool') }),
);

const pack: Arbitrary<PackNode> = node('pack', { name: identifier });

const { expression, shape, slot, argument } = fc.letrec<Expressions>((tie) => {
  const inner = tie('expression') as Arbitrary<Expression>;
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      node('binary', {
        operator: fc.constantFrom('|>', 'or', 'and', '+', '-', '*', '/', '//', '%', '@', '^'),
        operatorSpan: fc.constant(span),
        left: inner,
        right: inner,
      }),
      fc
        .tuple(inner, fc.array(fc.tuple(relation, inner), { minLength: 1, maxLength: 3 }))
        .map(([first, links]) => ({
          kind: 'compare',
          operands: [first, ...links.map(([, operand]) => operand)],
          relations: links.map(([one]) => one),
          span,
        })),
      node('unary', { operator: fc.constantFrom('-', 'not'), operand: inner }),
      node('binder', {
        binder: fc.constantFrom(...binderNames),
        indices: some(
          fc.oneof(
            fc.record({
              name: identifier,
              relation: fc.constant(null),
              bound: fc.constant(null),
              span: fc.constant(span),
            }),
            fc.record({ name: identifier, relation, bound: inner, span: fc.constant(span) }),
          ),
        ),
        body: inner,
      }),
      node('if', { condition: inner, then: inner, else: inner }),
      node('call', { callee: inner, arguments: few(tie('argument')), with: perhaps(inner) }),
      node('index', { target: inner, slots: some(tie('slot')) }),
      node('member', { target: inner, name: identifier }),
      node('tuple', { items: fc.array(inner, { minLength: 2, maxLength: 3 }) }),
      node('fin', { value: inner }),
      tie('shape'),
    ) as Arbitrary<Expression>,
    shape: node('shape', { dimensions: few(fc.oneof(inner, inner, pack)) }) as Arbitrary<ShapeNode>,
    slot: fc.oneof(
      node('ellipsis', {}),
      node('at', { value: inner }),
      node('range', { from: perhaps(inner), to: perhaps(inner) }),
    ) as Arbitrary<Slot>,
    argument: fc.record({ name: perhaps(identifier), value: inner, span: fc.constant(span) }),
  };
});

export { expression };

const { type } = fc.letrec<{ type: TypeNode; field: Field }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small' },
    node('tensor-type', { base: fc.constant(null), shape }) as Arbitrary<TypeNode>,
    node('tensor-type', {
      base: fc.oneof(
        node('scalar-base', { name: fc.constantFrom('real', 'int', 'bool', 'dim', 'mdp') }),
        node('fin-base', { size: expression }),
        node('named-base', { path, arguments: perhaps(few(argument)) }),
      ),
      shape: perhaps(shape),
    }) as Arbitrary<TypeNode>,
    // One field without a name is a type in parentheses, which leaves no node.
    node('record-type', { fields: some(tie('field')) }).filter(
      ({ fields }) => fields.length > 1 || fields[0].name !== null,
    ) as Arbitrary<TypeNode>,
    node('function-type', {
      parameters: some(tie('field')),
      result: tie('type'),
    }) as Arbitrary<TypeNode>,
  ),
  field: fc.record({ name: perhaps(identifier), type: tie('type'), span: fc.constant(span) }),
}));

const parameter: Arbitrary<Parameter> = fc.record({
  name: identifier,
  type,
  default: perhaps(expression),
  span: fc.constant(span),
});
const target: Arbitrary<Target> = fc.record({
  name: identifier,
  slots: perhaps(some(slot)),
  type: perhaps(type),
  span: fc.constant(span),
});
const init: Arbitrary<Init> = fc.record({
  name: identifier,
  value: expression,
  span: fc.constant(span),
});

const bind = node('bind', {
  targets: some(target),
  operator: fc.constantFrom('=', '~', '<-'),
  values: some(expression),
});

const { statement, block } = fc.letrec<{ statement: Statement; block: Block }>((tie) => ({
  statement: fc.oneof(
    { depthSize: 'small' },
    bind as Arbitrary<Statement>,
    node('for', {
      variable: identifier,
      relation: fc.constantFrom('<', 'in'),
      range: expression,
      down: fc.boolean(),
      recompute: fc.boolean(),
      until: perhaps(expression),
      carries: few(init),
      body: tie('block'),
    }) as Arbitrary<Statement>,
    node('fix', {
      carries: some(init),
      tolerance: expression,
      within: expression,
      body: tie('block'),
    }) as Arbitrary<Statement>,
    node('root', {
      variable: identifier,
      low: expression,
      high: expression,
      tolerance: expression,
      within: expression,
      body: tie('block'),
    }) as Arbitrary<Statement>,
    node('if-statement', {
      condition: expression,
      then: tie('block'),
      else: perhaps(tie('block')),
    }) as Arbitrary<Statement>,
  ),
  block: node('block', {
    statements: few(tie('statement')),
    result: perhaps(expression),
  }) as Arbitrary<Block>,
}));

const documentation = fc.constant(null);
const head = {
  documentation,
  name: identifier,
  parameters: few(parameter),
  where: few(expression),
};

const constant = node('const', {
  documentation,
  keyword: fc.constantFrom('const', 'dim'),
  name: identifier,
  type: perhaps(type),
  value: expression,
});
const layer = node('layer', {
  documentation,
  name: identifier,
  count: perhaps(expression),
  value: expression,
});
const state = node('state', {
  documentation,
  name: identifier,
  type: perhaps(type),
  value: expression,
});
const result = fc.record({ name: perhaps(identifier), type, span: fc.constant(span) });
const fnParts = {
  documentation,
  name: perhaps(identifier),
  parameters: few(parameter),
  result: perhaps(result),
  where: few(expression),
  body: fc.oneof(expression, block),
};
const fn = node('fn', { ...fnParts, exported: fc.boolean() });
const check = node('check', { conditions: some(expression) });

const step = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { depthSize: 'small' },
    statement as Arbitrary<Step>,
    layer as Arbitrary<Step>,
    state as Arbitrary<Step>,
    node('optimize', {
      sense: fc.constantFrom('minimize', 'maximize'),
      objective: expression,
      over: some(path),
      using: expression,
      clip: perhaps(expression),
      accumulate: perhaps(expression),
    }) as Arbitrary<Step>,
    node('repeat', {
      keyword: fc.constantFrom('every', 'repeat'),
      count: expression,
      steps: few(tie('step')),
    }) as Arbitrary<Step>,
    node('observe', {
      keyword: fc.constantFrom('report', 'track'),
      name: identifier,
      value: expression,
    }) as Arbitrary<Step>,
  ),
})).step;

export const declaration = fc.oneof(
  node('import', {
    path: fc.record({ value: fc.constantFrom('std/nn', './a.dlg'), span: fc.constant(span) }),
    alias: perhaps(identifier),
  }),
  constant,
  fn,
  layer,
  node('jvp', { documentation, name: identifier, parameters: some(identifier), value: expression }),
  node('model', {
    ...head,
    keyword: fc.constantFrom('model', 'bijector', 'optimizer'),
    members: few(
      fc.oneof(
        node('param', {
          documentation,
          name: identifier,
          type,
          initialiser: fc.constantFrom('~', '='),
          value: expression,
        }),
        state,
        layer,
        constant,
        fn,
      ),
    ),
  }),
  node('schedule', { ...head, members: few(fc.oneof(constant, fn, check, bind)) }),
  node('mdp', {
    ...head,
    members: few(
      fc.oneof(
        node('space', {
          keyword: fc.constantFrom('states', 'actions'),
          name: identifier,
          value: expression,
        }),
        constant,
        fn,
        check,
        bind,
      ),
    ),
  }),
  node('type', { documentation, name: identifier, type }),
  node('train', { ...head, steps: few(step) }),
) as Arbitrary<Declaration>;

export const file: Arbitrary<File> = fc
  .array(declaration, { maxLength: 4 })
  .map((declarations) => ({ kind: 'file', declarations, comments: [], span }));
