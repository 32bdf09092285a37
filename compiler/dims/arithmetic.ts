// Arithmetic of dimensions, always in normal form: building, dividing, substituting and evaluating the polynomials of dim.ts.
// Nothing here knows assumptions; compiler/dims/prove.ts does.
//
// A dimension that cannot be represented (a number beyond 2^53, more terms than any program needs, a division by something
// not positive) is `undefinedDim`, which absorbs every operation and equals nothing, itself included: callers test `isDefined`.

export {
  add,
  atomKey,
  compareMonomials,
  constant,
  dimOf,
  divideMonomials,
  equal,
  evaluate,
  isConstant,
  isDefined,
  multiply,
  negate,
  numelOf,
  one,
  pack,
  power,
  quotientsOf,
  scale,
  subtract,
  sumOfTerms,
  undefinedDim,
  variable,
  variablesOf,
  zero,
} from './polynomials.ts';
export {
  exactDivide,
  floorDivide,
  gcd,
  remainder,
  shiftToZero,
  surelyNonNegative,
} from './division.ts';
export { mapAtoms, substitute } from './substitution.ts';
