// The runtime of artifacts as text. dist/dlg.js has it inside, as cli/bundle.mjs put it there; from the sources it is bundled afresh.

import type { RuntimeText } from '../../compiler/emit/wgsl/module.ts';

export const runtimeText = async (): Promise<RuntimeText> =>
  process.env.DLG_WGSL_RUNTIME === undefined
    ? (await import('./bundle.mjs')).bundleRuntime()
    : JSON.parse(process.env.DLG_WGSL_RUNTIME);
