// Expressions: one rule for each kind of node. Every rule returns a typed expression; after a report it is a broken one,
// which silences whatever would follow from it.

import type {
  BinaryExpression,
  BinaryOperator,
  CallExpression,
  CompareExpression,
  ConditionalExpression,
  Expression,
  FinExpression,
  NumberLiteral,
  Relation,
  ShapeNode,
  TupleExpression,
  UnaryExpression,
} from '../../grammar/ast.ts';
import { textOf } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { constant, negate } from '../dims/arithmetic.ts';
import { sourceDim } from '../dims/show.ts';
import type { Axis } from '../dims/shape.ts';
import { givenOf, givenValue, type Given } from './arguments.ts';
import { asFin, compareShapes, sameType } from './assign.ts';
import { builtinNamed, callBuiltin } from './builtin-calls.ts';
import { bindCall } from './calls.ts';
import { targetOf } from './callables.ts';
import { broken, isBroken, lookUp, type Context } from './context.ts';
import {
  boolScalar,
  convertTo,
  int,
  intScalar,
  isScalar,
  joinBases,
  realScalar,
  sizeOfExpression,
  tensor,
} from './convert.ts';
import { combineSizes, sizeOperators, toSize } from './dimensions.ts';
import { resolvePath } from './paths.ts';
import { checkBinder } from './notation.ts';
import { checkIndex } from './reads.ts';
import { describe, showShape } from './show.ts';
import type { TypedExpression } from './typed.ts';
import type { TensorType, Type } from './types.ts';
import { checkMember, checkName, singleLayer } from './values.ts';

type Rule<K extends Expression['kind']> = (
  context: Context,
  node: Extract<Expression, { readonly kind: K }>,
  expected: Type | null,
) => TypedExpression;

// ---- literals -----------------------------------------------------------------------------------------------------

function checkNumber(_: Context, node: NumberLiteral): TypedExpression {
  const value = Number(node.text);
  const whole = /^\d+$/.test(node.text) && Number.isSafeInteger(value);
  return { kind: 'number', value, type: whole ? intScalar : realScalar, span: node.span };
}

/** Items of one type, converted to their common base. */
function checkArray(context: Context, node: ShapeNode, expected: Type | null): TypedExpression {
  const wanted: Type | null =
    expected?.kind === 'tensor' && expected.shape.length > 0
      ? { ...expected, shape: expected.shape.slice(1) }
      : null;
  const items = node.dimensions.map((item) =>
    item.kind === 'pack' ? null : checkExpression(context, item, wanted),
  );
  if (items.some((item) => item === null)) {
    const pack = node.dimensions.find((item) => item.kind === 'pack');
    context.report(
      report(names.E0212, {
        span: pack?.span ?? node.span,
        data: { name: textOf(pack?.span ?? node.span), what: 'a pack of sizes' },
      }),
    );
  }
  const known = items.filter((item) => item !== null);
  const [first] = known;
  if (first === undefined || known.length !== items.length || known.some(isBroken))
    return broken(node.span);
  let base = first.type.kind === 'tensor' ? first.type.base : null;
  for (const item of known) {
    const same =
      item.type.kind === 'tensor' &&
      first.type.kind === 'tensor' &&
      base !== null &&
      compareShapes(item.type.shape, first.type.shape, context.assumptions).kind === 'equal';
    const joined =
      same && item.type.kind === 'tensor' && base !== null ? joinBases(base, item.type.base) : null;
    if (joined === null) {
      context.report(
        report(types.E0139, {
          span: item.span,
          data: { first: describe(first.type), found: describe(item.type) },
        }),
      );
      return broken(node.span);
    }
    base = joined;
  }
  if (base === null || first.type.kind !== 'tensor') return broken(node.span);
  const common = base;
  const axis: Axis = { kind: 'size', size: constant(known.length) };
  return {
    kind: 'array',
    items: known.map((item) => convertTo(item, common)),
    type: tensor(common, [axis, ...first.type.shape]),
    span: node.span,
  };
}

function checkTuple(
  context: Context,
  node: TupleExpression,
  expected: Type | null,
): TypedExpression {
  const fields = expected?.kind === 'tuple' ? expected.fields : [];
  const items = node.items.map((item, i) => {
    const value = checkExpression(context, item, fields[i]?.type ?? null);
    return singleLayer(context, value);
  });
  if (items.some(isBroken)) return broken(node.span);
  return {
    kind: 'tuple',
    items,
    type: { kind: 'tuple', fields: items.map((item) => ({ name: null, type: item.type })) },
    span: node.span,
  };
}

