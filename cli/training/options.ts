// What `dlg train` is asked for.

import type { Sources } from '../../runtime/data/dataset.ts';
import type { DeviceOptions } from '../device.ts';
import type { TargetOptions } from '../targets.ts';

export interface TrainOptions extends DeviceOptions, TargetOptions {
  readonly block?: string;
  readonly data?: Sources;
  readonly test?: Sources;
  readonly validate?: Sources;
  readonly watch?: string;
  readonly patience?: number;
  readonly weights?: string;
  readonly map?: readonly string[];
  readonly freeze?: readonly string[];
  readonly only?: readonly string[];
  readonly epochs: number;
  readonly epochSteps?: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly resume?: boolean;
  readonly saveEvery?: number;
  readonly stepsPerRun?: number;
  readonly json?: boolean;
}
