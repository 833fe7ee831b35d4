import { randomInt } from 'node:crypto';
import type { FakeKiket } from '../fake-kiket/fake-kiket';
import { startFakeKiket } from '../fake-kiket/start-fake-kiket';
import { isGuardEvent } from '../delivery/reply';
import { isObject } from '../guards';
import {
  boolean,
  callback,
  checked,
  hidden,
  integer,
  list,
  MAX_DELAY_MS,
  oneOf,
  optional,
  optionError,
  readOptions,
  string,
  unchecked,
  type Option,
  type OptionTable,
} from '../options';
import { isLoopback } from '../api/target';
import { toKeys } from '../signature/hmac';
import type { CheckedCase, CheckReport } from './report';
import { runCases, unknownNames } from './run';
import type { CheckSession } from './session';

/** Options of {@link checkReceiver}. */
export interface CheckReceiverOptions {
  /** The delivery secret; after a rotation, the current one and the previous one. */
  secret: string | readonly string[];
  /** The bytes that the signature covers, with or without a timestamp; `auto` tries both. Default `auto`. */
  scheme?: 'auto' | 'timestamped' | 'body' | undefined;
  /** Text before the digits of a signature: an empty string, or `sha256=`. Default both. */
  prefix?: string | undefined;
  /** An event that the receiver handles. Default `workflow.sla_status`. */
  event?: string | undefined;
  /** The payload of the event. Secrets, token, API and a unique `context.check` are added. Default an example. */
  payload?: object | undefined;
  /**
   * A guard event that the receiver handles. Without one, the cases of guards do not apply. Default `event`, if that is
   * one.
   */
  guard?: string | undefined;
  /** The payload of the guard event. Default an example. */
  guardPayload?: object | undefined;
  /** Secrets of the payload, by key. A canary is added. Default none. */
  secrets?: Readonly<Record<string, string>> | undefined;
  /** Scopes of the runtime token. Default `['*']`. */
  scopes?: readonly string[] | undefined;
  /** Further headers of every request. Default none. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Cases or groups to run, such as `['A', 'B3']`. Default all. */
  only?: readonly string[] | undefined;
  /** Cases or groups to leave out. Default none. */
  skip?: readonly string[] | undefined;
  /** A fake Kiket for the calls of the receiver, which also counts its effects; `true` starts one. Default `false`. */
  api?: boolean | FakeKiket | undefined;
  /** Returns the number of effects so far, such as rows of a table. Default the calls to `api` that write. */
  effects?: (() => number | Promise<number>) | undefined;
  /** Folders whose files are searched for secrets after the run. Default none. */
  scan?: readonly string[] | undefined;
  /** The name of the environment variable that has the secret. Default `KIKET_WEBHOOK_SECRET`. */
  secretName?: string | undefined;
  /** Milliseconds that each response may take, at least 1. Default `10000`, as for Kiket. */
  timeoutMs?: number | undefined;
  /** Milliseconds to wait for a receiver that does not listen yet, from 0. Default `30000`. */
  waitMs?: number | undefined;
  /** Milliseconds after which no further case begins, at least 1. Default `120000`. */
  budgetMs?: number | undefined;
  /** Repeats the order of a run: an integer from 0 to 2³²-1. Default random. */
  seed?: number | undefined;
  /** Ends the run. Cases that have not run are reported as such. Default none. */
  signal?: AbortSignal | undefined;
  /** Called after each case, with the number of cases that have run, and of all. Default none. */
  onCase?: ((done: CheckedCase, count: number, total: number) => void) | undefined;
  /** Called when the first delivery was accepted, with the form of its signature. Default none. */
  onCalibrated?:
    | ((form: {
        /** The bytes that the signature covered, with or without a timestamp. */
        readonly scheme: 'timestamped' | 'body';
        /** Written before the digits of the signature: an empty string, or `sha256=`. */
        readonly prefix: string;
      }) => void)
    | undefined;
}

const secretsOption: Option<string | readonly string[], readonly string[]> = {
  default: undefined,
  read(value, who) {
    toKeys(who, value);
    const secrets = (Array.isArray(value) ? value : [value]) as readonly unknown[];
    return secrets.map((secret) =>
      hidden<string>('a string', (each) => typeof each === 'string').read(secret, who, 'secret'),
    );
  },
};

