// What tensors of a foreign file are called in the program: rules such as `fc1 = net.l1`, or `layers.*.weight = net.steps.*.W`, and
// a file of them.

import { readBytes } from './files.ts';
import { isProblem, problem, type Problem } from './problem.ts';

/**
 * A name of the file, or the beginning of several, and the path that takes its place; null leaves them out. A `*` stands for one part
 * between dots, the same on both sides.
 */
export interface Renaming {
  readonly from: string;
  readonly to: string | null;
  /** The axes of the file in the order of the program. */
  readonly transpose: readonly number[] | null;
}

/** What a rule makes of a name. */
export interface Renamed {
  readonly path: string | null;
  readonly rule: Renaming | null;
}

const partsOf = (name: string): readonly string[] => (name === '' ? [] : name.split('.'));

/** `old=new`; null for what is not of that form, or has stars on one side that the other lacks. */
export function parseRenaming(text: string): Renaming | null {
  const [from, to, ...more] = text.split('=').map((part) => part.trim());
  if (from === undefined || to === undefined || more.length > 0 || `${from}${to}` === '')
    return null;
  return checked({ from, to, transpose: null });
}

const stars = (name: string | null): number =>
  partsOf(name ?? '').filter((part) => part === '*').length;

const checked = (rule: Renaming): Renaming | null =>
  rule.to === null || stars(rule.from) === stars(rule.to) ? rule : null;

/** The rules of a JSON file: `{ "fc1": "net.l1", "fc1.weight": { "to": "net.l1.W", "transpose": [1, 0] }, "head": null }`. */
export function readRenamings(path: string): readonly Renaming[] | Problem {
  const bytes = readBytes(path);
  if (isProblem(bytes)) return bytes;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return problem('E0502', path, `is not JSON: ${why}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return problem('E0502', path, 'is not an object from names of the file to paths', example);
  const rules = Object.entries(value).map(([from, to]) => ({ from, rule: ruleOf(from, to) }));
  const wrong = rules.find(({ rule }) => rule === null);
  if (wrong !== undefined)
    return problem('E0502', path, `says of ${wrong.from} what is no rule`, example);
  return rules.flatMap(({ rule }) => rule ?? []);
}

const example =
  'rules are like "fc1": "net.l1", "blocks.*.w": "net.steps.*.W", "fc1.weight": { "to": "net.l1.W", "transpose": [1, 0] }, "head": null';

function ruleOf(from: string, value: unknown): Renaming | null {
  if (value === null || typeof value === 'string')
    return checked({ from, to: value, transpose: null });
  if (typeof value !== 'object' || !('to' in value) || typeof value.to !== 'string') return null;
  const { to } = value;
  const transpose = 'transpose' in value ? value.transpose : null;
  if (transpose === null) return checked({ from, to, transpose });
  return isPermutation(transpose) ? checked({ from, to, transpose }) : null;
}

const isPermutation = (value: unknown): value is readonly number[] =>
  Array.isArray(value) &&
  value.every((axis) => Number.isSafeInteger(axis)) &&
  [...value].sort((a, b) => a - b).every((axis, i) => axis === i);

/** The name by the rule that says most of it, the last of equals; itself where none does. */
export function rename(name: string, rules: readonly Renaming[]): Renamed {
  let best: (Renamed & { readonly rule: Renaming; readonly length: number }) | null = null;
  for (const rule of rules) {
    const length = partsOf(rule.from).length;
    const path = renamedBy(rule, name);
    if (path === undefined || (best !== null && best.length > length)) continue;
    best = { path, rule, length };
  }
  return best ?? { path: name, rule: null };
}

/** Undefined where the rule does not speak of the name. */
function renamedBy({ from, to }: Renaming, name: string): string | null | undefined {
  const [pattern, parts] = [partsOf(from), partsOf(name)];
  if (pattern.length > parts.length) return undefined;
  if (!pattern.every((part, i) => part === '*' || part === parts[i])) return undefined;
  if (to === null) return null;
  const held = parts.filter((_, i) => pattern[i] === '*');
  const start = partsOf(to).map((part) => (part === '*' ? (held.shift() ?? part) : part));
  return [...start, ...parts.slice(pattern.length)].join('.');
}
