export interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
}

export function ready(
  device: GPUDevice,
  kernel: {
    readonly code: string;
    readonly name: string;
    readonly slots: readonly number[];
    readonly readsSizes: boolean;
  },
  buffers: readonly GPUBuffer[],
  sizes: GPUBuffer | null,
): Promise<Ready>;

export function dispatch(
  pass: GPUComputePassEncoder,
  kernel: Ready,
  groups: number,
  times?: number,
): void;

interface Place {
  readonly name: string;
  readonly slot: number;
}

export function copiesOf(plan: {
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
}): readonly (readonly [number, number])[];
