// Formulas as lines of DLG and as LaTeX; derivatives of vectors by vectors also in matrix notation, where they have one.

import {
  coefficientOf,
  freeIndices,
  multiply,
  number,
  parts,
  power,
  rename,
  type Formula,
  type Index,
} from './formula.ts';

/** How a notation writes each kind of formula. */
interface Notation {
  readonly element: (name: string, indices: readonly Index[]) => string;
  readonly product: string;
  readonly apply: (name: string, of: readonly string[]) => string;
  readonly delta: (left: Index, right: Index) => string;
  readonly indicator: (relation: string, left: string, right: string) => string;
  readonly divide: ((left: string, right: string) => string) | null;
  readonly power: (base: string, exponent: number) => string;
  readonly binder: (binder: string, index: Index, body: string) => string;
  readonly position: (index: Index) => string;
}

/** How tightly a form binds: sums, products, powers, atoms. */
const level: Readonly<Record<Formula['kind'], number>> = {
  add: 0,
  multiply: 1,
  reduce: 1,
  normalise: 1,
  power: 2,
  number: 3,
  element: 3,
  size: 3,
  apply: 3,
  delta: 3,
  indicator: 3,
  position: 3,
};

export function write(f: Formula, notation: Notation): string {
  const inner = (part: Formula, least: number): string => {
    const text = write(part, notation);
    const loose = level[part.kind] < least || (part.kind === 'number' && part.value < 0);
    return loose ? `(${text})` : text;
  };
  switch (f.kind) {
    case 'number':
      return String(Number(f.value.toPrecision(7)));
    case 'element':
      return notation.element(f.name, f.indices);
    case 'size':
      return /^\w+$/.test(f.text) ? f.text : `(${f.text})`;
    case 'add':
      return writeSum(f.terms, (term) => inner(term, 1));
    case 'multiply':
      return writeProduct(f.factors, notation, inner);
    case 'power':
      return f.exponent < 0
        ? writeProduct([f], notation, inner)
        : notation.power(inner(f.base, 3), f.exponent);
    case 'apply':
      return notation.apply(
        f.name,
        f.of.map((part) => write(part, notation)),
      );
    case 'delta':
      return notation.delta(f.left, f.right);
    case 'indicator':
      return notation.indicator(f.relation, write(f.left, notation), write(f.right, notation));
    case 'position':
      return notation.position(f.index);
    case 'reduce':
      return notation.binder(f.binder, f.index, inner(f.body, 1));
    case 'normalise': {
      const body = rename(f.body, new Map([[f.index, f.at]]));
      return notation.binder(f.binder, f.at, inner(body, 1));
    }
  }
}

function writeProduct(
  factors: readonly Formula[],
  notation: Notation,
  inner: (part: Formula, least: number) => string,
): string {
  const [first, ...others] = factors;
  if (first.kind === 'number' && first.value === -1 && others.length > 0)
    return `-${inner(multiply(others), 1)}`;
  const below = factors.flatMap((f) =>
    f.kind === 'power' && f.exponent < 0 ? [power(f.base, -f.exponent)] : [],
  );
  const above = factors.filter((f) => f.kind !== 'power' || f.exponent >= 0);
  const product = (parts: readonly Formula[], isLast: boolean): string =>
    parts
      .map((part, n) => {
        if (n === 0 && part.kind === 'number') return write(part, notation);
        // A binder takes in what follows it, so it comes last or in brackets.
        return inner(part, isLast && n === parts.length - 1 ? 1 : 2);
      })
      .join(notation.product);
  if (below.length === 0) return product(above, true);
  const top = above.length === 0 ? '1' : product(above, notation.divide !== null);
  const bottom = product(below, true);
  if (notation.divide !== null) return notation.divide(top, bottom);
  const isAtom = below.length === 1 && level[below[0].kind] >= 2;
  return `${top} / ${isAtom ? bottom : `(${bottom})`}`;
}

function writeSum(terms: readonly Formula[], inner: (term: Formula) => string): string {
  return terms
    .map((term, n) => {
      const [coefficient, rest] = coefficientOf(term);
      if (n === 0 || coefficient >= 0) return `${n === 0 ? '' : ' + '}${inner(term)}`;
      return ` - ${inner(multiply([number(-coefficient), rest]))}`;
    })
    .join('');
}

export const dlg: Notation = {
  element: (name, indices) => (indices.length === 0 ? name : `${name}[${indices.join(', ')}]`),
  product: ' * ',
  apply: (name, of) => `${name}(${of.join(', ')})`,
  delta: (left, right) => `ind(${left} == ${right})`,
  indicator: (relation, left, right) => `ind(${left} ${relation} ${right})`,
  divide: null,
  power: (base, exponent) => `${base}^${exponent}`,
  binder: (binder, index, body) => `${binder}[${index}] ${body}`,
  position: (index) => index,
};

