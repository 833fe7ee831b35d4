import { isObject } from '../guards';
import { hidden, optional } from '../options';
import type { KiketManifest } from './manifest';

/** By its shape: the module that creates manifests is loaded only by those who read one. */
export const requiredManifest = hidden<KiketManifest>('the manifest that loadManifest() returns', isManifest);

export const manifestOption = optional(requiredManifest);

function isManifest(given: unknown): boolean {
  // A copy, by spread or JSON, has lost the secrets.
  if (!isObject(given) || !('secret' in given && 'fallbackSecrets' in given)) return false;
  return Array.isArray(given['hooks']) && Array.isArray(given['commands']) && isObject(given['settings']);
}
