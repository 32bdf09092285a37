import type { RuntimeText } from '../../compiler/emit/wgsl/module.ts';

export function bundleRuntime(): Promise<RuntimeText>;
