// What the value of an expression depends on: parameters by their paths, and whether a gradient can flow along some path.
// Functions are summarised once, in terms of their own parameters and of the layer they belong to.

import type {
  Local,
  TypedBody,
  TypedExpression,
  TypedFunction,
  TypedRule,
  TypedStatement,
} from './typed.ts';

/** A parameter or layer by its path (`net.enc.l1.W`; inside a function `self.l1.W`), or a parameter of a function. */
export type Token = string | Local;

export interface Flow {
  /** A gradient can flow along some path. */
  readonly smooth: boolean;
  /** What blocks it on some path, worth telling. */
  readonly lost: string | null;
  /** What blocks it on some path, in the nature of things: the condition of a choice, a position. */
  readonly cut: string | null;
  /** Some path is not behind `stop`. */
  readonly live: boolean;
  /** When the oldest value on the way that is not behind `stop` was computed: a moment of the train block. */
  readonly since: number;
}

/** Stands for whatever a function that is a value may depend on. */
export const ANYTHING = '*';

export interface Dependence {
  readonly flows: ReadonlyMap<Token, Flow>;
}

export const nothing: Dependence = { flows: new Map() };

const joinFlows = (a: Flow, b: Flow): Flow => ({
  smooth: a.smooth || b.smooth,
  lost: a.lost ?? b.lost,
  cut: a.cut ?? b.cut,
  live: a.live || b.live,
  since: a.live === b.live ? Math.min(a.since, b.since) : a.live ? a.since : b.since,
});

/** A flow along `inner`, whose start depends on something by `outer`. */
const follow = (outer: Flow, inner: Flow): Flow => ({
  smooth: outer.smooth && inner.smooth,
  lost: outer.lost ?? (outer.live ? inner.lost : null),
  cut: outer.cut ?? inner.cut,
  live: outer.live && inner.live,
  since: Math.min(outer.since, inner.since),
});

export function join(all: readonly Dependence[]): Dependence {
  if (all.length === 1) return all[0];
  const flows = new Map<Token, Flow>();
  for (const { flows: some } of all)
    for (const [token, flow] of some) {
      const known = flows.get(token);
      flows.set(token, known === undefined ? flow : joinFlows(known, flow));
    }
  return { flows };
}

/** Whether one of two paths lies within the other. */
export const overlaps = (a: string, b: string): boolean =>
  a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);

export const flowsToPath = ({ flows }: Dependence, path: string): readonly Flow[] =>
  [...flows].flatMap(([token, flow]) =>
    typeof token === 'string' && (token === ANYTHING || overlaps(token, path)) ? [flow] : [],
  );

/** What depends on a layer, or on a part of it, taken together; null for nothing. */
export const flowToPath = (dependence: Dependence, path: string): Flow | null =>
  flowsToPath(dependence, path).reduce<Flow | null>(
    (all, flow) => (all === null ? flow : joinFlows(all, flow)),
    null,
  );

const mapFlows = (d: Dependence, change: (flow: Flow) => Flow): Dependence => ({
  flows: new Map([...d.flows].map(([token, flow]) => [token, change(flow)])),
});

/** Blocked by what a reader should be told of, unless `stop` says that it is meant so. */
const lose = (d: Dependence, by: string): Dependence =>
  mapFlows(d, (flow) => ({
    ...flow,
    smooth: false,
    lost: flow.live ? (flow.lost ?? by) : flow.lost,
  }));

/** Blocked by the nature of a choice. */
const cut = (d: Dependence, by: string): Dependence =>
  mapFlows(d, (flow) => ({
    ...flow,
    smooth: false,
    lost: null,
    cut: flow.lost ?? flow.cut ?? by,
  }));

const stop = (d: Dependence): Dependence =>
  mapFlows(d, (flow) => ({ ...flow, smooth: false, live: false, cut: flow.cut ?? '`stop`' }));

/** Builtins without a useful derivative, by how a message calls them. */
const blocking: Readonly<Record<string, string>> = {
  equal: 'a comparison',
  not_equal: 'a comparison',
  less: 'a comparison',
  less_equal: 'a comparison',
  greater: 'a comparison',
  greater_equal: 'a comparison',
  argmax: '`argmax`',
  argmin: '`argmin`',
  floor: '`floor`',
  ceil: '`ceil`',
  round: '`round`',
  sign: '`sign`',
  int: '`int`',
  ind: '`ind`',
  floor_divide: '`//`',
  one_hot: '`one_hot`',
};

export interface Dependences {
  /** What a local depends on; null where it is a parameter of the function. */
  readonly locals: Map<Local, Dependence>;
  readonly summaries: Map<TypedFunction, Dependence>;
  /** The moment that is read now. */
  readonly step: number;
  /** A variable to depend on itself, and not what it is computed from. */
  readonly variable?: Local;
}

const direct = (token: Token, state: Dependences): Dependence => ({
  flows: new Map([[token, { smooth: true, lost: null, cut: null, live: true, since: state.step }]]),
});

const anything = (state: Dependences): Dependence => direct(ANYTHING, state);

