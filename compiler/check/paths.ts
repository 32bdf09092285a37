// Names with dots where only definitions can stand: types and models, possibly of an imported file.

import type { Identifier, Path } from '../../grammar/ast.ts';
import { report } from '../diagnostics/diagnostic.ts';
import { names } from '../diagnostics/names.ts';
import { suggest } from '../diagnostics/suggest.ts';
import { exportedNames, lookUp, visibleNames, type Context, type Entity } from './context.ts';

/** Reports a name that nothing in `scope` has, with the nearest that something has. */
export function reportUnknown(
  context: Context,
  name: { readonly text: string; readonly span: Identifier['span'] },
  candidates: Iterable<string>,
): void {
  const near = suggest(name.text, candidates);
  context.report(
    report(names.E0201, {
      span: name.span,
      data: { name: name.text },
      help: near === null ? null : `did you mean \`${near}\`?`,
      fix: near === null ? [] : [{ span: name.span, newText: near }],
    }),
  );
}

/** Reports that `owner` has no member of that name. */
export function reportNoMember(
  context: Context,
  owner: string,
  name: Identifier,
  candidates: Iterable<string>,
): void {
  const near = suggest(name.text, candidates);
  context.report(
    report(names.E0203, {
      span: name.span,
      data: { owner, name: name.text },
      help: near === null ? null : `did you mean \`${near}\`?`,
      fix: near === null ? [] : [{ span: name.span, newText: near }],
    }),
  );
}

/** What `Dense` or `nn.Dense` means; null after a report. */
export function resolvePath(context: Context, path: Path): Entity | null {
  const [first, ...others] = path.parts;
  let entity = lookUp(context.scope, first.text);
  if (entity === null) {
    reportUnknown(context, first, visibleNames(context.scope));
    return null;
  }
  let owner = first.text;
  for (const part of others) {
    if (entity.kind === 'broken') return entity;
    const found: Entity | null =
      entity.kind === 'module' ? (exportedNames(entity.module).get(part.text) ?? null) : null;
    if (found === null) {
      const candidates = entity.kind === 'module' ? exportedNames(entity.module).keys() : [];
      reportNoMember(context, `\`${owner}\``, part, candidates);
      return null;
    }
    owner = `${owner}.${part.text}`;
    entity = found;
  }
  return entity;
}
