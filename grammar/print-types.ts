// The formatter's types, fields, parameters and conditions.

import type { BaseType, Expression, Field, Identifier, Parameter, Path, TypeNode } from './ast.ts';
import { endOfMark, type Comments } from './comments.ts';
import { group, here, join, line, nest, type Doc } from './layout.ts';
import {
  argumentsDoc,
  bracketed,
  expressionDoc,
  shapeDoc,
  type Item,
} from './print-expressions.ts';
import { textOf, type Span } from './source.ts';

export const pathDoc = ({ parts }: Path): Doc => parts.map(({ text }) => text).join('.');

type Printers = {
  readonly [K in (TypeNode | BaseType)['kind']]: (
    comments: Comments,
    node: Extract<TypeNode | BaseType, { readonly kind: K }>,
  ) => Doc;
};

const types: Printers = {
  error: (_, { span }) => textOf(span),
  'tensor-type': (comments, { base, shape }) => [
    base === null ? '' : typeDoc(comments, base),
    shape === null ? '' : shapeDoc(comments, shape),
  ],
  'record-type': (comments, { fields, span }) => fieldsDoc(comments, fields, span),
  'function-type': (comments, { parameters, result, span }) => [
    fieldsDoc(comments, parameters, upToMark(span.start, parameters.at(-1)?.span ?? span)),
    ' -> ',
    typeDoc(comments, result),
  ],
  'scalar-base': (_, { name }) => name,
  'fin-base': (comments, { size, span }) =>
    bracketed(
      comments,
      'fin(',
      [{ span: size.span, doc: () => expressionDoc(comments, size) }],
      ')',
      span,
    ),
  'named-base': (comments, { path, arguments: list, span }) => [
    pathDoc(path),
    list === null ? '' : argumentsDoc(comments, list, null, { ...span, start: path.span.end }),
  ],
};

export function typeDoc(comments: Comments, node: TypeNode | BaseType): Doc {
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const print = types[node.kind] as (comments: Comments, node: TypeNode | BaseType) => Doc;
  return print(comments, node);
}

const fieldsDoc = (comments: Comments, fields: readonly Field[], span: Span): Doc =>
  bracketed(
    comments,
    '(',
    fields.map((field) => ({ span: field.span, doc: () => fieldDoc(comments, field) })),
    ')',
    span,
  );

const fieldDoc = (comments: Comments, { name, type }: Field): Doc => [
  name === null ? '' : `${name.text}: `,
  typeDoc(comments, type),
];

/** `: type`, or nothing. */
export const annotationDoc = (comments: Comments, type: TypeNode | null): Doc =>
  type === null ? '' : [': ', typeDoc(comments, type)];

/** From `start` to the `)` after the last item of a list. */
const upToMark = (start: number, { source, end }: Span): Span => ({
  source,
  start,
  end: endOfMark(source, end, ')'),
});

/** The parameter list that starts at `start`, in parentheses. */
export function parametersDoc(
  comments: Comments,
  parameters: readonly Parameter[],
  start: number,
): Doc {
  const items: Item[] = parameters.map(({ name, type, default: value, span: at }) => ({
    span: at,
    doc: () => [
      name.text,
      annotationDoc(comments, type),
      value === null ? '' : [' = ', expressionDoc(comments, value)],
    ],
  }));
  const last = parameters.at(-1);
  return last === undefined
    ? '()'
    : bracketed(comments, '(', items, ')', upToMark(start, last.span));
}

/** ` -> y: [n]`, on a line of its own where the head is long; deeper than the body, which follows. */
export const resultDoc = (comments: Comments, result: Field | null): Doc =>
  result === null ? '' : group(nest(4, [line, '-> ', fieldDoc(comments, result)]));

/** ` where a, b`, on a line of its own where the head is long. */
export function whereDoc(comments: Comments, where: readonly Expression[]): Doc {
  if (where.length === 0) return '';
  const conditions = where.map((condition) => expressionDoc(comments, condition));
  return group(nest(4, [line, 'where ', here(group(join([',', line], conditions)))]));
}

export interface Head {
  readonly name: Identifier;
  readonly parameters: readonly Parameter[];
  readonly where: readonly Expression[];
}

/** `Name(n: dim) where n > 1`; without parameters there are no parentheses. */
export const headDoc = (comments: Comments, { name, parameters, where }: Head): Doc => [
  name.text,
  parameters.length === 0 ? '' : parametersDoc(comments, parameters, name.span.end),
  whereDoc(comments, where),
];
