// A device that takes no more than a few workgroups a dimension, as WebGPU takes no more than 65,535: kernels are compiled with that limit
// where they have WebGPU's, and run in rows of so many workgroups, of which the last may be partly empty.

import { replace } from './replace.ts';

/** The limit that kernels and the runtime are written for. */
const written = 65535;

/** What a kernel skips for each row of workgroups. */
const perRow = /\bgroup\.y \* (\d+)u/;

export interface Dispatch {
  readonly kernel: string;
  /** How many workgroups are meant to run. */
  readonly groups: number;
  /** How many more run, since rows are whole. */
  readonly surplus: number;
}

export interface Folded {
  readonly device: GPUDevice;
  /** What ran since the last call, and forgets it. */
  readonly dispatched: () => Dispatch[];
}

export function folded(device: GPUDevice, most: number): Folded {
  const names = new WeakMap<GPUComputePipeline, string>();
  const hasLimit = new WeakMap<GPUShaderModule | GPUComputePipeline, boolean>();
  const dispatched: Dispatch[] = [];

  const watch = (pass: GPUComputePassEncoder): GPUComputePassEncoder => {
    let current: GPUComputePipeline | null = null;
    return replace(pass, {
      setPipeline(pipeline) {
        current = pipeline;
        return pass.setPipeline(pipeline);
      },
      dispatchWorkgroups(x, y = 1) {
        // Of more than 65,535 the exact number is not known here.
        if (y !== 1 || current === null) throw new Error(`${x} x ${y} workgroups`);
        if (x > 1 && hasLimit.get(current) !== true)
          throw new Error(`${names.get(current)} runs ${x} workgroups, and does not fold them`);
        const [columns, rows] = [Math.min(x, most), Math.ceil(x / most)];
        dispatched.push({
          kernel: names.get(current) ?? '',
          groups: x,
          surplus: columns * rows - x,
        });
        return pass.dispatchWorkgroups(columns, rows);
      },
    });
  };

  return {
    device: replace(device, {
      createShaderModule(descriptor) {
        const code = withLimit(descriptor.code, most);
        const module = device.createShaderModule({ ...descriptor, code });
        hasLimit.set(module, perRow.test(code));
        return module;
      },
      async createComputePipelineAsync(descriptor) {
        const { module, entryPoint = '' } = descriptor.compute;
        const pipeline = await device.createComputePipelineAsync(descriptor);
        names.set(pipeline, entryPoint);
        hasLimit.set(pipeline, hasLimit.get(module) === true);
        return pipeline;
      },
      createCommandEncoder(descriptor) {
        const encoder = device.createCommandEncoder(descriptor);
        return replace(encoder, {
          beginComputePass: (pass) => watch(encoder.beginComputePass(pass)),
        });
      },
    }),
    dispatched: () => dispatched.splice(0),
  };
}

/** The text with `most` workgroups a row: what it skips is 65,535 times one, or times the invocations of a workgroup. */
const withLimit = (code: string, most: number): string =>
  code.replaceAll(new RegExp(perRow, 'g'), (_, skipped: string) => {
    const invocations = Number(skipped) / written;
    if (!Number.isInteger(invocations)) throw new Error(`${skipped} workgroups a row`);
    return `group.y * ${most * invocations}u`;
  });