/** `net.enc`, `steps.0`, `self.l1`; null for a layer that came as a value. */
export function pathOf(layer: TypedExpression | null): string | null {
  if (layer === null) return null;
  if (layer.kind === 'self') return 'self';
  // The variable of a loop over layers stands for all of them.
  if (layer.kind === 'local') return pathOf(layer.local.layers ?? null);
  if (layer.kind === 'layer') {
    const owner = pathOf(layer.owner);
    if (layer.owner !== null && owner === null) return null;
    return owner === null ? layer.layer.name : `${owner}.${layer.layer.name}`;
  }
  if (layer.kind !== 'element') return null;
  const target = pathOf(layer.target);
  return target === null ? null : `${target}.${layer.at.key}`;
}

export function dependenceOf(expression: TypedExpression, state: Dependences): Dependence {
  const of = (e: TypedExpression): Dependence => dependenceOf(e, state);
  const all = (items: readonly TypedExpression[]): Dependence => join([nothing, ...items.map(of)]);
  switch (expression.kind) {
    case 'number':
    case 'boolean':
    case 'string':
    case 'dim':
    case 'index':
    case 'training':
    case 'instantiation':
    case 'constant':
    case 'state':
    case 'builtin-function':
      return nothing;
    case 'function':
      return expression.owner === null ? nothing : of(expression.owner);
    case 'local':
      return state.locals.get(expression.local) ?? direct(expression.local, state);
    case 'self':
    case 'layer':
    case 'element': {
      const path = pathOf(expression);
      return path === null ? anything(state) : direct(path, state);
    }
    case 'parameter': {
      const path = pathOf(expression.owner);
      return path === null
        ? anything(state)
        : direct(`${path}.${expression.parameter.name}`, state);
    }
    case 'call':
      return dependenceOfCall(expression, state);
    case 'builtin': {
      const inner = all(expression.arguments);
      if (expression.builtin.name === 'stop') return stop(inner);
      const by = blocking[expression.builtin.name];
      return by === undefined ? inner : lose(inner, by);
    }
    case 'tuple':
    case 'array':
      return all(expression.items);
    case 'project':
      return of(expression.target);
    case 'convert': {
      const { type } = expression.value;
      const real = type.kind === 'tensor' && type.base.kind === 'real';
      return real ? of(expression.value) : lose(of(expression.value), 'integers');
    }
    case 'if':
      return join([
        cut(of(expression.condition), 'the condition of an `if`'),
        of(expression.then),
        of(expression.else),
      ]);
    case 'params':
      return of(expression.of);
    case 'with':
      return of(expression.params);
    case 'each':
      for (const { local, value } of expression.given) state.locals.set(local, of(value));
      return of(expression.body);
    case 'comprehension':
      return of(expression.body);
    case 'variable':
      return of(expression.value);
    case 'derivative':
      return all([expression.of, ...(expression.direction === null ? [] : [expression.direction])]);
    case 'read':
      return dependenceOfRead(expression, state);
    case 'put':
      return join([of(expression.value), dependenceOfRead(expression, state)]);
    case 'binder': {
      const inner = of(expression.body);
      const { binder } = expression;
      if (binder === 'argmax' || binder === 'argmin') return lose(inner, `\`${binder}\``);
      return binder === 'any' || binder === 'all' ? lose(inner, `\`${binder}\``) : inner;
    }
  }
}

/** Of what is read or replaced, and, without a gradient, of where. */
function dependenceOfRead(
  { target, slots }: Extract<TypedExpression, { kind: 'read' | 'put' }>,
  state: Dependences,
): Dependence {
  const positions = slots.flatMap((slot) => {
    if (slot.kind === 'at') return [slot.at];
    return slot.kind === 'group' ? slot.items.map((item) => item.at) : [];
  });
  return join([
    dependenceOf(target, state),
    ...positions.map((at) => cut(dependenceOf(at, state), 'a position')),
  ]);
}

function dependenceOfCall(
  call: Extract<TypedExpression, { kind: 'call' }>,
  state: Dependences,
): Dependence {
  const given = call.arguments.map((argument) => dependenceOf(argument, state));
  if (call.callee.kind === 'value') return join([dependenceOf(call.callee.value, state), ...given]);
  const { function: callee, owner } = call.callee;
  const summary = summarise(callee, state);
  const parts: Dependence[] = [nothing];
  const path = pathOf(owner);
  const others = owner?.kind === 'with' ? dependenceOf(owner.params, state) : null;
  for (const [token, flow] of summary.flows) {
    if (typeof token !== 'string') {
      const at = callee.parameters.findIndex((parameter) => parameter.local === token);
      const outside = at < 0 ? hyperParameter(token, owner, state) : given[at];
      parts.push(mapFlows(outside, (outer) => follow(outer, flow)));
    } else if (others !== null && token.startsWith('self')) {
      parts.push(mapFlows(others, (outer) => follow(outer, flow)));
    } else if (token === ANYTHING || (path === null && owner !== null)) {
      parts.push(mapFlows(anything(state), (outer) => follow(outer, flow)));
    } else {
      const from = path === null ? token : token.replace(/^self/, path);
      parts.push(mapFlows(direct(from, state), (outer) => follow(outer, flow)));
    }
  }
  return join(parts);
}

