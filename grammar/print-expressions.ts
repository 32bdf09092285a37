// The formatter's expressions: parentheses only where precedence asks for them, breaks at operators and in lists.

import {
  binderNames,
  type Argument,
  type BinaryOperator,
  type Expression,
  type PackNode,
  type ShapeNode,
  type Slot,
} from './ast.ts';
import { claim, commentsIn, commentText, type Comments } from './comments.ts';
import {
  fill,
  fit,
  flat,
  group,
  hardLine,
  here,
  line,
  nest,
  softLine,
  suffix,
  type Doc,
} from './layout.ts';
import { textOf, type Span } from './source.ts';

/** How tightly the forms bind; a form stands bare where at least its level is allowed. */
const level = {
  any: 0,
  pipe: 1,
  or: 2,
  and: 3,
  compare: 4,
  sum: 5,
  product: 6,
  unary: 7,
  power: 8,
  postfix: 9,
} as const;

const operatorLevels: Readonly<Record<BinaryOperator, number>> = {
  '|>': level.pipe,
  or: level.or,
  and: level.and,
  '+': level.sum,
  '-': level.sum,
  '*': level.product,
  '/': level.product,
  '//': level.product,
  '%': level.product,
  '@': level.product,
  '^': level.power,
};

function levelOf(node: Expression): number {
  if (node.kind === 'if') return level.any;
  if (node.kind === 'compare') return level.compare;
  if (node.kind === 'unary' || node.kind === 'binder') return level.unary;
  return node.kind === 'binary' ? operatorLevels[node.operator] : level.postfix;
}

/** Whether an operator of a product, put after `node`, would end up inside a binder's body. */
function endsInBinder(node: Expression): boolean {
  let last = node;
  for (;;) {
    if (last.kind === 'binder') return true;
    if (last.kind === 'unary') last = last.operand;
    else if (last.kind === 'binary' && operatorLevels[last.operator] >= level.product)
      last = last.right;
    else return false;
  }
}

/**
 * Spaces around the operators of sums and products: wide `2 * i + 1`; in an index a plain product, a factor of the sum, is
 * tight, `2*i + 1`; in a range all are, `2*i+1`. Brackets inside start afresh.
 */
type Spacing = 'wide' | 'index' | 'factor' | 'tight';

type Printers = {
  readonly [K in Expression['kind']]: (
    comments: Comments,
    node: Extract<Expression, { readonly kind: K }>,
    spacing: Spacing,
  ) => Doc;
};

const expressions: Printers = {
  error: (_, { span }) => textOf(span),
  number: (_, { text }) => text,
  string: (_, { value }) => `"${value}"`,
  boolean: (_, { value }) => String(value),
  name: (_, { text }) => text,
  fin: (comments, { value, span }) =>
    bracketed(comments, 'fin(', [item(comments, value)], ')', span),
  tuple: (comments, { items, span }) =>
    bracketed(
      comments,
      '(',
      items.map((one) => item(comments, one)),
      ')',
      span,
    ),
  shape: (comments, node) => shapeDoc(comments, node),
  if: (comments, node) => here(group(conditional(comments, node))),
  binary: (comments, node, spacing) =>
    node.operator === '^'
      ? [
          expressionDoc(comments, node.left, level.postfix, spacing),
          '^',
          expressionDoc(comments, node.right, level.unary, spacing),
        ]
      : here(chain(comments, node, spacing)),
  compare: (comments, node, spacing) => here(chain(comments, node, spacing)),
  unary: (comments, { operator, operand }, spacing) => [
    operator === 'not' ? 'not ' : '-',
    expressionDoc(comments, operand, level.unary, spacing),
  ],
  binder: (comments, { binder, indices, body, span }) => {
    const list = indices.map(({ name, relation, bound, span: at }) => ({
      span: at,
      doc: () =>
        relation === null || bound === null
          ? name.text
          : [name.text, ` ${relation} `, expressionDoc(comments, bound, level.sum)],
    }));
    const end = { ...span, end: body.span.start };
    return [
      bracketed(comments, `${binder}[`, list, ']', end),
      ' ',
      // `softmax[s] (sum[c] ...)`: one kind of binder over another reads better with its scope marked.
      body.kind === 'binder' && body.binder !== binder
        ? ['(', expressionDoc(comments, body), ')']
        : expressionDoc(comments, body, level.product),
    ];
  },
  call: (comments, { callee, arguments: list, with: parameters, span }) => [
    expressionDoc(comments, callee, level.postfix),
    argumentsDoc(comments, list, parameters, { ...span, start: callee.span.end }),
  ],
  index: (comments, { target, slots, span }) => [
    // A binder's name before `[` would begin a binder.
    target.kind === 'name' && (binderNames as readonly string[]).includes(target.text)
      ? `(${target.text})`
      : expressionDoc(comments, target, level.postfix),
    slotsDoc(comments, slots, { ...span, start: target.span.end }),
  ],
  member: (comments, { target, name }) => [
    expressionDoc(comments, target, level.postfix),
    '.',
    name.text,
  ],
};

