// What is said where the way back ends before x is known.

import { textOf } from '../../../grammar/source.ts';
import { bijectors } from '../../diagnostics/bijectors.ts';
import { report, type Diagnostic } from '../../diagnostics/diagnostic.ts';
import { partsOf } from '../parts.ts';
import type { Local, TypedExpression } from '../typed.ts';
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

/** How far a value is from being an element of the input: the operand that is undone is the simpler one. */
const weight = (expression: TypedExpression): number =>
  partsOf(expression).reduce((sum, part) => sum + weight(part), expression.kind === 'call' ? 9 : 1);

const unconverted = (expression: TypedExpression): TypedExpression =>
  expression.kind === 'convert' ? unconverted(expression.value) : expression;

/** An equation that waits for what never came. */
function blocked(course: Course, { is }: Equation): Diagnostic {
  const at = unconverted(is);
  const operands = at.kind === 'builtin' ? at.arguments.map(unconverted) : [];
  const [main, other] = operands
    .filter((operand) => dependsOnInput(course, operand))
    .toSorted((a, b) => weight(a) - weight(b));
  if (at.kind !== 'builtin' || main === undefined || other === undefined) {
    if (at.kind === 'binder')
      return report(bijectors.E0479, { span: at.span, data: { matrix: textOf(at.span) } });
    const why = `\`${textOf(at.span)}\` is computed from what it should give back`;
    return report(bijectors.E0472, { span: at.span, data: { why } });
  }
  const [mainText, otherText] = [textOf(main.span), textOf(other.span)];
  const verb = verbs[at.builtin.name] ?? 'changes';
  const from = sources(course, other);
  const own = sources(course, main);
  const base = [...own].filter((local) => from.has(local));
  const direct = localsOf(main).some((local) => from.has(local));
  const via = base.map((local) => `\`${local.name}\``)[0];
  const why = direct
    ? `\`${mainText}\` ${verb} itself: \`${otherText}\` depends on it`
    : via === undefined
      ? `\`${otherText}\` and \`${mainText}\` wait for each other`
      : `\`${mainText}\` ${verb} itself: \`${otherText}\` depends on all of ${via}`;
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
      const data = { name: local.name, what: missingPart(course, local) };
      return report(bijectors.E0475, { span: pieces[0].span, data });
    }
    const count = local.type.kind === 'tuple' ? local.type.fields.length : 0;
    const missing = Array.from({ length: count }, (_, i) => i).find((i) => !fields.has(i)) ?? 0;
    const name = nameOfField(course, local, missing);
    const what = name === null ? 'a part' : `\`${name}\`, a part`;
    return report(bijectors.E0475, { span: local.span, data: { name: input.name, what } });
  }
  return report(bijectors.E0475, { span: input.span, data: { name: input.name, what: 'a part' } });
}
