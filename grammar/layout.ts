// Documents for the formatter, after Wadler ("A prettier printer", 2003): text with possible line breaks, which `render` takes
// or leaves so that lines fit. Groups are laid flat if they fit, else broken at all their own lines.

export type Doc =
  | string
  | readonly Doc[]
  | { readonly kind: 'line'; readonly flat: string }
  | { readonly kind: 'hard-line'; readonly blank: boolean }
  | { readonly kind: 'nest'; readonly by: number | 'here'; readonly body: Doc }
  | { readonly kind: 'group'; readonly body: Doc; readonly broken: boolean }
  | { readonly kind: 'either'; readonly flat: Doc; readonly broken: Doc }
  | { readonly kind: 'fit'; readonly room: number; readonly body: Doc; readonly otherwise: Doc }
  | { readonly kind: 'fill'; readonly items: readonly string[] }
  | { readonly kind: 'suffix'; readonly text: string };

/** A space, or a line break where the group does not fit. */
export const line: Doc = { kind: 'line', flat: ' ' };
/** Nothing, or a line break. */
export const softLine: Doc = { kind: 'line', flat: '' };
export const hardLine: Doc = { kind: 'hard-line', blank: false };
/** A line break with an empty line after it. */
export const blankLine: Doc = { kind: 'hard-line', blank: true };

export const nest = (by: number, body: Doc): Doc => ({ kind: 'nest', by, body });
/** Lines of `body` start at the column where it starts. */
export const here = (body: Doc): Doc => ({ kind: 'nest', by: 'here', body });
export const group = (body: Doc): Doc => ({ kind: 'group', body, broken: mustBreak(body) });
/** `flatDoc` if it fits on the line, else the other. */
export const either = (flatDoc: Doc, broken: Doc): Doc => ({
  kind: 'either',
  flat: flatDoc,
  broken,
});
/** `body` where the line has at least `room` columns left, else the other; both say the same. */
export const fit = (room: number, body: Doc, otherwise: Doc): Doc => ({
  kind: 'fit',
  room,
  body,
  otherwise,
});
/** Items with commas between, as many to a line as fit. */
export const fill = (items: readonly string[]): Doc => ({ kind: 'fill', items });
/** A comment that goes to the end of its line, and so ends it. */
export const suffix = (text: string): Doc => ({ kind: 'suffix', text });

export const join = (separator: Doc, items: readonly Doc[]): Doc =>
  items.map((item, index) => (index === 0 ? item : [separator, item]));

/** Whether a group around `doc` cannot be laid flat. */
export function mustBreak(doc: Doc): boolean {
  if (typeof doc === 'string') return false;
  if (isList(doc)) return doc.some(mustBreak);
  if (doc.kind === 'group') return doc.broken;
  if (doc.kind === 'nest' || doc.kind === 'fit') return mustBreak(doc.body);
  if (doc.kind === 'either') return mustBreak(doc.flat);
  return doc.kind === 'hard-line' || doc.kind === 'suffix';
}

const isList = (doc: Doc): doc is readonly Doc[] => Array.isArray(doc);

/** The text of `doc` on one line; null if it must break. */
export function flat(doc: Doc): string | null {
  return mustBreak(doc) ? null : render(doc, Number.POSITIVE_INFINITY);
}

/** The first text in `doc`; empty if it has none. */
export function firstText(doc: Doc): string {
  if (typeof doc === 'string') return doc;
  if (isList(doc)) return doc.map(firstText).find((text) => text !== '') ?? '';
  if (doc.kind === 'nest' || doc.kind === 'group' || doc.kind === 'fit') return firstText(doc.body);
  return doc.kind === 'either' ? firstText(doc.flat) : '';
}

interface Command {
  readonly indent: number;
  readonly broken: boolean;
  readonly doc: Doc;
}

/**
 * Whether the text up to the next line break fits into `room`: `first` laid flat, then what follows it, whose groups may still
 * break at their first chance.
 */
function fits(room: number, first: Command, rest: readonly Command[]): boolean {
  const pending: Command[] = [first];
  let next = rest.length - 1;
  for (let left = room; left >= 0;) {
    const command = pending.pop() ?? (next >= 0 ? rest[next--] : undefined);
    if (command === undefined) return true;
    const { doc, broken, indent } = command;
    if (typeof doc === 'string') left -= doc.length;
    else if (isList(doc))
      for (const item of doc.toReversed()) pending.push({ indent, broken, doc: item });
    else if (doc.kind === 'hard-line') return true;
    else if (doc.kind === 'line') {
      if (broken) return true;
      left -= doc.flat.length;
    } else if (doc.kind === 'either')
      pending.push({ indent, broken, doc: broken ? doc.broken : doc.flat });
    else if (doc.kind === 'nest' || doc.kind === 'fit')
      pending.push({ indent, broken, doc: doc.body });
    else if (doc.kind === 'group')
      pending.push({ indent, broken: broken || doc.broken, doc: doc.body });
    else if (doc.kind === 'fill') left -= doc.items[0]?.length ?? 0;
  }
  return false;
}

/** The text of `doc`, in lines of at most `width` columns wherever breaks allow. */
export function render(root: Doc, width: number): string {
  const out: string[] = [];
  let column = 0;
  let indentation = 0;
  let suffixes = '';
  const commands: Command[] = [{ indent: 0, broken: true, doc: root }];
  const write = (text: string): void => {
    if (text === '') return;
    if (indentation > 0) out.push(' '.repeat(indentation));
    indentation = 0;
    out.push(text);
    column += text.length;
  };
  const breakLine = (indent: number, blank: boolean): void => {
    // Indentation waits for the text, so that no line ends in spaces.
    out.push(suffixes, blank ? '\n\n' : '\n');
    suffixes = '';
    indentation = indent;
    column = indent;
  };
  for (let command = commands.pop(); command !== undefined; command = commands.pop()) {
    const { doc, indent, broken } = command;
    if (typeof doc === 'string') write(doc);
    else if (isList(doc))
      for (const item of doc.toReversed()) commands.push({ indent, broken, doc: item });
    else if (doc.kind === 'hard-line') breakLine(indent, doc.blank);
    else if (doc.kind === 'line') {
      if (broken) breakLine(indent, false);
      else write(doc.flat);
    } else if (doc.kind === 'nest')
      commands.push({
        indent: doc.by === 'here' ? column : indent + doc.by,
        broken,
        doc: doc.body,
      });
    else if (doc.kind === 'fit')
      commands.push({ indent, broken, doc: column + doc.room <= width ? doc.body : doc.otherwise });
    else if (doc.kind === 'suffix') suffixes += `  ${doc.text}`;
    else if (doc.kind === 'fill') {
      for (const [index, item] of doc.items.entries()) {
        const last = index === doc.items.length - 1;
        const text = last ? item : `${item},`;
        if (index > 0 && column + text.length + 1 > width) breakLine(indent, false);
        else if (index > 0) write(' ');
        write(text);
      }
    } else if (doc.kind === 'either') {
      const flatCommand = { indent, broken: false, doc: doc.flat };
      const laidFlat = !mustBreak(doc.flat) && fits(width - column, flatCommand, commands);
      commands.push(laidFlat ? flatCommand : { indent, broken: true, doc: doc.broken });
    } else {
      const flatCommand = { indent, broken: false, doc: doc.body };
      const laidFlat = !broken
        ? !doc.broken
        : !doc.broken && fits(width - column, flatCommand, commands);
      commands.push(laidFlat ? flatCommand : { indent, broken: true, doc: doc.body });
    }
  }
  out.push(suffixes);
  return out.join('');
}
