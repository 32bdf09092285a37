// What stands directly inside typed expressions and statements, to be walked through or replaced. The table is total over the kinds, so a
// kind that is added to the typed program and forgotten here does not compile.

import type {
  Index,
  Local,
  ReadSlot,
  TypedExpression,
  TypedStatement,
  TypedStep,
} from './typed.ts';

type Kind = TypedExpression['kind'];
type Of<K extends Kind> = Extract<TypedExpression, { readonly kind: K }>;
type Change = (part: TypedExpression) => TypedExpression;

/** How the expressions directly inside one of a kind are found, and how they are replaced. */
interface Inside<K extends Kind> {
  readonly found: (expression: Of<K>) => readonly TypedExpression[];
  readonly replaced: (expression: Of<K>, change: Change) => TypedExpression;
}

type Held = TypedExpression | null | readonly TypedExpression[];

/** The members of a kind that hold nothing but expressions. */
type MemberOf<K extends Kind> = {
  [M in keyof Of<K>]: Of<K>[M] extends Held ? M : never;
}[keyof Of<K>];

/** Where the members of these names hold all of them. */
function members<K extends Kind>(...names: readonly MemberOf<K>[]): Inside<K> {
  const heldBy = (expression: Of<K>, name: MemberOf<K>): Held => expression[name] as Held;
  return {
    found(expression) {
      const parts: TypedExpression[] = [];
      for (const name of names) {
        const held = heldBy(expression, name);
        if (isList(held)) parts.push(...held);
        else if (held !== null) parts.push(held);
      }
      return parts;
    },
    replaced(expression, change) {
      const news = names.map((name): [MemberOf<K>, Held] => {
        const held = heldBy(expression, name);
        if (isList(held)) return [name, held.map(change)];
        return [name, held === null ? null : change(held)];
      });
      return { ...expression, ...Object.fromEntries(news) };
    },
  };
}

const isList = (held: Held): held is readonly TypedExpression[] => Array.isArray(held);

const none = { found: () => [], replaced: (expression: TypedExpression) => expression };

const inside: { readonly [K in Kind]: Inside<K> } = {
  number: none,
  boolean: none,
  string: none,
  dim: none,
  local: none,
  index: none,
  training: none,
  self: none,
  'builtin-function': none,
  constant: members('owner'),
  layer: members('owner'),
  state: members('owner'),
  function: members('owner'),
  parameter: members('owner'),
  element: members('target'),
  project: members('target'),
  call: {
    found({ callee, arguments: given }) {
      const head = callee.kind === 'value' ? callee.value : callee.owner;
      return head === null ? given : [head, ...given];
    },
    replaced: (expression, change) => ({
      ...expression,
      callee: changedCallee(expression.callee, change),
      arguments: expression.arguments.map(change),
    }),
  },
  builtin: members('arguments'),
  instantiation: {
    found: ({ value }) => [...value.values.values()],
    replaced(expression, change) {
      const changed = [...expression.value.values].map(
        ([local, value]) => [local, change(value)] as const,
      );
      return { ...expression, value: { ...expression.value, values: new Map(changed) } };
    },
  },
  tuple: members('items'),
  array: members('items'),
  if: members('condition', 'then', 'else'),
  params: members('of'),
  with: members('target', 'params'),
  each: {
    found: ({ given, body }) => [...given.map(({ value }) => value), body],
    // Its body has locals of its own.
    replaced: (expression, change) => ({
      ...expression,
      given: expression.given.map((given) => ({ ...given, value: change(given.value) })),
    }),
  },
  convert: members('value'),
  variable: members('value'),
  derivative: {
    found: members<'derivative'>('of', 'by', 'direction').found,
    // What it is taken by is a name, not a value.
    replaced: members<'derivative'>('of', 'direction').replaced,
  },
  comprehension: members('body'),
  read: {
    found: ({ target, slots }) => [target, ...slots.flatMap(partsOfSlot)],
    replaced: (expression, change) => ({
      ...expression,
      target: change(expression.target),
      slots: expression.slots.map((slot) => changedSlot(slot, change)),
    }),
  },
  put: {
    found: ({ target, slots, value }) => [
      target,
      ...slots.flatMap((slot) => (slot.kind === 'at' ? [slot.at] : [])),
      value,
    ],
    replaced: (expression, change) => ({
      ...expression,
      target: change(expression.target),
      slots: expression.slots.map((slot) =>
        slot.kind === 'at' ? { ...slot, at: change(slot.at) } : slot,
      ),
      value: change(expression.value),
    }),
  },
  binder: {
    found: ({ indices, body }) => [
      ...indices.flatMap(({ prefix }) => (prefix === null ? [] : [prefix.bound])),
      body,
    ],
    replaced: (expression, change) => ({
      ...expression,
      indices: expression.indices.map(({ index, prefix }) => ({
        index,
        prefix: prefix === null ? null : { ...prefix, bound: change(prefix.bound) },
      })),
      body: change(expression.body),
    }),
  },
};

