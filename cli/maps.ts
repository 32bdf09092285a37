// `--map`: renamings of the tensors of a file, written on the command line or in a JSON file.

import { isProblem, problem, type Problem } from '../runtime/problem.ts';
import { parseRenaming, readRenamings, type Renaming } from '../runtime/renaming.ts';

/** `old=new` is a rule, anything else a file of them. */
export function renamingsOf(given: readonly string[] = []): readonly Renaming[] | Problem {
  const rules: Renaming[] = [];
  for (const text of given) {
    const more = text.includes('=') ? ruleOf(text) : readRenamings(text);
    if (isProblem(more)) return more;
    rules.push(...more);
  }
  return rules;
}

function ruleOf(text: string): readonly Renaming[] | Problem {
  const rule = parseRenaming(text);
  if (rule !== null) return [rule];
  return problem(
    'E0502',
    null,
    `\`--map ${text}\` is no renaming`,
    'write `--map OLD=NEW`, with as many `*` on one side as on the other',
  );
}
