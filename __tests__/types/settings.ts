// How users type the settings of their manifest.

import { kiketHandler, type KiketSettings } from 'kiket-express';
import { loadManifest } from 'kiket-express/manifest';

declare module 'kiket-express' {
  interface KiketSettings {
    readonly TYPED_RETRIES?: number;
  }
}

kiketHandler('issue.created', ({ settings }) => {
  const retries: number | undefined = settings.TYPED_RETRIES;
  const other: unknown = settings['OTHER'];
  // @ts-expect-error settings that are not declared are unknown
  const wrong: string = settings['OTHER'];
  // @ts-expect-error settings are read-only
  settings.TYPED_RETRIES = 2;
  return { retries, other, wrong };
});

const { settings } = loadManifest();
export const same: KiketSettings = settings;
export const retries: number | undefined = settings.TYPED_RETRIES;
