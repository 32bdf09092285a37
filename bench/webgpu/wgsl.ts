// A program's WGSL with the sizes of one task put in, as JSON for peers/dlg.mjs.

import type { AdapterClass } from '../../compiler/emit/wgsl/adapter.ts';
import { emitWgsl } from '../../compiler/emit/wgsl/emit.ts';
import { planOf } from '../../runtime/webgpu/plan.ts';
import { compiledTask, type Task } from '../tasks.ts';

export function wgslOf(task: Task, adapter: AdapterClass): string {
  const program = compiledTask(task);
  const graph = task.x === undefined ? program.functions[0].graph : program.trains[0].step;
  const emitted = emitWgsl(graph, { adapter });
  const plan = planOf(emitted);
  // The only free size of these programs is that of the batch.
  const sizes = emitted.sizes.map(() => task.x?.[0] ?? 1);
  return JSON.stringify({
    sizes,
    slots: plan.slots(sizes),
    inputs: plan.inputs.map(({ name, slot }) => ({ name, slot })),
    outputs: plan.outputs.map(({ name, slot }) => ({ name, slot })),
    tables: emitted.tables.map(({ slot, value }) => ({
      slot,
      dtype: value.dtype,
      data: [...value.data],
    })),
    kernels: emitted.kernels.map(({ name, code, slots, readsSizes }, i) => ({
      name,
      code,
      slots,
      readsSizes,
      groups: plan.kernels[i].groups(sizes),
    })),
  });
}