/** An expression where forms of at least the level `least` may stand without parentheses. */
export function expressionDoc(
  comments: Comments,
  node: Expression,
  least: number = level.any,
  spacing: Spacing = 'wide',
): Doc {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const print = expressions[node.kind] as (
    comments: Comments,
    node: Expression,
    spacing: Spacing,
  ) => Doc;
  return levelOf(node) >= least
    ? print(comments, node, spacing)
    : ['(', print(comments, node, 'wide'), ')'];
}

/**
 * An expression after `=`. The operators of a broken sum line up with the `=`; where its terms are too long for that, and for
 * other chains, the line breaks after the `=`.
 */
export function valueDoc(comments: Comments, operator: string, node: Expression): Doc {
  const at = levelOf(node);
  if (at === level.pipe) return [operator, ' ', nest(2, chain(comments, node, 'wide'))];
  if (node.kind !== 'binder' && (at < level.or || at > level.product))
    return [operator, ' ', expressionDoc(comments, node)];
  const below = (doc: Doc): Doc => [operator, group(nest(2, [line, doc]))];
  if (at !== level.sum) return below(expressionDoc(comments, node));
  const terms = chainParts(comments, node, 'wide');
  const room = Math.max(...terms.map((term) => flat(term)?.length ?? 0));
  return fit(
    room + operator.length + 1,
    here([operator, ' ', group(terms)]),
    below(here(group(terms))),
  );
}

function conditional(comments: Comments, node: Extract<Expression, { kind: 'if' }>): Doc {
  const parts: Doc[] = [];
  let rest: Expression = node;
  for (; rest.kind === 'if'; rest = rest.else) {
    parts.push(
      'if ',
      expressionDoc(comments, rest.condition, level.pipe),
      ' then ',
      expressionDoc(comments, rest.then, level.pipe),
      line,
      'else ',
    );
  }
  return [...parts, expressionDoc(comments, rest)];
}

interface Link {
  readonly operator: string;
  readonly operand: Expression;
}

/** The operands of a left-associative chain of one level, or of a comparison. */
function linksOf(node: Expression): { first: Expression; links: Link[]; at: number } {
  if (node.kind === 'compare') {
    const links = node.relations.map((operator, index) => ({
      operator,
      operand: node.operands[index + 1],
    }));
    return { first: node.operands[0], links, at: level.compare };
  }
  const at = levelOf(node);
  const links: Link[] = [];
  let first: Expression = node;
  while (first.kind === 'binary' && operatorLevels[first.operator] === at) {
    links.push({ operator: first.operator, operand: first.right });
    first = first.left;
  }
  return { first, links: links.reverse(), at };
}

/** `a + b - c`: broken, each operator begins a line. */
const chain = (comments: Comments, node: Expression, spacing: Spacing): Doc =>
  group(chainParts(comments, node, spacing));

/** The operands of a chain, each but the first with the break and the operator before it. */
function chainParts(comments: Comments, node: Expression, spacing: Spacing): readonly Doc[] {
  const { first, links, at } = linksOf(node);
  const plain = [first, ...links.map(({ operand }) => operand)].every(isAtom);
  const stars = links.every(({ operator }) => operator === '*');
  const tight =
    (spacing === 'tight' && at >= level.sum) || (spacing === 'factor' && plain && stars);
  const inner: Spacing =
    spacing === 'tight' ? 'tight' : spacing === 'index' && at === level.sum ? 'factor' : 'wide';
  const operandDoc = (operand: Expression, last: boolean): Doc =>
    at === level.product && !last && endsInBinder(operand)
      ? ['(', expressionDoc(comments, operand), ')']
      : expressionDoc(comments, operand, at + 1, inner);
  const parts: Doc[] = [operandDoc(first, false)];
  let { end } = first.span;
  for (const [index, { operator, operand }] of links.entries()) {
    const { trailing, alone } = claim(comments, end, operand.span.start);
    const doc = operandDoc(operand, index === links.length - 1);
    parts.push([
      trailing.map((one) => suffix(commentText(one))),
      alone.map((one) => [hardLine, commentText(one)]),
      trailing.length + alone.length > 0 ? hardLine : tight ? softLine : line,
      operator,
      tight ? '' : ' ',
      doc,
    ]);
    ({ end } = operand.span);
  }
  return parts;
}

