// Formulas of one element of a tensor, in index notation, with the rules that bring them to the form a person writes: `dlg grad`
// shows derivatives with them. Constructors simplify as they build, so that what is made is simplified already.

/** A name of an index variable. */
export type Index = string;

export type Formula =
  | { readonly kind: 'number'; readonly value: number }
  /** `x[i, j]`; no indices for a scalar. */
  | { readonly kind: 'element'; readonly name: string; readonly indices: readonly Index[] }
  | { readonly kind: 'size'; readonly text: string }
  | { readonly kind: 'add'; readonly terms: readonly Formula[] }
  | { readonly kind: 'multiply'; readonly factors: readonly Formula[] }
  /** A negative exponent divides. */
  | { readonly kind: 'power'; readonly base: Formula; readonly exponent: number }
  | { readonly kind: 'apply'; readonly name: string; readonly of: readonly Formula[] }
  /** 1 where two indices are equal, else 0. */
  | { readonly kind: 'delta'; readonly left: Index; readonly right: Index }
  /** 1 where the relation holds, else 0. */
  | {
      readonly kind: 'indicator';
      readonly relation: string;
      readonly left: Formula;
      readonly right: Formula;
    }
  /** The value of an index. */
  | { readonly kind: 'position'; readonly index: Index }
  | {
      readonly kind: 'reduce';
      readonly binder: string;
      readonly index: Index;
      /** The number of values of the index. */
      readonly size: Formula;
      readonly body: Formula;
    }
  /** The entry `at` of a vector that is normalised as a whole over `index`. */
  | {
      readonly kind: 'normalise';
      readonly binder: string;
      readonly index: Index;
      readonly body: Formula;
      readonly at: Index;
    };

export const number = (value: number): Formula => ({ kind: 'number', value });

const isNumber = (f: Formula, value: number): boolean => f.kind === 'number' && f.value === value;

/** The formulas directly inside. */
export function parts(f: Formula): readonly Formula[] {
  switch (f.kind) {
    case 'add':
      return f.terms;
    case 'multiply':
      return f.factors;
    case 'indicator':
      return [f.left, f.right];
    case 'power':
      return [f.base];
    case 'apply':
      return f.of;
    case 'reduce':
    case 'normalise':
      return [f.body];
    default:
      return [];
  }
}

/** `f` with others in the places of its parts. */
function rebuilt(f: Formula, inner: readonly Formula[]): Formula {
  switch (f.kind) {
    case 'add':
      return add(inner);
    case 'multiply':
      return multiply(inner);
    case 'indicator':
      return { ...f, left: inner[0], right: inner[1] };
    case 'power':
      return power(inner[0], f.exponent);
    case 'apply':
      return { ...f, of: inner };
    case 'reduce':
      return reduce(f, inner[0]);
    case 'normalise':
      return { ...f, body: inner[0] };
    default:
      return f;
  }
}

/** `f` with each of its parts changed, simplified again. */
const mapParts = (f: Formula, change: (part: Formula) => Formula): Formula =>
  rebuilt(f, parts(f).map(change));

/** The indices that `f` itself names. */
function ownIndices(f: Formula): readonly Index[] {
  if (f.kind === 'element') return f.indices;
  if (f.kind === 'delta') return [f.left, f.right];
  if (f.kind === 'position') return [f.index];
  return f.kind === 'normalise' ? [f.at] : [];
}

/** The indices that `f` varies along. */
export function freeIndices(f: Formula): ReadonlySet<Index> {
  const inner = new Set(parts(f).flatMap((part) => [...freeIndices(part)]));
  if (f.kind === 'reduce' || f.kind === 'normalise') inner.delete(f.index);
  return new Set([...ownIndices(f), ...inner]);
}

/** `f` with indices renamed; bound indices are unique, so none is captured. */
export function rename(f: Formula, names: ReadonlyMap<Index, Index>): Formula {
  const to = (index: Index): Index => names.get(index) ?? index;
  if (f.kind === 'element') return { ...f, indices: f.indices.map(to) };
  if (f.kind === 'delta') return delta(to(f.left), to(f.right));
  if (f.kind === 'position') return { ...f, index: to(f.index) };
  const moved = f.kind === 'normalise' ? { ...f, at: to(f.at) } : f;
  return mapParts(moved, (part) => rename(part, names));
}

/** Equal for formulas that are the same but for the names of bound indices and the order of terms and factors. */
export function keyOf(f: Formula, bound: ReadonlyMap<Index, string> = new Map()): string {
  const of = (index: Index): string => bound.get(index) ?? index;
  const inside =
    f.kind === 'reduce' || f.kind === 'normalise'
      ? new Map([...bound, [f.index, `#${bound.size}`]])
      : bound;
  const keys = parts(f).map((part) => keyOf(part, inside));
  if (f.kind === 'add' || f.kind === 'multiply') keys.sort();
  const indices = ownIndices(f).map(of);
  if (f.kind === 'delta') indices.sort();
  return `${f.kind}:${label(f)}(${[...indices, ...keys].join(';')})`;
}

function label(f: Formula): string {
  switch (f.kind) {
    case 'number':
      return String(f.value);
    case 'element':
    case 'apply':
      return f.name;
    case 'size':
      return f.text;
    case 'power':
      return String(f.exponent);
    case 'indicator':
      return f.relation;
    case 'reduce':
    case 'normalise':
      return f.binder;
    default:
      return '';
  }
}

export const delta = (left: Index, right: Index): Formula =>
  left === right ? number(1) : { kind: 'delta', left, right };

