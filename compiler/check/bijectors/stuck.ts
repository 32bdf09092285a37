// What is said where the way back ends before x is known.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import { partsOf } from '../parts.ts';
import type { Local, TypedExpression } from '../typed.ts';
import { isBijectorCall } from './calls.ts';
import { dependsOnInput, localsOf, type Course, type Equation } from './course.ts';
import { missingPart } from './pieces.ts';

const verbs: Readonly<Record<string, string>> = {
  multiply: 'scales',
  divide: 'scales',
  add: 'shifts',
  subtract: 'shifts',
};

/** All locals that a value is computed from. */
function sources(course: Course, expression: TypedExpression, into = new Set<Local>()): Set<Local> {
  for (const local of localsOf(expression)) {
    if (into.has(local)) continue;
    into.add(local);
    const definition = course.definitions.get(local);
    if (definition !== undefined) sources(course, definition, into);
  }
  return into;
}

const unconverted = (expression: TypedExpression): TypedExpression =>
  expression.kind === 'convert' ? unconverted(expression.value) : expression;

const rearranging: ReadonlySet<string> = new Set([
  'halves',
  'unstack',
  'reverse',
  'transpose',
  'reshape',
  'flatten',
]);

/** Whether a value is the input, or a part of it, perhaps moved about or sent through bijectors. */
function isPartOfInput(course: Course, expression: TypedExpression): boolean {
  const again = (of: TypedExpression): boolean => isPartOfInput(course, of);
  switch (expression.kind) {
    case 'local': {
      const definition = course.definitions.get(expression.local);
      return expression.local === course.input || (definition !== undefined && again(definition));
    }
    case 'read':
    case 'project':
      return again(expression.target);
    case 'convert':
    case 'variable':
      return again(expression.value);
    case 'comprehension':
      return again(expression.body);
    case 'call':
      return isBijectorCall(expression) && again(expression.arguments[0]);
    case 'builtin':
      return rearranging.has(expression.builtin.name) && again(expression.arguments[0]);
    default:
      return false;
  }
}

/** The part of the input that an expression scales, shifts or bends; null for what is only computed from the input. */
function carried(course: Course, expression: TypedExpression): TypedExpression | null {
  if (isPartOfInput(course, expression)) return expression;
  if (expression.kind !== 'builtin' && expression.kind !== 'convert') return null;
  for (const part of partsOf(expression)) {
    const found = carried(course, part);
    if (found !== null) return found;
  }
  return null;
}

/** Why `part` cannot be got back although `other`, which changes it, is computed from `from`. */
function dependence(
  course: Course,
  part: TypedExpression,
  other: TypedExpression,
  verb: string,
): string {
  const [name, text] = [textOf(part.span), textOf(other.span)];
  const from = sources(course, other);
  if (localsOf(part).some((local) => from.has(local)))
    return `\`${name}\` ${verb} itself: \`${text}\` depends on it`;
  const whole = [...sources(course, part)].find(
    (local) => from.has(local) && local.type.kind === 'tensor',
  );
  return whole === undefined || carried(course, other) !== null
    ? `\`${name}\` and \`${text}\` are both unknown, and one equation does not give both back`
    : `\`${name}\` ${verb} itself: \`${text}\` depends on all of \`${whole.name}\``;
}

/** An equation that waits for what never came. */
function blocked(course: Course, { is }: Equation): Diagnostic {
  const at = unconverted(is);
  if (at.kind === 'binder')
    return report(bijectors.E0479, { span: at.span, data: { matrix: textOf(at.span) } });
  const operands = at.kind === 'builtin' ? at.arguments.map(unconverted) : [];
  const [first, second] = operands.filter((operand) => dependsOnInput(course, operand));
  if (at.kind !== 'builtin' || second === undefined) {
    const why = `\`${textOf(at.span)}\` is computed from what it should give back`;
    return report(bijectors.E0472, { span: at.span, data: { why } });
  }
  const [a, b] = [carried(course, first), carried(course, second)];
  const verb = verbs[at.builtin.name] ?? 'changes';
  const why =
    a === null ? dependence(course, b ?? second, first, verb) : dependence(course, a, second, verb);
  return report(bijectors.E0472, { span: at.span, data: { why } });
}

/** The local that stands for a field of a tuple, as `b` of `a, b = halves(x)`. */
function nameOfField(course: Course, tuple: Local, field: number): string | null {
  for (const [local, definition] of course.definitions)
    if (
      definition.kind === 'project' &&
      definition.field === field &&
      definition.target.kind === 'local' &&
      definition.target.local === tuple
    )
      return local.name;
  return null;
}

/** The refusal of a course that came to its end without its input. */
export function stuck(course: Course): Diagnostic {
  const [waiting] = course.agenda;
  if (waiting !== undefined) return blocked(course, waiting);
  const { input } = course;
  for (const [local, { fields, pieces }] of course.partial) {
    if (course.known.has(local)) continue;
    if (pieces.length > 0) {
      const data = { what: `${missingPart(course, local)} of \`${local.name}\`` };
      return report(bijectors.E0475, { span: pieces[0].span, data });
    }
    const count = local.type.kind === 'tuple' ? local.type.fields.length : 0;
    const missing = Array.from({ length: count }, (_, i) => i).find((i) => !fields.has(i)) ?? 0;
    const name = nameOfField(course, local, missing);
    const part = `a part of \`${input.name}\``;
    const what = name === null ? part : `\`${name}\`, ${part},`;
    return report(bijectors.E0475, { span: local.span, data: { what } });
  }
  return report(bijectors.E0475, {
    span: input.span,
    data: { what: `a part of \`${input.name}\`` },
  });
}