/** `fin(e)`: the range comes from the context. */
function checkFin(context: Context, node: FinExpression, expected: Type | null): TypedExpression {
  const value = checkExpression(context, node.value, null);
  if (isBroken(value)) return broken(node.span);
  if (expected?.kind !== 'tensor' || expected.base.kind !== 'fin') {
    context.report(
      report(types.E0134, {
        span: node.span,
        data: { what: 'the range of this `fin`' },
        help: 'use it where a `fin(n)` is needed: as an argument, a result, or `y: fin(n) = fin(e)`',
      }),
    );
    return broken(node.span);
  }
  const made = asFin(context, value, { ...expected, shape: [] }, expected.base.size);
  if (made !== null) return { ...made, span: node.span };
  context.report(
    report(types.E0135, {
      span: node.span,
      data: { value: `\`${textOf(node.value.span)}\``, size: sourceDim(expected.base.size) },
      help: `\`clamp(i, 0, ${sourceDim(expected.base.size)} - 1)\` makes a fin of an int`,
    }),
  );
  return broken(node.span);
}

// ---- operators ----------------------------------------------------------------------------------------------------

const operatorNames: Readonly<Record<Exclude<BinaryOperator, '|>'>, string>> = {
  or: 'or',
  and: 'and',
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '//': 'floor_divide',
  '%': 'remainder',
  '@': 'matmul',
  '^': 'power',
};

function checkBinary(context: Context, node: BinaryExpression): TypedExpression {
  if (node.operator === '|>') return checkPipe(context, node);
  const left = singleLayer(context, checkExpression(context, node.left, null));
  const right = singleLayer(context, checkExpression(context, node.right, null));
  if (isBroken(left) || isBroken(right)) return broken(node.span);
  if (sizeOperators.has(node.operator)) {
    const [a, b] = [sizeOfExpression(left), sizeOfExpression(right)];
    if (a !== null && b !== null && isScalar(left.type) && isScalar(right.type)) {
      const size = combineSizes(context, node.operator, a, b, node);
      return size === null
        ? broken(node.span)
        : { kind: 'dim', dim: size, type: intScalar, span: node.span };
    }
  }
  return callBuiltin(context, builtinNamed(operatorNames[node.operator]), [left, right], node.span);
}

/** `x |> f` is `f(x)`, and `x |> f(2)` is `f(x, 2)`. */
function checkPipe(context: Context, node: BinaryExpression): TypedExpression {
  const left = singleLayer(context, checkExpression(context, node.left, null));
  const first = givenValue(left, node.right.span);
  if (node.right.kind === 'call') {
    const { callee, arguments: others, with: given } = node.right;
    if (given !== null) return notThereYet(context, given, 'a call with other parameters (`with`)');
    return checkApplication(context, callee, [first, ...others.map(givenOf)], node);
  }
  return checkApplication(context, node.right, [first], node);
}

const relationNames: Readonly<Record<Relation, string>> = {
  '<': 'less',
  '<=': 'less_equal',
  '>': 'greater',
  '>=': 'greater_equal',
  '==': 'equal',
  '!=': 'not_equal',
};

function checkCompare(context: Context, node: CompareExpression): TypedExpression {
  const operands = node.operands.map((operand) =>
    singleLayer(context, checkExpression(context, operand, null)),
  );
  if (operands.some(isBroken)) return broken(node.span);
  const links = node.relations.map((relation, i) =>
    callBuiltin(
      context,
      builtinNamed(relationNames[relation]),
      [operands[i], operands[i + 1]],
      node.relations.length === 1
        ? node.span
        : { ...node.span, start: operands[i].span.start, end: operands[i + 1].span.end },
    ),
  );
  return links.reduce((all, link) =>
    callBuiltin(context, builtinNamed('and'), [all, link], node.span),
  );
}

function checkUnary(context: Context, node: UnaryExpression): TypedExpression {
  const operand = singleLayer(context, checkExpression(context, node.operand, null));
  if (isBroken(operand)) return broken(node.span);
  if (node.operator === 'not')
    return callBuiltin(context, builtinNamed('not'), [operand], node.span);
  if (operand.kind === 'number') return { ...operand, value: -operand.value, span: node.span };
  if (operand.kind === 'dim') return { ...operand, dim: negate(operand.dim), span: node.span };
  return callBuiltin(context, builtinNamed('negate'), [operand], node.span);
}