const stringsOption = hidden<Readonly<Record<string, string>>>(
  'an object of strings',
  (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'string'),
);

const objectOption = optional(hidden<object>('an object', isObject));

const casesOption: Option<readonly string[], readonly string[]> = {
  default: [],
  read(value, who, name) {
    const names = list(string()).read(value, who, name);
    const [unknown] = unknownNames(names);
    if (unknown === undefined) return names;
    throw optionError(who, name, 'cases such as B3, or groups from A to H', `has "${unknown}"`);
  },
};

const apiOption: Option<boolean | FakeKiket, boolean | FakeKiket> = {
  default: false,
  read: (value, who, name) =>
    isObject(value) ? (value as unknown as FakeKiket) : boolean(false).read(value, who, name),
};

const OPTIONS = {
  secret: secretsOption,
  scheme: oneOf('auto', 'timestamped', 'body'),
  prefix: optional(checked<string>('"" or "sha256="', (value) => value === '' || value === 'sha256=')),
  event: string('workflow.sla_status'),
  payload: objectOption,
  guard: optional(string()),
  guardPayload: objectOption,
  secrets: { ...stringsOption, default: {} },
  scopes: list(string(), { default: ['*'] }),
  headers: { ...stringsOption, default: {} },
  only: casesOption,
  skip: casesOption,
  api: apiOption,
  effects: callback<() => number | Promise<number>>(),
  scan: list(string(), { default: [] }),
  secretName: string('KIKET_WEBHOOK_SECRET'),
  timeoutMs: integer({ default: 10_000, min: 1, max: MAX_DELAY_MS }),
  waitMs: integer({ default: 30_000, min: 0, max: MAX_DELAY_MS }),
  budgetMs: integer({ default: 120_000, min: 1, max: MAX_DELAY_MS }),
  seed: optional(integer({ min: 0, max: 2 ** 32 - 1 })),
  signal: optional(unchecked<AbortSignal>()),
  onCase: callback<(done: CheckedCase, count: number, total: number) => void>(),
  onCalibrated: callback<(form: Pick<CheckReport, 'scheme' | 'prefix'>) => void>(),
} satisfies OptionTable<CheckReceiverOptions>;

/**
 * Checks whether a running receiver keeps Kiket's delivery contract: it sends about 150 genuine, forged and unusable deliveries, and
 * judges the responses. The deliveries have effects in the receiver. Cases that occupy a receiver are sent on this machine only.
 *
 * Rejects with an `Error` when no genuine delivery is taken, because then nothing can be checked, and with a `TypeError` when an option is
 * invalid or unknown.
 *
 * @param url the receiver, e.g. `http://localhost:3000/kiket`.
 * @example const { summary } = await checkReceiver(url, { secret, event: 'issue.created' }); expect(summary.must).toBe(0);
 */
export async function checkReceiver(url: string | URL, options: Readonly<CheckReceiverOptions>): Promise<CheckReport> {
  const { only, skip, scheme, prefix, waitMs, budgetMs, onCase, onCalibrated, ...given } = readOptions(
    'checkReceiver',
    options,
    OPTIONS,
  );
  if (!URL.canParse(String(url)) || !/^https?:$/.test(new URL(url).protocol)) {
    throw optionError('checkReceiver', 'url', 'an HTTP URL', `is "${String(url)}"`);
  }
  const { event, guard = isGuardEvent(event) ? event : undefined, secret, payload, guardPayload } = given;
  const api = given.api === true ? await startFakeKiket() : given.api === false ? undefined : given.api;
  const settings = {
    ...given,
    url: String(url),
    deliverySecrets: secret,
    payload: payload as Readonly<Record<string, unknown>> | undefined,
    guard:
      guard === undefined
        ? undefined
        : {
            event: guard,
            payload: (guardPayload ?? (guard === event ? payload : undefined)) as
              Readonly<Record<string, unknown>> | undefined,
          },
    isRemote: !isLoopback(new URL(url).hostname),
    seed: given.seed ?? randomInt(2 ** 32 - 1),
    api,
  };
  try {
    const calibrated = onCalibrated && (({ form }: CheckSession): void => onCalibrated(form));
    return await runCases(settings, { only, skip, scheme, prefix, waitMs, budgetMs, onCase, onCalibrated: calibrated });
  } finally {
    if (given.api === true) await api!.close();
  }
}
