// Statements of functions and train blocks: bindings, updates of state, and `if` whose condition is known at build time.

import type {
  Bind,
  Block,
  Expression,
  ForStatement,
  FixStatement,
  IfStatement,
  RootStatement,
  Statement,
  Target,
} from '../../grammar/ast.ts';
import { walk } from '../../grammar/walk.ts';
import type { Span } from '../../grammar/source.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { programs } from '../diagnostics/programs.ts';
import { indices } from '../diagnostics/indices.ts';
import { types } from '../diagnostics/types-and-shapes.ts';
import { assign, sameType, sizeNotes } from './assign.ts';
import { isBroken, lookUp, newScope, type Context, type Entity } from './context.ts';
import { boolScalar, convertTo, joinBases, tensor } from './convert.ts';
import { checkComprehension } from './comprehensions.ts';
import { checkDraw } from './draws.ts';
import { reportUnknown } from './paths.ts';
import { describe, showType } from './show.ts';
import { declare } from './signatures.ts';
import { isStatic } from './static.ts';
import type { Local, TypedExpression, TypedStatement } from './typed.ts';
import { toType } from './types-from-syntax.ts';
import type { Type } from './types.ts';
import { singleLayer } from './values.ts';

/** What the statements of one body have in common. */
export interface Body {
  /** The declared types of the results that are assigned by name. */
  readonly results: ReadonlyMap<string, Type>;
}

type Rule<K extends Statement['kind']> = (
  context: Context,
  body: Body,
  node: Extract<Statement, { readonly kind: K }>,
) => readonly TypedStatement[];

// ---- bindings -----------------------------------------------------------------------------------------------------

const breakName = (context: Context, target: Target): void => {
  if (!context.scope.names.has(target.name.text))
    context.scope.names.set(target.name.text, { kind: 'broken', span: target.name.span });
};

/** The type that a target declares, or that the signature declares for a result of that name. */
function declaredType(context: Context, body: Body, target: Target): Type | null {
  const result = body.results.get(target.name.text) ?? null;
  if (target.type === null) return result;
  const type = toType(context, target.type);
  if (result !== null && !sameType(type, result, context.assumptions))
    context.report(
      report(types.E0131, {
        span: target.type.span,
        data: { found: showType(type), declared: showType(result) },
      }),
    );
  return type;
}

/** The value of a target, of its declared type where it has one. */
function valueFor(
  context: Context,
  target: Target,
  node: Expression,
  declared: Type | null,
): TypedExpression {
  const value =
    target.slots === null
      ? singleLayer(context, context.session.rules.expression(context, node, declared))
      : checkComprehension(
          context,
          target.slots,
          node,
          declared?.kind === 'tensor' ? declared : null,
          { ...target.span, end: node.span.end },
        );
  if (declared === null) return value;
  return assign(context, value, declared, (found, wanted) =>
    context.report(
      report(types.E0131, {
        span: target.slots === null ? node.span : target.span,
        data: { found: describe(found), declared: showType(wanted) },
        notes: sizeNotes(context, found, wanted),
      }),
    ),
  );
}

/** Declares a local of that value; nothing where the value is broken. */
function bindLocal(
  context: Context,
  target: Target,
  value: TypedExpression,
  declared: Type | null,
): readonly TypedStatement[] {
  if (isBroken(value)) {
    // The declared type is enough for what follows.
    if (declared !== null && declared.kind !== 'unknown') {
      const local: Local = { name: target.name.text, type: declared, span: target.name.span };
      declare(context, target.name, { kind: 'local', local, span: target.name.span });
    } else {
      declare(context, target.name, { kind: 'broken', span: target.name.span });
    }
    return [];
  }
  const local: Local = { name: target.name.text, type: value.type, span: target.name.span };
  const size = value.kind === 'dim' ? { size: value.dim } : {};
  const entity: Entity = { kind: 'local', local, ...size, span: target.name.span };
  if (!declare(context, target.name, entity)) return [];
  return [{ kind: 'let', local, value, span: target.span }];
}

