// The kernels of a program as text to read, or to use elsewhere: each is a WGSL module of its own, below a line that says when it runs,
// on how many workgroups, and what is bound to it.

import { showDim } from '../../dims/show.ts';
import type { ProgramStep, WgslProgram } from './emit.ts';

export function kernelListing(program: WgslProgram): string {
  const { name, kernels, sizes } = program;
  const times = timesOf(program.steps);
  const head = `// ${name}: ${kernels.length === 1 ? '1 kernel' : `${kernels.length} kernels, in the order they run`}${sizes.length === 0 ? '' : `; dims holds ${sizes.map((size) => size.name).join(', ')}`}.\n`;
  const parts = kernels.map(({ name: kernel, code, groups }, i) => {
    const repeated = times[i] === '' ? '' : `, ${times[i]}`;
    return `// ---- ${i + 1}. ${kernel}, workgroups: ${showDim(groups)}${repeated}\n\n${code}`;
  });
  return [head, ...parts].join('\n');
}

/** How often each kernel runs, where it is not once. */
function timesOf(steps: readonly ProgramStep[], outer: readonly string[] = []): string[] {
  return steps.flatMap((step) =>
    'kernel' in step
      ? [outer.length === 0 ? '' : `${outer.join(' x ')} times`]
      : timesOf(step.steps, [...outer, showDim(step.count)]),
  );
}
