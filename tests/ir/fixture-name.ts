// Which fixture a conformance case is compared to. A file of its own, so that making the fixtures does not need them.

import type { Attributes } from '../../compiler/ir/graph.ts';
import type { Case, Op } from '../../compiler/ir/op.ts';

export const fixtureNameOf = (op: Op, of: Case<Attributes>): string =>
  of.fixture ?? `${op.name}/${of.name}`;
