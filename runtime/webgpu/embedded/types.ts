// What the compiler tells the runtime of a WGSL program, and what the runtime takes and gives. Everything in this folder is carried by
// every artifact of `dlg build --target wgsl`: it imports nothing from outside, and is short before all else.

export type Numbers = Float32Array | Int32Array | Uint32Array | Uint8Array;
export type ElementType = 'f32' | 'i32' | 'u32' | 'bool';
export type Shape = readonly number[];
/** A number, or several, by the values of the free sizes. */
type OfSizes<T> = (sizes: Sizes) => T;
export type Sizes = ArrayLike<number>;

export interface Plan {
  /** The values of the free sizes from the inputs, in their order. */
  readonly sizes: (given: readonly Given[]) => readonly number[];
  readonly inputs: readonly PlanInput[];
  readonly outputs: readonly PlanOutput[];
  /** The paths of values that stay on the GPU from call to call, by the number of their buffer. */
  readonly held: Readonly<Record<number, string>>;
  /** How many elements, four bytes each, a buffer holds. After the last comes one for the sizes. */
  readonly slots: OfSizes<readonly number[]>;
  /** What lies in buffers from the start. */
  readonly tables?: readonly (readonly [slot: number, data: Numbers])[];
  /** WGSL modules by name; the entry point of each is called so too. */
  readonly code: Readonly<Record<string, string>>;
  readonly kernels: readonly PlanKernel[];
  /** Runs kernels by their numbers, where they do not run once each in their order. */
  readonly steps?: (run: (kernel: number) => void, sizes: Sizes) => void;
  /** What is copied at the end, in order, from buffer to buffer. */
  readonly copies?: readonly (readonly [from: number, to: number])[];
}

interface PlanPort {
  readonly name: string;
  readonly dtype: ElementType;
  /** NaN or undefined at an axis that depends on a size which is not known. */
  readonly shape: OfSizes<Shape>;
  readonly slot: number;
}

export interface PlanInput extends PlanPort {
  /** As it is declared, `fin(10)[B]`. */
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
  /** Buffers, one a binding. */
  readonly slots: readonly number[];
  readonly groups: OfSizes<number>;
}

/** An input: elements, or a buffer that has them. */
export type Given =
  | (HostTensor & { readonly dtype?: undefined })
  | {
      readonly data?: undefined;
      readonly buffer: GPUBuffer;
      readonly dtype: ElementType;
      readonly shape: Shape;
    };

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