function changedCallee(callee: Of<'call'>['callee'], change: Change): Of<'call'>['callee'] {
  if (callee.kind === 'value') return { ...callee, value: change(callee.value) };
  return { ...callee, owner: callee.owner === null ? null : change(callee.owner) };
}

function partsOfSlot(slot: ReadSlot): readonly TypedExpression[] {
  if (slot.kind === 'at') return [slot.at];
  return slot.kind === 'group' ? slot.items.map(({ at }) => at) : [];
}

function changedSlot(slot: ReadSlot, change: Change): ReadSlot {
  if (slot.kind === 'at') return { ...slot, at: change(slot.at) };
  if (slot.kind !== 'group') return slot;
  return { ...slot, items: slot.items.map((item) => ({ ...item, at: change(item.at) })) };
}

// The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
const insideOf = ({ kind }: TypedExpression) => inside[kind] as Inside<Kind>;

/** The expressions directly inside an expression. */
export const partsOf = (expression: TypedExpression): readonly TypedExpression[] =>
  insideOf(expression).found(expression);

/** `expression` with `change` applied to each of its parts, in order. */
export const mapParts = (expression: TypedExpression, change: Change): TypedExpression =>
  insideOf(expression).replaced(expression, change);

/** `expression` with an index variable replaced by an integer expression; it must not be bound inside. */
export function substituteIndex(
  expression: TypedExpression,
  index: Index,
  by: TypedExpression,
): TypedExpression {
  if (expression.kind === 'index') return expression.index === index ? by : expression;
  return mapParts(expression, (part) => substituteIndex(part, index, by));
}

/** The expressions directly inside a step. */
export function expressionsOf(step: TypedStep): readonly TypedExpression[] {
  switch (step.kind) {
    case 'let':
    case 'update':
    case 'report':
      return [step.value];
    case 'draw':
      return step.draw.arguments;
    case 'optimize':
      return [
        step.objective,
        ...step.optimizer.values.values(),
        ...(step.clip === null ? [] : [step.clip]),
      ];
    case 'track':
      return [step.decay];
    case 'every':
    case 'repeat':
      return step.steps.flatMap(expressionsOf);
    case 'if':
      return [step.condition, ...[...step.then, ...step.else].flatMap(expressionsOf)];
    case 'for':
      return [
        ...(step.over.kind === 'layers' ? [step.over.layers] : []),
        ...step.carries.map(({ initial }) => initial),
        ...step.body.flatMap(expressionsOf),
        ...(step.until === null ? [] : [step.until]),
      ];
    case 'fix':
      return [...step.carries.map(({ initial }) => initial), ...step.body.flatMap(expressionsOf)];
    case 'root':
      return [step.low, step.high, ...step.body.flatMap(expressionsOf), step.value];
  }
}

/** The locals that a statement binds in the body around it. */
export function boundBy(statement: TypedStatement): readonly Local[] {
  switch (statement.kind) {
    case 'let':
    case 'draw':
      return [statement.local];
    case 'update':
      return [];
    case 'if':
      return [...statement.then, ...statement.else].flatMap(boundBy);
    case 'for':
    case 'fix': {
      const stacked = statement.kind === 'for' ? statement.stacked : [];
      return [...statement.carries, ...stacked].map(({ after }) => after);
    }
    case 'root':
      return [statement.after];
  }
}
