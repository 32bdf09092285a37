// Bijectors: the inverse of the main function and the logarithm of the absolute determinant of its Jacobian, as functions of the typed
// program. They are derived once for all sizes, from the body that the checker has typed, so `dlg check` says what cannot be
// inverted; and they are functions like any other, so all that comes after (differentiation included) needs no rule for them.

import { bijectors } from '../../diagnostics/bijectors.ts';
import { report } from '../../diagnostics/diagnostic.ts';
import { dimOf } from '../../dims/arithmetic.ts';
import { sizesOf } from '../../dims/linear.ts';
import type { Shape } from '../../dims/shape.ts';
import {
  once,
  recordUse,
  unknownType,
  type Context,
  type Derived,
  type FunctionInfo,
  type Signature,
  type SignatureParameter,
} from '../context.ts';
import { real, tensor } from '../convert.ts';
import { substituteFact } from '../requirements.ts';
import { noSignature } from '../signatures.ts';
import { substituteType } from '../substitute.ts';
import type { Local, TypedBody } from '../typed.ts';
import { typedFunction } from '../typed-function.ts';
import type { Type } from '../types.ts';
import { localOf, writerAt } from './construct.ts';
import {
  backStatements,
  boundBy,
  counted,
  localsIn,
  localsOf,
  newCourse,
  type Course,
} from './course.ts';
import { totalOf } from './terms.ts';
import { hoisted } from './hoist.ts';
import { impure } from './purity.ts';
import { stuck } from './stuck.ts';
import { undo } from './undo.ts';

/** The bodies of the derived functions; the locals of all are those of the main function, and `output`. */
interface Bodies {
  readonly inverse: TypedBody;
  readonly logdet: TypedBody;
  readonly inverseLogdet: TypedBody;
}

/** The axes of a value that number the examples: a pack in front, or a first axis whose size the signature binds. */
function batchOf(signature: Signature): Shape {
  const type = signature.parameters[0]?.type;
  const first = type?.kind === 'tuple' ? type.fields[0]?.type : type;
  const axis = first?.kind === 'tensor' ? first.shape[0] : undefined;
  if (axis === undefined) return [];
  if (axis.kind === 'pack') return [axis];
  const own = signature.quantified.some(
    (q) => q.kind === 'variable' && dimOf(q).key === axis.size.key,
  );
  return own ? [axis] : [];
}

const isReal = (type: Type): boolean =>
  type.kind === 'tensor'
    ? type.base.kind === 'real'
    : type.kind === 'tuple' && type.fields.every((field) => isReal(field.type));

/** Follows the equations back; false after a report, or where what is wrong is reported elsewhere. */
function follow(course: Course): boolean {
  for (let moved = true; moved;) {
    moved = false;
    for (const equation of course.agenda.splice(0)) {
      const outcome = undo(course, equation);
      if (outcome === 'later') course.agenda.push(equation);
      else if (outcome === 'done') moved = true;
      else {
        if (outcome !== 'broken') course.context.report(outcome);
        return false;
      }
    }
  }
  const arrived = course.agenda.length === 0 && course.known.has(course.input);
  if (!arrived) course.context.report(stuck(course));
  return arrived;
}

/** Whether every line of a body is there: one that was reported is not, and what it defines has no value. */
function isComplete({ session }: Context, body: TypedBody, signature: Signature): boolean {
  const given = signature.parameters.map(({ local }) => local);
  const bound = new Set([...given, ...body.statements.flatMap((s) => [...boundBy(s)])]);
  const read = [...body.statements.flatMap(localsIn), ...localsOf(body.result)];
  return read.every((local) => bound.has(local) || session.isStaticLocal(local));
}

function derivedBodies(context: Context, main: FunctionInfo, output: Local): Bodies | null {
  const body = main.typed.body();
  if (body === null || !isComplete(context, body, main.signature())) return null;
  const effect = impure(body);
  if (effect !== null) {
    context.report(effect);
    return null;
  }
  const signature = main.signature();
  const input = signature.parameters[0].local;
  const forward = hoisted(body);
  const inside = { ...context, assumptions: signature.assumptions };
  const course = newCourse(inside, input, batchOf(signature), forward, follow);
  const w = writerAt(inside, body.result.span);
  course.agenda.push({ known: localOf(w, output), is: forward.result, frame: null });
  if (!follow(course)) return null;
  return {
    inverse: { statements: course.statements, result: localOf(w, input) },
    logdet: {
      statements: counted(course, forward.statements),
      result: totalOf(w, course, 'forwards'),
    },
    inverseLogdet: {
      statements: counted(course, backStatements(course, forward)),
      result: totalOf(w, course, 'backwards'),
    },
  };
}

