import { isObject } from '../guards';
import { hidden, optional, readOptions, string, type Option, type OptionTable } from '../options';
import { describe, optionError } from '../options';

/** Settings by name. */
export type Settings = Record<string, unknown>;

/** The members of a manifest that are used. */
export interface SdkManifest {
  /** The id of the extension. */
  readonly id?: string | undefined;
  /** The version of the extension. */
  readonly version?: string | undefined;
  /** Values by name. */
  readonly settings?: Readonly<Settings> | undefined;
  /** Values of secret settings, which the SDK has among the settings too. */
  readonly fallbackSecrets?: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link fromSdk} and {@link sdkRouter}. */
export interface SdkOptions {
  /** Values of `context.settings`, which take precedence over those of the manifest. Default none. */
  settings?: Readonly<Settings> | undefined;
  /**
   * Value of `context.extensionId`: the extension whose secrets and event log are used. Default that of the manifest,
   * else that of the `api` option.
   */
  extensionId?: string | undefined;
  /** Value of `context.extensionVersion`. Default that of the manifest. */
  extensionVersion?: string | undefined;
  /** The manifest that loadManifest() returned. Default none. */
  manifest?: SdkManifest | undefined;
}

/** The options of an extension that have been checked and copied. */
export interface SdkExtension {
  readonly settings: Readonly<Settings>;
  readonly extensionId: string | undefined;
  readonly extensionVersion: string | undefined;
}

const settingsOption = optional(hidden<Readonly<Settings>>('an object', isObject));

const manifestOption: Option<SdkManifest, Pick<SdkManifest, 'id' | 'version' | 'settings'>> = {
  default: {},
  read(value, who, name) {
    if (!isObject(value)) throw optionError(who, name, 'an object', `is ${describe(value)}`);
    return {
      id: optional(string()).read(value['id'], who, `${name}.id`),
      version: optional(string()).read(value['version'], who, `${name}.version`),
      settings: {
        ...settingsOption.read(value['settings'], who, `${name}.settings`),
        ...settingsOption.read(value['fallbackSecrets'], who, `${name}.fallbackSecrets`),
      },
    };
  },
};

const OPTIONS = {
  settings: settingsOption,
  extensionId: optional(string()),
  extensionVersion: optional(string()),
  manifest: manifestOption,
} satisfies OptionTable<SdkOptions>;

/** @throws {TypeError} when an option is invalid or unknown. */
export function readSdkOptions(who: string, options: Readonly<SdkOptions>): SdkExtension {
  const { settings, extensionId, extensionVersion, manifest } = readOptions(who, options, OPTIONS);
  return Object.freeze({
    settings: Object.freeze({ ...manifest.settings, ...settings }),
    extensionId: extensionId ?? manifest.id,
    extensionVersion: extensionVersion ?? manifest.version,
  });
}
