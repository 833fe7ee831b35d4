import type { ConformanceCase } from '../case';
import { CALLING_BACK } from './calling-back';
import { FORGERIES } from './forgeries';
import { GENUINE } from './genuine';
import { GUARD_CASES } from './guards';
import { REPEATS } from './repeats';
import { SECRET_CASES } from './secrets';
import { TIME_AND_SIZE } from './time-and-size';
import { UNUSABLE } from './unusable';

/** All cases, by group. */
export const CASES: readonly ConformanceCase[] = [
  ...GENUINE,
  ...FORGERIES,
  ...UNUSABLE,
  ...TIME_AND_SIZE,
  ...REPEATS,
  ...GUARD_CASES,
  ...SECRET_CASES,
  ...CALLING_BACK,
];