const brokenSignature = (signature: Signature): Signature => ({
  ...signature,
  parameters: signature.parameters.map((p) => ({ ...p, type: unknownType })),
  result: unknownType,
});

/**
 * The signature from results to the input. Sizes that `where` says to be multiples are bound by their quotients: [B, 2 H'] is got back from
 * [B, H'], where the forward direction has [B, H] and [B, H / 2].
 */
function backwardsSignature(signature: Signature, output: Local): Signature {
  const [first, ...others] = signature.parameters;
  const own = new Set(signature.quantified);
  const rewrites = new Map([...signature.assumptions.rewrites].filter(([v]) => own.has(v)));
  const declared = new Set([
    ...signature.quantified,
    ...signature.requirements.flatMap(({ fact }) => [
      ...sizesOf(fact.left),
      ...sizesOf(fact.right),
    ]),
  ]);
  const fresh = [...rewrites.values()].flatMap(sizesOf).filter((v) => !declared.has(v));
  const kept = signature.quantified.filter((q) => q.kind === 'pack' || !rewrites.has(q));
  const sizes = { dims: rewrites, packs: new Map() };
  const typed = (parameter: SignatureParameter): SignatureParameter => ({
    ...parameter,
    type: substituteType(parameter.type, sizes),
  });
  const given: SignatureParameter = {
    ...first,
    name: output.name,
    type: output.type,
    local: output,
    default: null,
  };
  return {
    ...signature,
    quantified: [...kept, ...new Set(fresh)],
    parameters: [given, ...others].map(typed),
    requirements: signature.requirements.map((r) => ({
      ...r,
      fact: substituteFact(r.fact, sizes),
    })),
    result: substituteType(first.type, sizes),
    resultNames: [first.name],
  };
}

/** A function of the same sizes and conditions as the main one. */
function derivedFunction(
  context: Context,
  main: FunctionInfo,
  name: string,
  signature: () => Signature,
  body: () => TypedBody | null,
): FunctionInfo {
  const read = once(signature, () => noSignature('function'));
  const result = (): Type => read().result ?? unknownType;
  const { node, module, owner } = main;
  const { span } = node;
  const rule = (): null => null;
  const typed = typedFunction(
    { name, span, documentation: null, exported: false, owner: main.typed.owner, body, rule },
    read,
    result,
  );
  const info: FunctionInfo = {
    node: { ...node, name: { text: name, span } },
    module,
    owner,
    typed,
    signature: read,
    result,
  };
  context.session.functions.set(typed, info);
  recordUse({ ...context, user: info }, main, span);
  return info;
}

/** The derived functions of the bijector whose main function is `main`. Nothing is computed before someone asks. */
export function derive(context: Context, main: FunctionInfo): Derived {
  const head = once(
    (): { readonly signature: Signature; readonly output: Local; readonly good: boolean } => {
      const signature = main.signature();
      const [first] = signature.parameters;
      const result = main.result();
      const span = main.node.result?.span ?? main.node.span;
      const name = signature.resultNames.length === 1 ? signature.resultNames[0] : null;
      const output: Local = { name: name ?? 'y', type: result, span };
      const known = result.kind !== 'unknown' && first?.type.kind !== 'unknown';
      const good = first !== undefined && isReal(first.type) && isReal(result);
      if (known && !good) {
        const why =
          first !== undefined && isReal(first.type)
            ? 'its result is not a tensor of reals'
            : 'its first parameter is not a tensor of reals';
        context.report(report(bijectors.E0470, { span: first?.span ?? span, data: { why } }));
      }
      return { signature, output, good };
    },
    () => ({
      signature: noSignature('function'),
      output: { name: 'y', type: unknownType, span: main.node.span },
      good: false,
    }),
  );
  const bodies = once(
    () => (head().good ? derivedBodies(context, main, head().output) : null),
    () => null,
  );
  const backwards = (): Signature => {
    const { signature, output, good } = head();
    return good ? backwardsSignature(signature, output) : brokenSignature(signature);
  };
  const counted = (of: Signature): Signature => ({
    ...of,
    result: head().good ? tensor(real, batchOf(head().signature)) : unknownType,
    resultNames: [null],
  });
  const make = (name: string, signature: () => Signature, body: keyof Bodies): FunctionInfo =>
    derivedFunction(context, main, name, signature, () => bodies()?.[body] ?? null);
  return {
    inverse: make('inverse', backwards, 'inverse'),
    logdet: make('logdet', () => counted(head().signature), 'logdet'),
    inverseLogdet: make('inverse.logdet', () => counted(backwards()), 'inverseLogdet'),
  };
}
