// A kernel to try a device with. It runs in a page too, so it uses nothing from outside its body.

export async function squares(device: GPUDevice, values: number[]): Promise<number[]> {
  const [mapRead, copySource, copyTarget, storage] = [0x1, 0x4, 0x8, 0x80];
  const size = values.length * 4;
  const buffer = device.createBuffer({ size, usage: storage | copySource | copyTarget });
  const result = device.createBuffer({ size, usage: mapRead | copyTarget });
  device.queue.writeBuffer(buffer, 0, Float32Array.from(values));
  const code =
    '@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n' +
    '@compute @workgroup_size(64) fn square(@builtin(global_invocation_id) id: vec3u) {\n' +
    '  if (id.x < arrayLength(&x)) { x[id.x] *= x[id.x]; }\n' +
    '}\n';
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(Math.ceil(values.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, result, 0, size);
  device.queue.submit([encoder.finish()]);
  await result.mapAsync(1);
  const squared = Array.from(new Float32Array(result.getMappedRange()));
  buffer.destroy();
  result.destroy();
  return squared;
}
