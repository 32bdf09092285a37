// The canonical formatter behind `dlg fmt`: a syntax tree back to text, with its comments. Printing is idempotent, and the text
// parses to the same tree. What the source says about layout is kept in two places only: one empty line between items, and
// whether a block stands on one line. The caller refuses to print what did not parse (`ParseResult.printable`).

import type {
  Bind,
  Block,
  CheckClause,
  Declaration,
  ErrorNode,
  Expression,
  File,
  FunctionDeclaration,
  Init,
  Member,
  SpaceDeclaration,
  Statement,
  Step,
  Target,
} from './ast.ts';
import { commentsIn, endOfMark, type Comments } from './comments.ts';
import {
  either,
  firstText,
  group,
  hardLine,
  here,
  join,
  line,
  mustBreak,
  nest,
  render,
  type Doc,
} from './layout.ts';
import { expressionDoc, slotsDoc, valueDoc } from './print-expressions.ts';
import {
  annotationDoc,
  headDoc,
  parametersDoc,
  pathDoc,
  resultDoc,
  typeDoc,
  whereDoc,
} from './print-types.ts';
import { isAligned, linesOf, piecesOf, type ItemDoc } from './print-lines.ts';
import { textOf, type Span } from './source.ts';

const width = 100;

/** The text of the file, formatted, with its comments. */
export function print(file: File): string {
  const comments: Comments = {
    source: file.span.source,
    all: file.comments,
    claimed: new Set(),
  };
  const { start, end } = file.span;
  const pieces = piecesOf(comments, file.declarations, start, end, (item) =>
    itemDoc(comments, item, false),
  );
  return `${render(linesOf(pieces), width).trim()}\n`;
}

// ---- items --------------------------------------------------------------------------------------------------------

type Item = Declaration | Member | CheckClause | SpaceDeclaration | Step | Statement | ErrorNode;
type Kind = Item['kind'];

type Printers = {
  readonly [K in Kind]: (comments: Comments, node: Extract<Item, { readonly kind: K }>) => ItemDoc;
};

const items: Printers = {
  error: (_, { span }) => textOf(span),
  import: (_, { path, alias }) => [
    `import "${path.value}"`,
    alias === null ? '' : ` as ${alias.text}`,
  ],
  const: (comments, { keyword, name, type, value }) => [
    `${keyword} ${name.text}`,
    annotationDoc(comments, type),
    ' ',
    valueDoc(comments, '=', value),
  ],
  fn: (comments, node) => functionDoc(comments, node),
  layer: (comments, { name, count, value }) => [
    `layer ${name.text}`,
    count === null ? '' : ['[', expressionDoc(comments, count), ']'],
    ' ',
    valueDoc(comments, '=', value),
  ],
  jvp: (comments, { name, parameters, value }) => [
    `jvp ${name.text}(${parameters.map(({ text }) => text).join(', ')}) `,
    valueDoc(comments, '=', value),
  ],
  model: (comments, node) => [
    `${node.keyword} `,
    headDoc(comments, node),
    ' ',
    bodyDoc(comments, node, node.members),
  ],
  param: (comments, { name, type, initialiser, value }) => ({
    like: 'param',
    left: [`param ${name.text}`, annotationDoc(comments, type)],
    right: valueDoc(comments, initialiser, value),
  }),
  state: (comments, { name, type, value }) => [
    `state ${name.text}`,
    annotationDoc(comments, type),
    ' ',
    valueDoc(comments, '=', value),
  ],
  schedule: (comments, node) => [
    'schedule ',
    headDoc(comments, node),
    ' ',
    bodyDoc(comments, node, node.members),
  ],
  check: (comments, { conditions }) => [
    'check ',
    here(
      group(
        join(
          [',', line],
          conditions.map((one) => expressionDoc(comments, one)),
        ),
      ),
    ),
  ],
  mdp: (comments, node) => [
    'mdp ',
    headDoc(comments, node),
    ' ',
    bodyDoc(comments, node, node.members),
  ],
  space: (comments, { keyword, name, value }) => [
    `${keyword.padEnd('actions'.length)} ${name.text} `,
    valueDoc(comments, '=', value),
  ],
  type: (comments, { name, type }) => [`type ${name.text} = `, typeDoc(comments, type)],
  train: (comments, node) => [
    'train ',
    headDoc(comments, node),
    ' ',
    bodyDoc(comments, node, node.steps),
  ],
  optimize: (comments, { sense, objective, over, using, clip, accumulate }) =>
    group([
      `${sense} `,
      expressionDoc(comments, objective),
      nest(2, [
        line,
        'over ',
        join(', ', over.map(pathDoc)),
        ' using ',
        expressionDoc(comments, using),
        clip === null ? '' : [' clip ', operandAfterName(comments, clip)],
        accumulate === null ? '' : [' accumulate ', operandAfterName(comments, accumulate)],
      ]),
    ]),
  repeat: (comments, { keyword, count, steps, span }) => [
    `${keyword} `,
    operandAfterName(comments, count),
    ' ',
    braces(comments, steps, endOfMark(span.source, count.span.end, '{'), span.end),
  ],
  observe: (comments, { keyword, name, value }) => [
    `${keyword} ${name.text} `,
    valueDoc(comments, '=', value),
  ],
  for: (comments, node) => [
    `for ${node.variable.text} ${node.relation} `,
    expressionDoc(comments, node.range),
    node.down ? ' down' : '',
    node.recompute ? ' recompute' : '',
    node.until === null ? '' : [' until ', expressionDoc(comments, node.until)],
    node.carries.length === 0 ? '' : [' with ', initsDoc(comments, node.carries)],
    ' ',
    blockDoc(comments, node.body),
  ],
  fix: (comments, { carries, tolerance, within, body }) => [
    'fix ',
    initsDoc(comments, carries),
    ' tol ',
    expressionDoc(comments, tolerance),
    ' within ',
    expressionDoc(comments, within),
    ' ',
    blockDoc(comments, body),
  ],
  root: (comments, { variable, low, high, tolerance, within, body }) => [
    `root ${variable.text} in (`,
    expressionDoc(comments, low),
    ', ',
    expressionDoc(comments, high),
    ') tol ',
    expressionDoc(comments, tolerance),
    ' within ',
    expressionDoc(comments, within),
    ' ',
    // The body of `root` may be the expression alone; only before `if` does it take the `return`.
    blockDoc(
      comments,
      body,
      body.statements.length === 0 && body.result?.kind !== 'if' ? '' : 'return ',
    ),
  ],
  'if-statement': (comments, { condition, then, else: otherwise }) => [
    'if ',
    expressionDoc(comments, condition),
    ' ',
    blockDoc(comments, then),
    otherwise === null ? '' : [' else ', blockDoc(comments, otherwise)],
  ],
  bind: (comments, node) => {
    const [only] = node.targets;
    const draws = node.operator === '~' && node.targets.length === 1 && only.type !== null;
    return bindDoc(comments, node, draws ? 'draw' : null);
  },
};

