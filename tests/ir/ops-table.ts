// Writes docs/ops.md, the reference of the intermediate representation's operations, from the registry. What ONNX operators an
// operation becomes is seen by running its lowerings on every case. A test fails when the file is stale.
//
//     npx tsx tests/ir/ops-table.ts

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { isConstant } from '../../compiler/dims/arithmetic.ts';
import type { OnnxBuilder } from '../../compiler/emit/onnx/builder-types.ts';
import type { Op } from '../../compiler/ir/op.ts';
import { registry } from '../../compiler/ir/registry.ts';
import { nodeGraph, notRun } from './conformance-cases.ts';

export const tableFile = fileURLToPath(new URL('../../docs/ops.md', import.meta.url));

/** Writes nothing, and keeps the operators' names. */
function recorder(operators: Set<string>): OnnxBuilder {
  let last = 0;
  const fresh = (): string => `t${last++}`;
  const many = (count: number): string[] => Array.from({ length: count }, fresh);
  const builder: OnnxBuilder = {
    node: (opType) => {
      operators.add(opType);
      return fresh();
    },
    nodes: (opType, _inputs, outputs) => {
      operators.add(opType);
      return many(outputs);
    },
    constant: fresh,
    scalar: fresh,
    int64s: fresh,
    shape: fresh,
    dim: fresh,
    staticDim: isConstant,
    call: (_name, inputs, _outputs, define) => define(builder, inputs),
  };
  return builder;
}

/** The ONNX operators that the cases of `op` become, in order of appearance. */
export function onnxOperators(op: Op): readonly string[] {
  const operators = new Set<string>();
  for (const of of op.cases) {
    const { inputs, outputs } = nodeGraph({ name: of.name, op, of });
    op.onnx({
      onnx: recorder(operators),
      names: inputs.map((_, i) => `x${i}`),
      inputs,
      outputs,
      attributes: of.attributes,
      subgraph: () => {
        throw new Error('no case has a body');
      },
    });
  }
  return [...operators];
}

export interface Row {
  readonly name: string;
  readonly operands: string;
  readonly meaning: string;
  readonly gradient: string;
  readonly onnx: string;
  readonly tests: string;
}

function rowOf(op: Op): Row {
  const operators = onnxOperators(op);
  return {
    name: `\`${op.name}\``,
    operands: op.operands.length === 0 ? 'none' : op.operands.map((x) => `\`${x}\``).join(', '),
    meaning: op.doc,
    gradient: op.gradient.kind === 'rule' ? 'yes' : `none: ${op.gradient.why}`,
    onnx:
      op.cases.length > 0 && operators.length === 0
        ? 'a constant'
        : operators.join(', ') || (op.name in notRun ? 'expanded before' : ''),
    tests:
      op.cases.length > 0
        ? `${op.cases.length} case${op.cases.length > 1 ? 's' : ''}`
        : (notRun[op.name] ?? ''),
  };
}

export const rows = (): readonly Row[] => Object.values(registry).map(rowOf);

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export function opsTable(): string {
  const lines = rows().map((row) => `| ${Object.values(row).map(escaped).join(' | ')} |`);
  return [
    '# Operations of the intermediate representation',
    '',
    'Written by `npx tsx tests/ir/ops-table.ts` from `compiler/ir/registry.ts`; do not edit. Names and semantics are those of',
    'StableHLO where it has the operation. Shapes are explicit: nothing broadcasts but `broadcast_in_dim`. The ONNX column lists',
    'the operators that the test cases become (opset 21). Every case is compared with values that JAX computed in float64, with finite',
    'differences of its first and of its second derivative, and with ONNX Runtime, which runs it and its derivative, with known',
    'and with free sizes.',
    '',
    '| Operation | Operands | Meaning | Gradient | ONNX | Tests |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(tableFile, opsTable());