/** The joined type of two branches: equal shapes, or one a scalar or a suffix of the other. */
function joinTypes(context: Context, a: TensorType, b: TensorType): TensorType | null {
  const base = joinBases(a.base, b.base);
  const [long, short] = a.shape.length >= b.shape.length ? [a, b] : [b, a];
  const tail = long.shape.slice(long.shape.length - short.shape.length);
  const fits = compareShapes(tail, short.shape, context.assumptions).kind === 'equal';
  const trial = (context.notation?.trial ?? null) !== null;
  return base !== null && (fits || trial) ? tensor(base, long.shape) : null;
}

function checkConditional(
  context: Context,
  node: ConditionalExpression,
  expected: Type | null,
): TypedExpression {
  const condition = checkExpression(context, node.condition, boolScalar);
  const then = singleLayer(context, checkExpression(context, node.then, expected));
  const otherwise = singleLayer(context, checkExpression(context, node.else, expected));
  if (isBroken(condition) || isBroken(then) || isBroken(otherwise)) return broken(node.span);
  const choice = condition.type;
  if (choice.kind !== 'tensor' || choice.base.kind !== 'bool') {
    context.report(
      report(types.E0121, {
        span: node.condition.span,
        data: { found: describe(choice), expected: 'a truth value' },
        help: 'compare it: `x > 0`',
      }),
    );
    return broken(node.span);
  }
  const common = { kind: 'if', condition, span: node.span } as const;
  if (then.type.kind === 'tensor' && otherwise.type.kind === 'tensor') {
    const branches = joinTypes(context, then.type, otherwise.type);
    const joined =
      branches === null ? null : joinTypes(context, branches, { ...branches, shape: choice.shape });
    if (joined !== null)
      return {
        ...common,
        then: convertTo(then, joined.base),
        else: convertTo(otherwise, joined.base),
        type: joined,
      };
    if (branches !== null) {
      context.report(
        report(types.E0130, {
          span: node.condition.span,
          data: {
            first: describe(branches),
            second: `, and the condition has shape ${showShape(choice.shape)}`,
          },
        }),
      );
      return broken(node.span);
    }
  } else if (
    isScalar(choice) &&
    sameType(then.type, otherwise.type, context.assumptions) &&
    then.type.kind === 'tuple'
  ) {
    return { ...common, then, else: otherwise, type: then.type };
  }
  context.report(
    report(types.E0130, {
      span: node.span,
      data: { first: describe(then.type), second: describe(otherwise.type) },
    }),
  );
  return broken(node.span);
}

// ---- calls --------------------------------------------------------------------------------------------------------

const derivatives: ReadonlySet<string> = new Set(['grad', 'jvp', 'vjp', 'jac', 'params']);

function notThereYet(context: Context, node: Expression, feature: string): TypedExpression {
  context.report(report(programs.E0900, { span: node.span, data: { feature } }));
  return broken(node.span);
}

/** Builtins whose number arguments are sizes, so that `/` in them is exact. */
const takesSizes: ReadonlySet<string> = new Set([
  'zeros',
  'ones',
  'fill',
  'reshape',
  'eye',
  'range',
  'pad',
  'dilate',
]);

/** An argument that is a size written by arithmetic, `d / heads`, as that size. */
function sizeLike(context: Context, node: Expression): TypedExpression | null {
  if (node.kind !== 'binary') return null;
  const isSize = toSize({ ...context, report: () => {} }, node.left) !== null;
  if (!isSize) return null;
  const size = toSize(context, node);
  return size === null
    ? broken(node.span)
    : { kind: 'dim', dim: size, type: intScalar, span: node.span };
}

function builtinArgument(context: Context, name: string, node: Expression): TypedExpression {
  if (takesSizes.has(name)) {
    const size = sizeLike(context, node);
    if (size !== null) return size;
    if (node.kind === 'shape' && node.dimensions.length > 0) {
      const items = node.dimensions.map((item) =>
        item.kind === 'pack'
          ? null
          : (sizeLike(context, item) ?? checkExpression(context, item, null)),
      );
      const known = items.filter((item) => item !== null);
      if (known.length === items.length && known.every((item) => isScalar(item.type)))
        return {
          kind: 'array',
          items: known,
          type: tensor(int, [{ kind: 'size', size: constant(known.length) }]),
          span: node.span,
        };
      if (known.some(isBroken)) return broken(node.span);
    }
  }
  return singleLayer(context, checkExpression(context, node, null));
}

