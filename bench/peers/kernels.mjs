// DLG's kernels on a device, for all that measures them: pipelines with their bindings, dispatches, and what a step hands to the next.

/** A kernel that may be dispatched; `sizes`, the buffer of the free sizes, is bound last where the kernel reads it. */
export async function ready(device, { code, name, slots, readsSizes }, buffers, sizes) {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: name },
  });
  const bound = [...slots.map((slot) => buffers[slot]), ...(readsSizes ? [sizes] : [])];
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return { pipeline, bindings };
}

/** The most workgroups a dimension: more are folded into rows of so many. */
const most = 65535;

/** Dispatches so many workgroups of a kernel, `times` times. */
export function dispatch(pass, { pipeline, bindings }, groups, times = 1) {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  for (let i = 0; i < times; i++)
    pass.dispatchWorkgroups(Math.min(groups, most), Math.ceil(groups / most));
}

/** From the slots of results to those where the next step looks for them. */
export const copiesOf = ({ inputs, outputs }) =>
  outputs.flatMap(({ name, slot }) => {
    const next = inputs.find((input) => `${input.name}.next` === name);
    return next === undefined || next.slot === slot ? [] : [[slot, next.slot]];
  });
