/**
 * Settings by key. Declare those of your manifest to type them:
 * `declare module 'kiket-express' { interface KiketSettings { RETRY_ATTEMPTS: number } }`.
 */
export interface KiketSettings {
  readonly [key: string]: unknown;
}

/**
 * The generation of a manifest: `M0` has `capabilities` or `endpoints`; `M1` a flat `id`; `M2` `manifestVersion`; `M3` `extension`;
 * `M4` `vendor` or `scopes`; `M5` `apiVersion: kiket.dev/v1`. Extensions of `M5` receive no deliveries.
 */
export type KiketManifestGeneration = 'M0' | 'M1' | 'M2' | 'M3' | 'M4' | 'M5';

/** An event that the manifest subscribes to. */
export interface KiketManifestHook {
  /** The event's name. */
  readonly event: string;
  /** The path that replaces that of the callback URL. */
  readonly endpoint: string | undefined;
  /** How long Kiket waits for a response, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** How often Kiket sends a delivery again. */
  readonly retries: number | undefined;
  /** True when the response decides whether a transition goes on. */
  readonly isGuard: boolean;
}

/** A command, a workflow action or the test of a set-up step. It is delivered as an event. */
export interface KiketManifestCommand {
  /** `command`, `id` or `action` in the manifest. */
  readonly id: string;
  /** The event's name. */
  readonly event: string;
}

/** A problem of a manifest that does not keep it from being read. */
export interface KiketManifestWarning {
  /** `KIKET_MANIFEST_SECRET` for a secret in the file, `KIKET_MANIFEST_DUPLICATE_KEY` for a repeated key that this package does not read. */
  readonly code: 'KIKET_MANIFEST_SECRET' | 'KIKET_MANIFEST_DUPLICATE_KEY';
  /** File, line, column, path, the risk, and what to write instead. */
  readonly message: string;
}

/** A key of a manifest that this package does not read, and that does not only describe the extension. */
export interface KiketManifestUnreadKey {
  /** The place in the manifest, e.g. `extension.hoooks`. */
  readonly path: string;
  /** File, line, column, path, and the nearest key that is read there, if one is similar. */
  readonly message: string;
}

/** A manifest of any generation. Printed or serialised, it contains no secrets. */
export interface KiketManifest {
  /** How the manifest is written. */
  readonly generation: KiketManifestGeneration;
  /** The file. loadManifest makes it absolute. */
  readonly path: string;
  /** The extension's id; `metadata.key` of M5, `name` of M4. */
  readonly id: string;
  /** The extension's version. Default `1.0.0`. */
  readonly version: string;
  /**
   * The delivery secret. `undefined` when the manifest names none, and while the variable `secretName` is unset or empty. Not enumerable.
   */
  readonly secret: string | undefined;
  /** The environment variable that holds the delivery secret. */
  readonly secretName: string | undefined;
  /** The base URL of deliveries. `undefined` also while a variable in it is unset or empty. */
  readonly callbackUrl: string | undefined;
  /** The environment variable in the base URL that is unset or empty. */
  readonly unsetInCallbackUrl: string | undefined;
  /** Further headers that Kiket sends with each delivery. */
  readonly callbackHeaders: Readonly<Record<string, string>>;
  /** How long Kiket waits for a response to a hook without a time-out of its own, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** False when a failed delivery lets the workflow go on. Default true. */
  readonly required: boolean;
  /** The subscribed events. */
  readonly hooks: readonly KiketManifestHook[];
  /** Commands, workflow actions, and tests of set-up steps. */
  readonly commands: readonly KiketManifestCommand[];
  /** The version of the events, `api_version` in the manifest. */
  readonly eventVersion: string | undefined;
  /** The permissions that the extension asks for, e.g. `issues:read`, as they are spelled in the manifest. */
  readonly permissions: readonly string[];
  /** Defaults of the settings that are not secret, converted to their types. */
  readonly settings: KiketSettings;
  /** Keys of the secret settings. */
  readonly secretKeys: readonly string[];
  /** Values of the secret settings, from `KIKET_SECRET_<KEY>`, for the option `fallbackSecrets`. Not enumerable. */
  readonly fallbackSecrets: Readonly<Record<string, string>>;
  /** Problems that loadManifest reports as warnings of the process. */
  readonly warnings: readonly KiketManifestWarning[];
  /** Keys that this package does not read, such as misspelt ones. loadManifest does not report them; `kiket-express dev` does. */
  readonly unreadKeys: readonly KiketManifestUnreadKey[];
}
