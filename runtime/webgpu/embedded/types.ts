// What the compiler tells the runtime of a WGSL program, and what the runtime takes and gives. Everything in this folder is carried by
// every artifact of `dlg build --target wgsl`: it imports nothing from outside, and is short before all else.

export type Numbers = Float32Array | Int32Array | Uint32Array | Uint8Array;
export type ElementType = 'f32' | 'i32' | 'u32' | 'bool';
export type Shape = readonly number[];
/** A number, or several, by the values of the free sizes. */
type OfSizes<T> = (sizes: readonly number[]) => T;

export interface Plan {
  /** The values of the free sizes from the shapes of the inputs; of an input that is a size itself, from its one element. */
  readonly sizes: (shapes: readonly ArrayLike<number>[]) => readonly number[];
  readonly inputs: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  /** The values that stay on the GPU from call to call, by path, and the buffer of each. */
  readonly held: readonly (readonly [path: string, slot: number])[];
  /** What is copied after the kernels, in order, from buffer to buffer. */
  readonly copies: readonly (readonly [from: number, to: number])[];
  /** How many elements, four bytes each, a buffer holds. */
  readonly slots: OfSizes<readonly number[]>;
  /** What lies in buffers from the start. */
  readonly tables: readonly { readonly slot: number; readonly data: Numbers }[];
  /** WGSL modules by name; the entry point of each is called so too. */
  readonly code: Readonly<Record<string, string>>;
  readonly kernels: readonly PlanKernel[];
  /** What runs, in order: a kernel by its number, or steps that run over and over. */
  readonly steps: readonly PlanStep[];
}

export type PlanStep =
  number | { readonly count: OfSizes<number>; readonly steps: readonly PlanStep[] };

interface PlanPort {
  readonly name: string;
  readonly dtype: ElementType;
  /** NaN or undefined at an axis that depends on a size which is not known. */
  readonly shape: OfSizes<Shape>;
  readonly slot: number;
}

export interface PlanInput extends PlanPort {
  /** The shape in words, `[B, 784]`. */
  readonly type: string;
  /** Of an index: its values are below. */
  readonly below?: OfSizes<number>;
  /** Of an input whose value is a size: the least that it may be. */
  readonly least?: number;
}

export interface PlanOutput extends PlanPort {
  /** Of an equation's output: it is 1 where it was solved. */
  readonly equation?: string;
}

export interface PlanKernel {
  readonly name: string;
  /** Buffers, one a binding; the sizes come after, where `readsSizes`. */
  readonly slots: readonly number[];
  readonly readsSizes: boolean;
  readonly groups: OfSizes<number>;
}

/** A tensor as results come, and as inputs may be given. */
export interface HostTensor {
  readonly data: Numbers;
  readonly shape: Shape;
}

/** A tensor that stays on the GPU until it is destroyed. */
export interface GpuTensor {
  readonly dtype: ElementType;
  readonly shape: Shape;
  readonly buffer: GPUBuffer;
  readonly read: () => Promise<HostTensor>;
  readonly destroy: () => void;
}

export type Feed = HostTensor | GpuTensor | Numbers | number | boolean;
export type Feeds = Readonly<Record<string, Feed>>;
