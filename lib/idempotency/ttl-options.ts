import { number } from '../options';
import { MAX_SECONDS } from './claim-keys';

/** How long responses are kept. */
export const TTL_OPTIONS = {
  ttlSeconds: number({ default: 172_800, min: 1, max: MAX_SECONDS }),
  guardTtlSeconds: number({ default: 300, min: 1, max: MAX_SECONDS }),
};
