// What `dlg build` and `dlg train` write of a program, by file name, for the targets that are asked for.

import type { Tensor } from '../compiler/ir/tensor.ts';
import { exportOnnx, exportWgsl } from '../compiler/pipeline.ts';
import type { CompiledProgram } from '../compiler/program.ts';
import { wgslTarget, type TargetOptions } from './targets.ts';

/** `weights`: to be inside ONNX models; `weightsFile`: what lies beside the module of WGSL, which reads it. */
export interface Learnt {
  readonly weights?: ReadonlyMap<string, Tensor>;
  readonly weightsFile: string | null;
}

export async function artifacts(
  program: CompiledProgram,
  options: TargetOptions & { readonly steps?: number },
  { weights, weightsFile }: Learnt,
): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const { target, steps } = options;
  const models = target.includes('onnx') ? exportOnnx(program, { weights, steps }) : [];
  if (!target.includes('wgsl')) return new Map(models);
  const { runtimeText } = await import('./wgsl-runtime/runtime-text.ts');
  const texts = exportWgsl(program, {
    target: wgslTarget(options),
    runtime: await runtimeText(),
    weights: weightsFile,
  });
  return new Map<string, Uint8Array | string>([...models, ...texts]);
}