// ---- lists in brackets --------------------------------------------------------------------------------------------

export interface Item {
  readonly span: Span;
  readonly doc: () => Doc;
}

const item = (comments: Comments, node: Expression): Item => ({
  span: node.span,
  doc: () => expressionDoc(comments, node),
});

/** A list in brackets, on one line or one item a line; `span` reaches from before the opening bracket past the closing one. */
export function bracketed(
  comments: Comments,
  open: string,
  items: readonly Item[],
  close: string,
  span: Span,
  separators?: readonly string[],
): Doc {
  const parts: Doc[] = [];
  let end = span.start;
  for (const [index, { span: at, doc }] of items.entries()) {
    const { trailing, alone } = claim(comments, end, at.start);
    parts.push(trailing.map((one) => suffix(commentText(one))));
    parts.push(index === 0 ? softLine : line);
    parts.push(alone.map((one) => [commentText(one), hardLine]));
    parts.push(doc(), index < items.length - 1 ? (separators?.[index] ?? ',') : '');
    ({ end } = at);
  }
  const { trailing, alone } = claim(comments, end, span.end);
  if (items.length === 0 && trailing.length + alone.length === 0) return `${open}${close}`;
  parts.push(trailing.map((one) => suffix(commentText(one))));
  parts.push(alone.map((one) => [hardLine, commentText(one)]));
  return group([open, nest(2, parts), softLine, close]);
}

export function argumentsDoc(
  comments: Comments,
  list: readonly Argument[],
  parameters: Expression | null,
  span: Span,
): Doc {
  const items: Item[] = list.map(({ name, value, span: at }) => ({
    span: at,
    doc: () => [name === null ? '' : `${name.text} = `, argumentValue(comments, value)],
  }));
  if (parameters === null) return bracketed(comments, '(', items, ')', span);
  items.push({ span: parameters.span, doc: () => ['with ', expressionDoc(comments, parameters)] });
  const separators = items.map((_, index) => (index < items.length - 2 ? ',' : ''));
  return bracketed(comments, '(', items, ')', span, separators);
}

const isAtom = ({ kind }: Expression): boolean => kind === 'name' || kind === 'number';

/** A shape that is one pack stands as the pack alone. */
function argumentValue(comments: Comments, value: Expression): Doc {
  if (value.kind !== 'shape' || value.dimensions.length !== 1)
    return expressionDoc(comments, value);
  const [only] = value.dimensions;
  return only.kind === 'pack' ? packDoc(only) : expressionDoc(comments, value);
}

const packDoc = ({ name }: PackNode): Doc => `..${name.text}`;

const isLiteral = (node: PackNode | Expression): boolean =>
  node.kind === 'number' ||
  node.kind === 'boolean' ||
  node.kind === 'string' ||
  (node.kind === 'unary' && node.operand.kind === 'number');

export function shapeDoc(comments: Comments, { dimensions, span }: ShapeNode): Doc {
  const commented = commentsIn(comments, span.start, span.end).length > 0;
  if (dimensions.length > 8 && dimensions.every(isLiteral) && !commented) {
    const texts = dimensions.map((one) =>
      one.kind === 'pack' ? '' : (flat(expressionDoc(comments, one)) ?? ''),
    );
    return group(['[', nest(2, [softLine, fill(texts)]), softLine, ']']);
  }
  const items = dimensions.map((one) => ({
    span: one.span,
    doc: () => (one.kind === 'pack' ? packDoc(one) : expressionDoc(comments, one)),
  }));
  return bracketed(comments, '[', items, ']', span);
}

export function slotsDoc(comments: Comments, slots: readonly Slot[], span: Span): Doc {
  const items = slots.map((slot) => ({ span: slot.span, doc: () => slotDoc(comments, slot) }));
  return bracketed(comments, '[', items, ']', span);
}

function slotDoc(comments: Comments, slot: Slot): Doc {
  if (slot.kind === 'ellipsis') return '..';
  if (slot.kind === 'at') return expressionDoc(comments, slot.value, level.any, 'index');
  const { from, to } = slot;
  return [
    from === null ? '' : expressionDoc(comments, from, level.any, 'tight'),
    ':',
    to === null ? '' : expressionDoc(comments, to, level.sum, 'tight'),
  ];
}
