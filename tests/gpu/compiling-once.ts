// A device that compiles a text once, in however many programs it is: that is what takes SwiftShader the most time.

import { replace } from './replace.ts';

/** For modules with one entry point each. */
export function compilingOnce(device: GPUDevice): GPUDevice {
  const modules = new Map<string, GPUShaderModule>();
  const pipelines = new Map<GPUShaderModule, Promise<GPUComputePipeline>>();
  return replace(device, {
    createShaderModule(descriptor) {
      const module = modules.get(descriptor.code) ?? device.createShaderModule(descriptor);
      modules.set(descriptor.code, module);
      return module;
    },
    createComputePipelineAsync(descriptor) {
      const { module } = descriptor.compute;
      const pipeline = pipelines.get(module) ?? device.createComputePipelineAsync(descriptor);
      pipelines.set(module, pipeline);
      return pipeline;
    },
  });
}
