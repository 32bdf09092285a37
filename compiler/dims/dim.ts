// Dimensions: integer polynomials over named sizes and floor quotients, kept in normal form, so that two
// dimensions are equal exactly when their difference normalises to zero. The lowest part of the compiler: the checker proves
// with them, the IR's shapes are made of them. See docs/language.md, "Shapes".

/** A size whose value is not known: bound by a signature (rigid) or standing for one at a call (an unknown). */
export interface DimVar {
  readonly kind: 'variable';
  /** Unique in the process; two variables of one name differ by it. */
  readonly id: number;
  readonly name: string;
  /** Sizes are at least 1; a count such as a padding, declared with `where p >= 0`, may be 0. */
  readonly minimum: 0 | 1;
}

/** `..B`: zero or more dimensions, opaque but for their product. */
export interface PackVar {
  readonly kind: 'pack';
  readonly id: number;
  readonly name: string;
}

/** `floor(numerator / denominator)`; the denominator is a positive dimension. */
export interface Quotient {
  readonly kind: 'quotient';
  readonly numerator: Dim;
  readonly denominator: Dim;
  readonly key: string;
}

/** `numel(..B)`, the product of a pack. */
export interface PackSize {
  readonly kind: 'numel';
  readonly pack: PackVar;
}

export type Atom = DimVar | Quotient | PackSize;

/** `coefficient * product of atom^power`, atoms sorted by key. */
export interface Term {
  readonly coefficient: number;
  readonly factors: readonly { readonly atom: Atom; readonly power: number }[];
  readonly key: string;
}

/** A polynomial: terms sorted by key, no zero coefficients. Equal polynomials have equal keys. */
export interface Dim {
  readonly kind: 'dim';
  readonly terms: readonly Term[];
  readonly key: string;
}