const localValue = (local: Local, span: Span): TypedExpression => ({
  kind: 'local',
  local,
  type: local.type,
  span,
});

/** The values of several targets from one tuple: a hidden local holds it. */
function takeApart(
  context: Context,
  node: Bind,
): {
  readonly before: readonly TypedStatement[];
  readonly values: readonly TypedExpression[];
} | null {
  const [source] = node.values;
  const value = context.session.rules.expression(context, source, null);
  if (isBroken(value)) return null;
  const { type } = value;
  if (type.kind !== 'tuple' || type.fields.length !== node.targets.length) {
    const values = type.kind === 'tuple' ? `a tuple of ${type.fields.length}` : describe(type);
    context.report(
      report(types.E0128, { span: source.span, data: { names: node.targets.length, values } }),
    );
    return null;
  }
  if (value.kind === 'tuple') return { before: [], values: value.items };
  const name = node.targets.map((target) => target.name.text).join(', ');
  const local: Local = { name, type, span: node.span };
  const before: TypedStatement[] = [{ kind: 'let', local, value, span: source.span }];
  const values = type.fields.map((f, field): TypedExpression => ({
    kind: 'project',
    target: localValue(local, source.span),
    field,
    type: f.type,
    span: source.span,
  }));
  return { before, values };
}

function checkEquation(context: Context, body: Body, node: Bind): readonly TypedStatement[] {
  if (node.targets.length === node.values.length) {
    const typed = node.targets.map((target, i) => {
      const declared = declaredType(context, body, target);
      return { target, declared, value: valueFor(context, target, node.values[i], declared) };
    });
    return typed.flatMap(({ target, value, declared }) =>
      bindLocal(context, target, value, declared),
    );
  }
  if (node.values.length !== 1) {
    context.report(
      report(types.E0128, {
        span: node.span,
        data: { names: node.targets.length, values: `${node.values.length} values` },
      }),
    );
    for (const target of node.targets) breakName(context, target);
    return [];
  }
  const apart = takeApart(context, node);
  if (apart === null) {
    for (const target of node.targets) breakName(context, target);
    return [];
  }
  const after = node.targets.flatMap((target, i) => {
    const declared = declaredType(context, body, target);
    if (target.slots !== null) {
      context.report(
        report(indices.E0313, { span: target.span, data: { found: target.name.text } }),
      );
      breakName(context, target);
      return [];
    }
    const value =
      declared === null ? apart.values[i] : assign(context, apart.values[i], declared, null);
    return bindLocal(context, target, value, declared);
  });
  return [...apart.before, ...after];
}

/** `mu <- e`: the state and its type; null after a report. */
function stateTarget(context: Context, target: Target): TypedExpression | null {
  const entity = lookUp(context.scope, target.name.text);
  if (entity === null) {
    reportUnknown(context, target.name, context.scope.names.keys());
    return null;
  }
  if (entity.kind === 'broken') return null;
  if (entity.kind !== 'state') {
    context.report(
      report(programs.E0405, {
        span: target.name.span,
        data: { name: target.name.text },
        related: [{ span: entity.span, reason: 'defined here' }],
      }),
    );
    return null;
  }
  const node = { kind: 'name', text: target.name.text, span: target.name.span } as const;
  const value = context.session.rules.expression(context, node, null);
  return isBroken(value) ? null : value;
}

