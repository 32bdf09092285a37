// `if` statements, whose condition is known when the program is built: what both branches bind lives on after them.

import type { Block, Expression, IfStatement } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { sameType, sizeNotes } from './assign.ts';
import { localValue } from './bindings.ts';
import { isBroken, newScope, type Body, type Context, type Entity } from './context.ts';
import { boolScalar, convertTo, joinBases, tensor } from './convert.ts';
import { describe } from './show.ts';
import { isStatic } from './static.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';

/** The condition of an `if` statement; null after a report. */
function checkCondition(context: Context, node: Expression): TypedExpression | null {
  const value = context.session.rules.expression(context, node, boolScalar);
  if (isBroken(value)) return null;
  const { type } = value;
  if (type.kind !== 'tensor' || type.base.kind !== 'bool' || type.shape.length > 0) {
    context.report(
      report(types.E0121, {
        span: node.span,
        data: { found: describe(type), expected: 'a truth value' },
      }),
    );
    return null;
  }
  if (isStatic(value, context.session.isStaticLocal)) return value;
  context.report(report(types.E0138, { span: node.span }));
  return null;
}

interface Branch {
  readonly statements: readonly TypedStatement[];
  readonly names: ReadonlyMap<string, Entity>;
}

function checkBranch(context: Context, body: Body, block: Block | null): Branch {
  if (block === null) return { statements: [], names: new Map() };
  const scope = newScope('function', context.scope);
  const statements = context.session.rules.statements(
    { ...context, scope },
    body,
    block.statements,
  );
  if (block.result !== null)
    context.report(
      report(programs.E0414, {
        span: block.result.span,
        data: { what: '`return`', where: 'ends a function, not a branch of an `if`' },
        help: 'assign a name in both branches and return that',
      }),
    );
  return { statements, names: scope.names };
}

/** A local for a name that both branches bind, and the statements that give it its value in each. */
function mergeLocals(
  context: Context,
  name: string,
  then: Extract<Entity, { kind: 'local' }>,
  otherwise: Extract<Entity, { kind: 'local' }>,
): readonly [TypedStatement, TypedStatement] | null {
  const [a, b] = [then.local.type, otherwise.local.type];
  const base = a.kind === 'tensor' && b.kind === 'tensor' ? joinBases(a.base, b.base) : null;
  const wanted = base !== null && a.kind === 'tensor' ? tensor(base, a.shape) : a;
  const found = base !== null && b.kind === 'tensor' ? tensor(base, b.shape) : b;
  if (!sameType(wanted, found, context.assumptions)) {
    context.report(
      report(types.E0130, {
        span: otherwise.span,
        data: { first: describe(a), second: describe(b) },
        related: [{ span: then.span, reason: `\`${name}\` in the other branch` }],
        notes: sizeNotes(context, b, wanted),
      }),
    );
    return null;
  }
  const local: Local = { name, type: wanted, span: then.local.span };
  context.scope.names.set(name, { kind: 'local', local, span: then.span });
  const join = (of: Local): TypedStatement => {
    const value = localValue(of, of.span);
    return {
      kind: 'let',
      local,
      value: wanted.kind === 'tensor' ? convertTo(value, wanted.base) : value,
      span: of.span,
    };
  };
  return [join(then.local), join(otherwise.local)];
}

export function checkIf(
  context: Context,
  body: Body,
  node: IfStatement,
): readonly TypedStatement[] {
  const condition = checkCondition(context, node.condition);
  const then = checkBranch(context, body, node.then);
  const otherwise = checkBranch(context, body, node.else);
  const [thenTail, elseTail]: [TypedStatement[], TypedStatement[]] = [[], []];
  for (const name of new Set([...then.names.keys(), ...otherwise.names.keys()])) {
    const [a, b] = [then.names.get(name), otherwise.names.get(name)];
    if (a?.kind === 'local' && b?.kind === 'local') {
      const merged = mergeLocals(context, name, a, b);
      if (merged === null) context.scope.names.set(name, { kind: 'broken', span: a.span });
      else {
        thenTail.push(merged[0]);
        elseTail.push(merged[1]);
      }
      continue;
    }
    const span = (a ?? b)?.span ?? node.span;
    const entity: Entity =
      a === undefined || b === undefined
        ? { kind: 'half-bound', place: 'if', span }
        : { kind: 'broken', span };
    if (!context.scope.names.has(name)) context.scope.names.set(name, entity);
  }
  if (condition === null) return [];
  return [
    {
      kind: 'if',
      condition,
      then: [...then.statements, ...thenTail],
      else: [...otherwise.statements, ...elseTail],
      span: node.span,
    },
  ];
}