function checkCall(context: Context, node: CallExpression): TypedExpression {
  if (node.with !== null)
    return notThereYet(context, node, 'a call with other parameters (`with`)');
  return checkApplication(context, node.callee, node.arguments.map(givenOf), node);
}

/** `callee(given)` */
function checkApplication(
  context: Context,
  calleeNode: Expression,
  given: readonly Given[],
  node: Expression,
): TypedExpression {
  if (
    calleeNode.kind === 'name' &&
    derivatives.has(calleeNode.text) &&
    lookUp(context.scope, calleeNode.text) === null
  )
    return notThereYet(context, node, `\`${calleeNode.text}\``);
  if (isModelName(context, calleeNode)) {
    context.report(
      report(names.E0220, { span: node.span, data: { name: textOf(calleeNode.span) } }),
    );
    return broken(node.span);
  }
  const callee = singleLayer(context, checkExpression(context, calleeNode, null));
  if (isBroken(callee)) {
    for (const argument of given)
      if (argument.node !== null) checkExpression(context, argument.node, null);
    return broken(node.span);
  }
  if (callee.kind === 'builtin-function' && callee.builtin.rule !== null) {
    const named = given.find((argument) => argument.name !== null);
    if (named?.name != null) {
      context.report(
        report(types.E0124, {
          span: named.name.span,
          data: { callee: `\`${callee.builtin.name}\``, name: named.name.text, suggestion: null },
          help: `it is used so: \`${callee.builtin.signature}\``,
        }),
      );
      return broken(node.span);
    }
    const values = given.map((argument) =>
      argument.node === null
        ? (argument.value ?? broken(argument.span))
        : builtinArgument(context, callee.builtin.name, argument.node),
    );
    return callBuiltin(context, callee.builtin, values, node.span);
  }
  const target = targetOf(context, callee, textOf(calleeNode.span));
  if (target === null) {
    context.report(
      callee.type.kind === 'instance'
        ? report(programs.E0407, {
            span: calleeNode.span,
            data: { name: callee.type.model.name },
          })
        : report(types.E0122, {
            span: calleeNode.span,
            data: { found: describe(callee.type) },
          }),
    );
    return broken(node.span);
  }
  const bound = bindCall(context, target.callable, given, node.span);
  if (bound === null) return broken(node.span);
  const common = {
    bindings: bound.bindings,
    arguments: bound.arguments,
    type: bound.result,
    span: node.span,
  };
  return target.callee.kind === 'builtin'
    ? { kind: 'builtin', builtin: target.callee.builtin, data: null, ...common }
    : { kind: 'call', callee: target.callee, ...common };
}

/** Whether a callee is a model: `MLP(3)(x)`, which has no name for its parameters. */
function isModelName(context: Context, node: Expression): boolean {
  if (node.kind === 'name') return lookUp(context.scope, node.text)?.kind === 'model';
  if (node.kind !== 'member' || node.target.kind !== 'name') return false;
  if (lookUp(context.scope, node.target.text)?.kind !== 'module') return false;
  const path = {
    parts: [{ text: node.target.text, span: node.target.span }, node.name],
    span: node.span,
  };
  return resolvePath({ ...context, report: () => {} }, path)?.kind === 'model';
}

// ---- the table ----------------------------------------------------------------------------------------------------

const rules: { readonly [K in Expression['kind']]: Rule<K> } = {
  number: checkNumber,
  string: (context, node) => {
    context.report(
      report(types.E0121, {
        span: node.span,
        data: { found: 'a text', expected: 'a value' },
        help: 'texts stand after `import` only',
      }),
    );
    return broken(node.span);
  },
  boolean: (_, node) => ({
    kind: 'boolean',
    value: node.value,
    type: boolScalar,
    span: node.span,
  }),
  name: checkName,
  fin: checkFin,
  tuple: checkTuple,
  shape: checkArray,
  if: checkConditional,
  binary: checkBinary,
  compare: checkCompare,
  unary: checkUnary,
  binder: checkBinder,
  call: checkCall,
  index: checkIndex,
  member: checkMember,
  error: (_, node) => broken(node.span),
};

/** The typed form of an expression; `expected` is the type its context asks for, where it has a say (`fin`, arrays). */
export function checkExpression(
  context: Context,
  node: Expression,
  expected: Type | null,
): TypedExpression {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = rules[node.kind] as (
    context: Context,
    node: Expression,
    expected: Type | null,
  ) => TypedExpression;
  return rule(context, node, expected);
}
