import type { KiketManifest } from '../delivery/manifest';

type Secrets = Pick<KiketManifest, 'secret' | 'fallbackSecrets'>;

/** Hides the secrets from spread, JSON and `util.inspect`. */
export function createManifest(
  fields: Omit<KiketManifest, keyof Secrets>,
  { secret, fallbackSecrets }: Secrets,
): KiketManifest {
  return Object.freeze(
    Object.defineProperties(fields, {
      secret: { value: secret, enumerable: false },
      fallbackSecrets: { value: fallbackSecrets, enumerable: false },
    }),
  ) as KiketManifest;
}
