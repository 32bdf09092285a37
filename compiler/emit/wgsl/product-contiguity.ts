// How the factors of a product lie in memory: tiles are loaded so that neighbours read side by side.

import { equal, one } from '../../dims/arithmetic.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { flatten, type Index } from './indices.ts';
import type { Product } from './lowering.ts';
import { createWalk, nowhere, type Network } from './network.ts';

/** Along what each factor lies side by side: lhs along its rows or its terms, rhs along its columns or its terms. */
export interface Contiguity {
  readonly rows: 'rows' | 'sum';
  readonly columns: 'columns' | 'sum';
}

export function contiguity(
  network: Network,
  isLoaded: (value: Value) => boolean,
  node: Node,
  product: Product,
): Contiguity {
  const at = {
    batch: network.indexOver(product.batch, 'batch'),
    rows: network.indexOver(product.rows, 'row'),
    columns: network.indexOver(product.columns, 'column'),
    sum: network.indexOver(product.sum, 'sum'),
  };
  const positionOf = (space: 'rows' | 'columns'): Index | null => {
    let found: Index | null = null;
    const walk = createWalk(network, isLoaded, (value, index) => {
      found ??= flatten(index, value.shape);
    });
    const read = (operand: number, index: readonly Index[]): string => {
      walk(node.inputs[operand], index);
      return 'x';
    };
    if (space === 'rows') product.lhs(at, { read, code: nowhere });
    else product.rhs(at, { read, code: nowhere });
    return found;
  };
  const along = <Own extends 'rows' | 'columns'>(space: Own): Own | 'sum' => {
    const position = positionOf(space);
    const isStep = position === null || stepsBy(position, at[space], product[space]);
    return isStep || !stepsBy(position, at.sum, product.sum) ? space : 'sum';
  };
  return { rows: along('rows'), columns: along('columns') };
}

/** Whether the position moves by one with one of the indices. */
const stepsBy = (position: Index, indices: readonly Index[], shape: readonly Dim[]): boolean =>
  indices.some(
    (index, axis) =>
      !equal(shape[axis], one) &&
      position.terms.some(
        ({ key, coefficient }) => coefficient === 1 && key === index.terms[0].key,
      ),
  );
