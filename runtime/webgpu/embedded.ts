// The runtime of a WGSL program: buffers, bindings, one encoder and one submission a call. It imports nothing, since every artifact of
// `dlg build --target wgsl` carries it; the executor of `--device webgpu` runs on the same code.

export type Numbers = Float32Array | Int32Array | Uint32Array | Uint8Array;
export type ElementType = 'f32' | 'i32' | 'u32' | 'bool';

export interface Plan {
  /** The values of the free sizes from the shapes of the inputs; NaN where there is none. */
  readonly solve: (shapes: readonly (readonly number[])[]) => readonly number[];
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
  /** How many elements each buffer holds; buffer i is that of input i. */
  readonly slots: (sizes: readonly number[]) => readonly number[];
  /** What lies in buffers from the start. */
  readonly tables: readonly { readonly slot: number; readonly data: Numbers }[];
  readonly kernels: readonly PlanKernel[];
  /** What runs, in order: a kernel by its number, or steps that run over and over. */
  readonly steps: readonly PlanStep[];
}

export type PlanStep =
  | number
  | { readonly count: (sizes: readonly number[]) => number; readonly steps: readonly PlanStep[] };

export interface PlanPort {
  readonly name: string;
  readonly dtype: ElementType;
  /** The shape in words, `[B, 784]`. */
  readonly type: string;
  readonly shape: (sizes: readonly number[]) => readonly number[];
  readonly slot: number;
  /** Its value is a size that no shape shows. */
  readonly isSize: boolean;
}

export interface PlanKernel {
  /** A WGSL module with the entry point `name`. */
  readonly code: string;
  readonly name: string;
  /** Buffers, one a binding; the sizes come after, where `readsSizes`. */
  readonly slots: readonly number[];
  readonly readsSizes: boolean;
  readonly groups: (sizes: readonly number[]) => number;
}

export interface HostTensor {
  readonly dtype?: ElementType;
  readonly shape: readonly number[];
  readonly data: Numbers | Float64Array;
}

export interface GpuProgram {
  readonly run: (
    feeds: Readonly<Record<string, HostTensor>>,
  ) => Promise<Record<string, HostTensor>>;
  readonly dispose: () => void;
}

/** Buffers and bindings for one choice of sizes. */
interface Prepared {
  readonly buffers: readonly GPUBuffer[];
  readonly sizes: GPUBuffer;
  readonly bindings: readonly GPUBindGroup[];
  readonly groups: readonly number[];
  readonly staging: GPUBuffer;
}

const arrays = { f32: Float32Array, i32: Int32Array, u32: Uint32Array, bool: Uint8Array } as const;
const mostGroups = 65535;
const usage = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 };

/** Compiles the kernels. Rejects with an Error that says what WebGPU does not accept. */
export async function createProgram(device: GPUDevice, plan: Plan): Promise<GpuProgram> {
  let lost: string | null = null;
  void device.lost.then(({ message }) => (lost = message || 'the device was destroyed'));
  const pipelines = await Promise.all(plan.kernels.map((kernel) => compile(device, kernel)));
  const prepared = new Map<string, Prepared>();
  let last: Promise<unknown> = Promise.resolve();

  const prepare = (sizes: readonly number[]): Prepared => {
    const key = sizes.join();
    const known = prepared.get(key);
    if (known !== undefined) return known;
    for (const old of prepared.values()) release(old);
    prepared.clear();
    const made = allocate(device, plan, pipelines, sizes);
    prepared.set(key, made);
    return made;
  };

  const run: GpuProgram['run'] = async (feeds) => {
    if (lost !== null) throw new Error(`the GPU is lost: ${lost}`);
    const sizes = fit(plan, feeds);
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    const state = prepare(sizes);
    plan.inputs.forEach(({ name, dtype }, i) =>
      upload(device, state.buffers[i], dtype, feeds[name]),
    );
    device.queue.submit([encode(device, plan, pipelines, state, sizes)]);
    const errors = [await device.popErrorScope(), await device.popErrorScope()];
    for (const error of errors)
      if (error !== null) throw new Error(`the GPU refused the program: ${error.message}`);
    return download(plan, state, sizes);
  };

  return {
    run(feeds) {
      const result = last.then(() => run(feeds));
      last = result.catch(() => {});
      return result;
    },
    dispose() {
      for (const state of prepared.values()) release(state);
      prepared.clear();
    },
  };
}

async function compile(device: GPUDevice, { code, name }: PlanKernel): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code, label: name });
  return device.createComputePipelineAsync({
    label: name,
    layout: 'auto',
    compute: { module, entryPoint: name },
  });
}