const relations: Readonly<Record<string, string>> = {
  '==': '=',
  '!=': '\\neq',
  '<=': '\\leq',
  '>=': '\\geq',
};
const commands: ReadonlySet<string> = new Set(['exp', 'log', 'sin', 'cos', 'tanh', 'max', 'min']);

function latexFunction(name: string, of: readonly string[]): string {
  if (name === 'sqrt') return `\\sqrt{${of[0]}}`;
  if (name === 'abs') return `\\left|${of[0]}\\right|`;
  if (name === 'sigmoid') return `\\sigma(${of[0]})`;
  const head = commands.has(name) ? `\\${name}` : `\\operatorname{${name}}`;
  return `${head}(${of.join(', ')})`;
}

const latexName = (name: string): string =>
  /^\p{L}'*$/u.test(name) ? name : `\\mathrm{${name.replaceAll('_', '\\_')}}`;

const subscript = (indices: readonly Index[]): string =>
  indices.length === 0 ? '' : `_{${indices.join(indices.some((i) => i.length > 1) ? ', ' : '')}}`;

const latexBinders: Readonly<Record<string, string>> = { sum: '\\sum', max: '\\max', min: '\\min' };

export const latex: Notation = {
  element: (name, indices) => `${latexName(name)}${subscript(indices)}`,
  product: ' ',
  apply: latexFunction,
  delta: (left, right) => `\\delta${subscript([left, right])}`,
  indicator: (relation, left, right) =>
    `\\mathbb{1}\\{${left} ${relations[relation] ?? relation} ${right}\\}`,
  divide: (left, right) => `\\frac{${left}}{${right}}`,
  power: (base, exponent) => `${base}^{${exponent}}`,
  binder: (binder, index, body) =>
    `${latexBinders[binder] ?? `\\operatorname{${binder}}`}_{${index}} ${body}`,
  position: (index) => index,
};

/** Whole vectors: elements without their index, products element by element. */
const vectors: Notation = {
  ...latex,
  element: (name, indices) =>
    indices.length === 0 ? latexName(name) : `\\mathbf{${name.replaceAll('_', '\\_')}}`,
  product: ' \\odot ',
};

/** Whether `f` is made element by element of vectors along `index`. */
function isVector(f: Formula, index: Index): boolean {
  if (f.kind === 'position' || f.kind === 'reduce' || f.kind === 'normalise') return false;
  if (f.kind === 'delta') return false;
  if (f.kind === 'element') return f.indices.length === 0 || f.indices.join() === index;
  return parts(f).every((part) => isVector(part, index));
}

/** The matrix of the elements `f` at [row, column], in LaTeX; null where it has no short one. */
export function matrixOf(f: Formula, row: Index, column: Index): string | null {
  const terms = f.kind === 'add' ? f.terms : [f];
  const written = terms.map((term) => matrixTerm(term, row, column));
  if (written.some((term) => term === null)) return null;
  return written
    .map((term, n) => (n === 0 || term?.startsWith('-') ? term : `+ ${term}`))
    .join(' ')
    .replace(/ -(?! )/g, ' - ');
}

function matrixTerm(term: Formula, row: Index, column: Index): string | null {
  const [coefficient, rest] = coefficientOf(term);
  const sign = coefficient === 1 ? '' : coefficient === -1 ? '-' : `${coefficient} `;
  const factors = rest.kind === 'multiply' ? rest.factors : [rest];
  const diagonal = factors.find((f) => f.kind === 'delta');
  if (diagonal !== undefined) {
    const along = multiply(factors.filter((f) => f !== diagonal));
    if (along.kind === 'number') return `${sign}\\mathbf{I}`;
    return isVector(along, row) ? `${sign}\\operatorname{diag}(${write(along, vectors)})` : null;
  }
  const [only] = factors;
  if (factors.length === 1 && only.kind === 'element' && only.indices.length === 2) {
    const name = `\\mathbf{${only.name.replaceAll('_', '\\_')}}`;
    if (only.indices[0] === row && only.indices[1] === column) return `${sign}${name}`;
    return only.indices[1] === row && only.indices[0] === column ? `${sign}${name}^\\top` : null;
  }
  const side = (index: Index): Formula =>
    multiply(factors.filter((f) => freeIndices(f).has(index)));
  const [left, right] = [side(row), side(column)];
  if (!isVector(left, row) || !isVector(right, column)) return null;
  if (left.kind === 'number' || right.kind === 'number') return null;
  const bracket = (f: Formula): string =>
    f.kind === 'element' ? write(f, vectors) : `(${write(f, vectors)})`;
  const scalars = factors.filter((f) => freeIndices(f).size === 0);
  if (scalars.length > 0) return null;
  return `${sign}${bracket(left)} ${bracket(right)}^\\top`;
}

/** The vector of the elements `f` at [index], in LaTeX; null where it has no short one. */
export const vectorOf = (f: Formula, index: Index): string | null =>
  isVector(f, index) ? write(f, vectors) : null;