function functionDoc(comments: Comments, node: FunctionDeclaration): Doc {
  const { exported, name, parameters, result, where, body, span } = node;
  return [
    exported ? 'export fn ' : 'fn ',
    name === null ? '' : name.text,
    parametersDoc(comments, parameters, name?.span.end ?? span.start),
    resultDoc(comments, result),
    whereDoc(comments, where),
    body.kind === 'block'
      ? [' ', blockDoc(comments, body)]
      : [' =', group(nest(2, [line, expressionDoc(comments, body)]))],
  ];
}

/** An expression after a contextual keyword that may also be a name: before `[` it would be read as one. */
function operandAfterName(comments: Comments, node: Expression): Doc {
  const doc = expressionDoc(comments, node);
  return firstText(doc).startsWith('[') ? ['(', doc, ')'] : doc;
}

const initsDoc = (comments: Comments, carries: readonly Init[]): Doc =>
  here(
    group(
      join(
        [',', line],
        carries.map(({ name, value }) => [`${name.text} = `, expressionDoc(comments, value)]),
      ),
    ),
  );

const targetDoc = (comments: Comments, { name, slots, type, span }: Target): Doc => [
  name.text,
  slots === null
    ? ''
    : slotsDoc(comments, slots, {
        ...span,
        start: name.span.end,
        end: type?.span.start ?? span.end,
      }),
  annotationDoc(comments, type),
];

function bindDoc(
  comments: Comments,
  { targets, operator, values }: Bind,
  like: string | null,
): ItemDoc {
  const left = join(
    ', ',
    targets.map((target) => targetDoc(comments, target)),
  );
  const [first, ...others] = values;
  const right = [
    valueDoc(comments, operator, first),
    others.map((value) => [', ', expressionDoc(comments, value)]),
  ];
  return like === null ? [left, ' ', right] : { like, left, right };
}

// ---- bodies in braces ---------------------------------------------------------------------------------------------

/** The members of a declaration; the brace comes after its head. */
function bodyDoc(
  comments: Comments,
  declaration: Extract<Declaration, { readonly parameters: unknown; readonly where: unknown }>,
  list: readonly Item[],
): Doc {
  const { name, parameters, where, span } = declaration;
  const head = where.at(-1)?.span ?? parameters.at(-1)?.span ?? name?.span ?? span;
  const tables = declaration.kind === 'schedule' || declaration.kind === 'mdp';
  return braces(comments, list, endOfMark(span.source, head.end, '{'), span.end, tables);
}

const blockDoc = (comments: Comments, { statements, result, span }: Block, word = 'return '): Doc =>
  braces(
    comments,
    result === null ? statements : [...statements, { result, word, span: result.span }],
    span.start + 1,
    span.end,
  );

/** The last line of a block. */
interface Result {
  readonly result: Expression;
  readonly word: string;
  readonly span: Span;
}

/** `{ ... }`, on one line if it stands so in the source and fits. `from` is past the opening brace, `to` past the closing one. */
function braces(
  comments: Comments,
  list: readonly (Item | Result)[],
  from: number,
  to: number,
  tables = false,
): Doc {
  const inside = comments.source.text.slice(from, to);
  const commented = commentsIn(comments, from, to).length > 0;
  if (list.length === 0 && !commented) return '{}';
  const pieces = piecesOf(comments, list, from, to, (item) => itemDoc(comments, item, tables));
  const broken = ['{', nest(2, linesOf(pieces)), hardLine, '}'];
  if (commented || inside === '' || inside.includes('\n')) return broken;
  const docs = pieces.lines.map(({ doc }) => (isAligned(doc) ? [doc.left, ' ', doc.right] : doc));
  return docs.some(mustBreak) ? broken : either(['{ ', join(' ', docs), ' }'], broken);
}

function itemDoc(comments: Comments, item: Item | Result, tables: boolean): ItemDoc {
  if ('result' in item && 'word' in item) return [item.word, expressionDoc(comments, item.result)];
  if (tables && item.kind === 'bind' && item.targets.length === 1)
    return bindDoc(comments, item, 'table');
  // The table's type ties each rule to its kind; TypeScript cannot follow that through an indexed call.
  const printer = items[item.kind] as (comments: Comments, node: Item) => ItemDoc;
  return printer(comments, item);
}