export function power(base: Formula, exponent: number): Formula {
  if (exponent === 1) return base;
  if (exponent === 0) return number(1);
  if (base.kind === 'number') return number(base.value ** exponent);
  // Indicators are 0 or 1.
  if ((base.kind === 'delta' || base.kind === 'indicator') && exponent > 0) return base;
  // Only whole exponents: (x^2)^(1/2) is |x|.
  if (Number.isInteger(exponent)) {
    if (base.kind === 'power') return power(base.base, base.exponent * exponent);
    if (base.kind === 'multiply') return multiply(base.factors.map((f) => power(f, exponent)));
  }
  return { kind: 'power', base, exponent };
}

/** A term as a number and the rest. */
export function coefficientOf(f: Formula): readonly [number, Formula] {
  if (f.kind === 'number') return [f.value, number(1)];
  const [first, ...others] = f.kind === 'multiply' ? f.factors : [f];
  return first.kind === 'number' ? [first.value, multiply(others)] : [1, f];
}

export function add(given: readonly Formula[]): Formula {
  const sums = new Map<string, { readonly coefficient: number; readonly rest: Formula }>();
  for (const term of given.flatMap((f) => (f.kind === 'add' ? f.terms : [f]))) {
    const [coefficient, rest] = coefficientOf(term);
    const key = keyOf(rest);
    const known = sums.get(key);
    sums.set(key, { coefficient: (known?.coefficient ?? 0) + coefficient, rest });
  }
  const terms = [...sums.values()].flatMap(({ coefficient, rest }) =>
    coefficient === 0 ? [] : [multiply([number(coefficient), rest])],
  );
  if (terms.length === 0) return number(0);
  return terms.length === 1 ? terms[0] : { kind: 'add', terms };
}

export const subtract = (a: Formula, b: Formula): Formula => add([a, multiply([number(-1), b])]);

export const divide = (left: Formula, right: Formula): Formula =>
  multiply([left, power(right, -1)]);

const hasDelta = (f: Formula): boolean => f.kind === 'delta' || parts(f).some(hasDelta);

export function multiply(given: readonly Formula[]): Formula {
  const flat = given.flatMap((f) => (f.kind === 'multiply' ? f.factors : [f]));
  const sum = flat.find((f) => f.kind === 'add' && f.terms.some(hasDelta));
  if (sum?.kind === 'add') {
    const others = flat.filter((f) => f !== sum);
    return add(sum.terms.map((term) => multiply([term, ...others])));
  }
  // Where delta is 1 its indices are equal, so the others may all speak of the first.
  const pivot = flat.find((f) => f.kind === 'delta');
  if (pivot?.kind === 'delta') {
    const names = new Map([[pivot.right, pivot.left]]);
    const others = flat.filter((f) => f !== pivot);
    if (others.some((f) => freeIndices(f).has(pivot.right)))
      return multiply([pivot, ...others.map((f) => rename(f, names))]);
  }
  let coefficient = 1;
  const powers = new Map<string, { readonly base: Formula; readonly exponent: number }>();
  for (const f of flat) {
    if (f.kind === 'number') {
      coefficient *= f.value;
      continue;
    }
    const [base, exponent] = f.kind === 'power' ? [f.base, f.exponent] : [f, 1];
    const key = keyOf(base);
    powers.set(key, { base, exponent: (powers.get(key)?.exponent ?? 0) + exponent });
  }
  if (coefficient === 0) return number(0);
  const rest = [...powers.values()]
    .map(({ base, exponent }) => power(base, exponent))
    .filter((f) => !isNumber(f, 1));
  const factors = coefficient === 1 ? rest : [number(coefficient), ...rest];
  if (factors.length === 0) return number(1);
  return factors.length === 1 ? factors[0] : { kind: 'multiply', factors };
}

/** `sum[k] body` and the like; a sum takes out what does not vary along k, and a delta picks its one term. */
export function reduce(
  over: { readonly binder: string; readonly index: Index; readonly size: Formula },
  body: Formula,
): Formula {
  const { binder, index, size } = over;
  const plain: Formula = { kind: 'reduce', binder, index, size, body };
  if (binder !== 'sum') return freeIndices(body).has(index) ? plain : body;
  if (body.kind === 'add') return add(body.terms.map((term) => reduce(over, term)));
  const factors = body.kind === 'multiply' ? body.factors : [body];
  const pick = factors.find((f) => f.kind === 'delta' && (f.left === index || f.right === index));
  if (pick?.kind === 'delta') {
    const other = pick.left === index ? pick.right : pick.left;
    const names = new Map([[index, other]]);
    return multiply(factors.filter((f) => f !== pick).map((f) => rename(f, names)));
  }
  const outside = factors.filter((f) => !freeIndices(f).has(index));
  const inside = factors.filter((f) => freeIndices(f).has(index));
  if (inside.length === 0) return multiply([...outside, size]);
  return outside.length === 0
    ? plain
    : multiply([...outside, { ...plain, body: multiply(inside) }]);
}

/** `f` with every part that is an element of the value `name` written as that: its formula is `definition` at `indices`. */
export function withName(
  f: Formula,
  name: string,
  indices: readonly Index[],
  definition: Formula,
): Formula {
  if (definition.kind === 'element' || definition.kind === 'number') return f;
  const found = places([...freeIndices(f)], indices.length).find(
    (at) => keyOf(rename(definition, new Map(indices.map((i, n) => [i, at[n]])))) === keyOf(f),
  );
  if (found !== undefined) return { kind: 'element', name, indices: found };
  return mapParts(f, (part) => withName(part, name, indices, definition));
}

/** All tuples of that length. */
function places(indices: readonly Index[], length: number): readonly (readonly Index[])[] {
  if (length === 0) return [[]];
  if (length > 3 || indices.length > 5) return [];
  return places(indices, length - 1).flatMap((start) => indices.map((i) => [...start, i]));
}