/** What the layer that owns a function was given for a hyper-parameter. */
function hyperParameter(
  local: Local,
  owner: TypedExpression | null,
  state: Dependences,
): Dependence {
  if (owner?.kind === 'element' || owner?.kind === 'with')
    return hyperParameter(local, owner.target, state);
  if (owner?.kind === 'self') return direct(local, state);
  const value = owner?.kind === 'layer' ? owner.layer.value.values.get(local) : undefined;
  if (owner?.kind !== 'layer' || value === undefined) return anything(state);
  const within = dependenceOf(value, { ...state, locals: new Map() });
  // The value stands in the model that declares the layer.
  const { owner: around } = owner;
  if (around === null || around.kind === 'self') return within;
  const path = pathOf(around);
  return join([
    nothing,
    ...[...within.flows].map(([token, flow]) => {
      const outside =
        typeof token !== 'string'
          ? hyperParameter(token, around, state)
          : path === null
            ? anything(state)
            : direct(token.replace(/^self/, path), state);
      return mapFlows(outside, (outer) => follow(outer, flow));
    }),
  ]);
}

/** What a function's result depends on; with `ruled`, by its derivative rule, where it has one. */
export function summarise(callee: TypedFunction, state: Dependences, ruled = true): Dependence {
  const rule = ruled ? callee.rule() : null;
  if (rule !== null) return dependenceOfRule(callee, rule);
  const known = state.summaries.get(callee);
  if (known !== undefined) return known;
  // Recursion is an error elsewhere; here it must end.
  state.summaries.set(callee, nothing);
  const body = callee.body();
  const summary =
    body === null
      ? anything(state)
      : dependenceOfBody(body, { summaries: state.summaries, locals: new Map(), step: Infinity });
  state.summaries.set(callee, summary);
  return summary;
}

/** The arguments whose tangents the rule uses; of the others, and of what else it reads, there is no gradient. */
function dependenceOfRule(
  { parameters }: TypedFunction,
  { tangents, body }: TypedRule,
): Dependence {
  const state = { summaries: new Map(), locals: new Map(), step: Infinity };
  const { flows } = dependenceOfBody(body, state);
  return join([
    nothing,
    ...parameters.map(({ local }, i) => {
      const tangent = tangents[i];
      const own = direct(local, state);
      return tangent !== null && flows.has(tangent) ? own : cut(own, 'its derivative rule');
    }),
  ]);
}

function dependenceOfBody(body: TypedBody, state: Dependences): Dependence {
  for (const statement of body.statements) recordStatement(statement, state);
  return dependenceOf(body.result, state);
}

/** Remembers what a statement's locals depend on. */
export function recordStatement(statement: TypedStatement, state: Dependences): void {
  if (statement.kind === 'let' && statement.local !== state.variable) {
    const known = state.locals.get(statement.local);
    const found = dependenceOf(statement.value, state);
    state.locals.set(statement.local, known === undefined ? found : join([known, found]));
  }
  if (statement.kind === 'draw' && statement.local !== state.variable) {
    const { distribution, arguments: given } = statement.draw;
    const found = join([nothing, ...given.map((value) => dependenceOf(value, state))]);
    const by = `a draw from \`${distribution.name}\``;
    state.locals.set(statement.local, distribution.smooth ? found : lose(found, by));
  }
  if (statement.kind === 'if')
    for (const inner of [...statement.then, ...statement.else]) recordStatement(inner, state);
  if (statement.kind === 'for' || statement.kind === 'fix') recordRounds(statement, state);
  if (statement.kind === 'root') {
    const { variable, after, body, value } = statement;
    state.locals.set(variable, nothing);
    for (const inner of body) recordStatement(inner, state);
    if (after !== state.variable) state.locals.set(after, dependenceOf(value, state));
  }
}

/** A loop: what its carries depend on grows from round to round, until it holds all that there is. */
function recordRounds(
  loop: Extract<TypedStatement, { kind: 'for' | 'fix' }>,
  state: Dependences,
): void {
  const { locals } = state;
  for (const { initial, inside } of loop.carries)
    if (inside !== state.variable) locals.set(inside, dependenceOf(initial, state));
  const size = (): number =>
    loop.carries.reduce((sum, { inside }) => sum + (locals.get(inside)?.flows.size ?? 0), 0);
  for (let before = -1; before < size();) {
    before = size();
    for (const inner of loop.body) recordStatement(inner, state);
  }
  const outputs = [
    ...loop.carries.map(({ inside, after }) => [inside, after]),
    ...(loop.kind === 'for' ? loop.stacked.map(({ element, after }) => [element, after]) : []),
  ];
  for (const [inner, after] of outputs)
    if (after !== state.variable) locals.set(after, locals.get(inner) ?? nothing);
}