function checkUpdate(context: Context, node: Bind): readonly TypedStatement[] {
  const apart =
    node.values.length === 1 && node.targets.length > 1 ? takeApart(context, node) : null;
  if (apart === null && node.values.length !== node.targets.length) {
    if (node.values.length > 1)
      context.report(
        report(types.E0128, {
          span: node.span,
          data: { names: node.targets.length, values: `${node.values.length} values` },
        }),
      );
    return [];
  }
  const updates = node.targets.map((target, i): TypedStatement | null => {
    const state = stateTarget(context, target);
    const wanted = state?.type ?? null;
    const raw =
      apart !== null
        ? apart.values[i]
        : target.slots === null
          ? context.session.rules.expression(context, node.values[i], wanted)
          : checkComprehension(
              context,
              target.slots,
              node.values[i],
              wanted?.kind === 'tensor' ? wanted : null,
              target.span,
            );
    if (state?.kind !== 'state' || wanted === null) return null;
    const value = assign(context, raw, wanted, (found) =>
      context.report(
        report(programs.E0406, {
          span: raw.span,
          data: { name: target.name.text, declared: showType(wanted), found: describe(found) },
          related: [{ span: state.state.span, reason: 'declared here' }],
        }),
      ),
    );
    if (isBroken(value)) return null;
    return { kind: 'update', state: state.state, owner: state.owner, value, span: target.span };
  });
  return [...(apart?.before ?? []), ...updates.filter((update) => update !== null)];
}

function notThereYet(context: Context, span: Span, feature: string): void {
  context.report(report(programs.E0900, { span, data: { feature } }));
}

const binds: Readonly<
  Record<Bind['operator'], (context: Context, body: Body, node: Bind) => readonly TypedStatement[]>
> = {
  '=': checkEquation,
  '<-': (context, _, node) => checkUpdate(context, node),
  '~': (context, body, node) =>
    checkDraw(context, node, declaredType(context, body, node.targets[0])),
};

// ---- branches -----------------------------------------------------------------------------------------------------

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
  const statements = checkStatements({ ...context, scope }, body, block.statements);
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

function checkIf(context: Context, body: Body, node: IfStatement): readonly TypedStatement[] {
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
    const kind = a === undefined || b === undefined ? 'half-bound' : 'broken';
    if (!context.scope.names.has(name)) context.scope.names.set(name, { kind, span });
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

// ---- loops, which are not there yet -------------------------------------------------------------------------------

type Loop = ForStatement | FixStatement | RootStatement;

const loopNames: Readonly<Record<Loop['kind'], string>> = {
  for: 'a `for` loop',
  fix: 'a `fix` equation',
  root: 'a `root` equation',
};

/** One report at the form; what it binds is known by name, and silent. */
function checkLoop(context: Context, _: Body, node: Loop): readonly TypedStatement[] {
  const head: Span = { ...node.span, end: node.body.span.start };
  notThereYet(context, trimmed(head), loopNames[node.kind]);
  const breakText = (text: string, span: Span): void => {
    if (!context.scope.names.has(text)) context.scope.names.set(text, { kind: 'broken', span });
  };
  if (node.kind === 'root') breakText(node.variable.text, node.variable.span);
  else for (const { name } of node.carries) breakText(name.text, name.span);
  walk(node.body, (child) => {
    if ('kind' in child && child.kind === 'bind' && child.operator === '=')
      for (const { name } of child.targets) breakText(name.text, name.span);
  });
  return [];
}

function trimmed(span: Span): Span {
  const text = span.source.text.slice(span.start, span.end);
  return { ...span, end: span.start + text.trimEnd().length };
}

// ---- the table ----------------------------------------------------------------------------------------------------

const rules: { readonly [K in Statement['kind']]: Rule<K> } = {
  bind: (context, body, node) => binds[node.operator](context, body, node),
  'if-statement': checkIf,
  for: checkLoop,
  fix: checkLoop,
  root: checkLoop,
  error: () => [],
};

/** One statement; its names are declared in the scope of the context. */
export function checkStatement(
  context: Context,
  body: Body,
  node: Statement,
): readonly TypedStatement[] {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const rule = rules[node.kind] as (
    context: Context,
    body: Body,
    node: Statement,
  ) => readonly TypedStatement[];
  return rule(context, body, node);
}

export const checkStatements = (
  context: Context,
  body: Body,
  nodes: readonly Statement[],
): readonly TypedStatement[] => nodes.flatMap((node) => checkStatement(context, body, node));