/** The free sizes; throws an Error that names the input that does not fit. */
function fit(
  { inputs, solve }: Plan,
  feeds: Readonly<Record<string, HostTensor>>,
): readonly number[] {
  const shapes = inputs.map(({ name, type, shape, isSize }) => {
    const feed = feeds[name];
    if (feed === undefined) throw new Error(`input ${name} is missing: ${type}`);
    const rank = shape([]).length;
    if (feed.shape.length !== rank)
      throw new Error(`input ${name} is [${feed.shape.join(', ')}], but ${type} is expected`);
    return isSize ? [Number(feed.data[0])] : feed.shape;
  });
  const sizes = solve(shapes);
  const wrong = sizes.some((size) => !Number.isInteger(size) || size < 0);
  const given = inputs.findIndex(({ isSize }, i) => isSize && (wrong || shapes[i][0] < 1));
  if (given >= 0)
    throw new Error(`input ${inputs[given].name} is ${shapes[given][0]}, which is no size`);
  inputs.forEach(({ name, type, shape, dtype }, i) => {
    const expected = shape(sizes);
    const fits = expected.every((size, axis) => size === shapes[i][axis] && size >= 0);
    const given = feeds[name];
    if (!fits)
      throw new Error(
        `input ${name} is [${shapes[i].join(', ')}], but ${type} is expected, here [${expected.join(', ')}]`,
      );
    if (given.data.length !== count(expected))
      throw new Error(`input ${name} has ${given.data.length} elements, not ${count(expected)}`);
    if (given.dtype !== undefined && given.dtype !== dtype)
      throw new Error(`input ${name} is ${given.dtype}, but ${dtype} is expected`);
  });
  return sizes;
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function allocate(
  device: GPUDevice,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  sizes: readonly number[],
): Prepared {
  const create = (elements: number, use: number): GPUBuffer =>
    device.createBuffer({ size: Math.max(4, elements * 4), usage: use });
  const { storage, copySource, copyTarget } = usage;
  const buffers = plan.slots(sizes).map((n) => create(n, storage | copySource | copyTarget));
  for (const { slot, data } of plan.tables) device.queue.writeBuffer(buffers[slot], 0, wide(data));
  const dims = create(Math.max(4, sizes.length), usage.uniform | copyTarget);
  device.queue.writeBuffer(dims, 0, Uint32Array.from(sizes));
  const bindings = plan.kernels.map(({ slots, readsSizes }, i) => {
    const bound = [...slots.map((slot) => buffers[slot]), ...(readsSizes ? [dims] : [])];
    return device.createBindGroup({
      layout: pipelines[i].getBindGroupLayout(0),
      entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  });
  const read = plan.outputs.reduce((sum, { shape }) => sum + count(shape(sizes)), 0);
  return {
    buffers,
    sizes: dims,
    bindings,
    groups: plan.kernels.map(({ groups }) => groups(sizes)),
    staging: create(read, usage.mapRead | copyTarget),
  };
}

function release({ buffers, sizes, staging }: Prepared): void {
  for (const buffer of [...buffers, sizes, staging]) buffer.destroy();
}

/** Four bytes an element; a buffer of shared memory cannot be written from. */
function wide(data: Numbers | Float64Array): ArrayBufferView<ArrayBuffer> {
  if (data instanceof Uint8Array) return Uint32Array.from(data);
  if (data instanceof Float64Array) return Float32Array.from(data);
  return data.buffer instanceof ArrayBuffer ? (data as Float32Array<ArrayBuffer>) : data.slice();
}

function upload(
  device: GPUDevice,
  buffer: GPUBuffer,
  dtype: ElementType,
  { data }: HostTensor,
): void {
  if (data.length === 0) return;
  const fitting =
    dtype === 'bool' || data instanceof arrays[dtype] ? data : arrays[dtype].from(data);
  device.queue.writeBuffer(buffer, 0, wide(fitting));
}

function encode(
  device: GPUDevice,
  plan: Plan,
  pipelines: readonly GPUComputePipeline[],
  { buffers, bindings, groups, staging }: Prepared,
  sizes: readonly number[],
): GPUCommandBuffer {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const dispatch = (i: number): void => {
    if (groups[i] === 0) return;
    pass.setPipeline(pipelines[i]);
    pass.setBindGroup(0, bindings[i]);
    pass.dispatchWorkgroups(Math.min(groups[i], mostGroups), Math.ceil(groups[i] / mostGroups));
  };
  const runAll = (steps: readonly PlanStep[]): void => {
    for (const step of steps)
      if (typeof step === 'number') dispatch(step);
      else for (let n = step.count(sizes); n > 0; n--) runAll(step.steps);
  };
  runAll(plan.steps);
  pass.end();
  let offset = 0;
  for (const { slot, shape } of plan.outputs) {
    const bytes = count(shape(sizes)) * 4;
    if (bytes > 0) encoder.copyBufferToBuffer(buffers[slot], 0, staging, offset, bytes);
    offset += bytes;
  }
  return encoder.finish();
}

async function download(
  { outputs }: Plan,
  { staging }: Prepared,
  sizes: readonly number[],
): Promise<Record<string, HostTensor>> {
  await staging.mapAsync(1);
  const bytes = staging.getMappedRange().slice(0);
  staging.unmap();
  let offset = 0;
  const results = outputs.map(({ name, dtype, shape }) => {
    const dims = shape(sizes);
    const size = count(dims);
    const words =
      dtype === 'bool'
        ? new Uint32Array(bytes, offset, size)
        : new arrays[dtype](bytes, offset, size);
    offset += size * 4;
    const data = dtype === 'bool' ? Uint8Array.from(words) : words;
    return [name, { dtype, shape: dims, data }] as const;
  });
  return Object.fromEntries(results);
}
