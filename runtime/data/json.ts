// Tensors written as JSON, for `dlg run`: numbers and booleans in nested lists of equal lengths.

import { problem, showSizes, type Problem } from '../problem.ts';
import type { ArrayFile } from './array.ts';

export function readJson(name: string, text: string): ArrayFile | Problem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return problem(
      'E0502',
      name,
      `is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return fromNested(name, value);
}

function fromNested(name: string, value: unknown): ArrayFile | Problem {
  const shape: number[] = [];
  for (let level = value; Array.isArray(level); level = level[0]) shape.push(level.length);
  const flat: number[] = [];
  const visit = (part: unknown, depth: number): Problem | null => {
    if (depth < shape.length) {
      if (!Array.isArray(part) || part.length !== shape[depth])
        return problem(
          'E0502',
          name,
          `is not a full array: a list at depth ${depth + 1} does not have ${shape[depth]} elements as its first sibling has`,
        );
      for (const item of part) {
        const failed = visit(item, depth + 1);
        if (failed !== null) return failed;
      }
      return null;
    }
    if (typeof part !== 'number' && typeof part !== 'boolean')
      return problem('E0502', name, `holds ${JSON.stringify(part)} where a number should stand`);
    flat.push(Number(part));
    return null;
  };
  const failed = visit(value, 0);
  if (failed !== null) return failed;
  if (flat.length === 0) return problem('E0502', name, `is empty: ${showSizes(shape)}`);
  return { kind: 'array', type: 'number', shape, data: Float64Array.from(flat) };
}
