import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { isEffect } from '../fake-kiket/effects';
import type { FakeKiket } from '../fake-kiket/fake-kiket';
import type { KiketSignatureScheme } from '../signature/hmac';
import { renderPayload } from '../sending/render';
import type { OutgoingRequest } from '../sending/http-message';
import { send } from '../sending/send';
import type { UnsignedDelivery } from '../sending/tamper';
import type { SigningPlan } from '../sending/sign';
import { Canaries } from './canaries';
import { isTaken, type Exchange } from './exchange';
import { seededRandom } from './random';

/** A payload, or a part of it. */
export type Json = Record<string, unknown>;

/** The settings of a run, checked and complete. */
export interface CheckSettings {
  readonly url: string;
  /** The current one first. */
  readonly deliverySecrets: readonly string[];
  /** The environment variable that has the delivery secret, as the manifest names it. */
  readonly secretName: string;
  readonly event: string;
  /** The payload to send; `undefined` for the example of the event. */
  readonly payload: Readonly<Json> | undefined;
  /** `undefined` for a receiver without guards. */
  readonly guard: { readonly event: string; readonly payload: Readonly<Json> | undefined } | undefined;
  /** Secrets of the payload, by key. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly isRemote: boolean;
  readonly seed: number;
  readonly api: FakeKiket | undefined;
  /** Returns the number of effects so far. */
  readonly effects: (() => number | Promise<number>) | undefined;
  /** Folders to search for secrets after the run. */
  readonly scan: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** The form of signature that the receiver accepts. */
export interface SignatureForm {
  readonly scheme: KiketSignatureScheme;
  readonly prefix: string;
}

/** How a delivery differs from a genuine one. */
export interface DeliveryChange {
  readonly event?: string | undefined;
  /** Changes the rendered payload. */
  readonly payload?: ((payload: Json) => Json) | undefined;
  /** Writes the payload; default `JSON.stringify`. */
  readonly write?: ((payload: Json) => string | Buffer) | undefined;
  readonly plan?: Partial<SigningPlan> | undefined;
  readonly url?: string | undefined;
}

/** How a request is sent. */
export interface SendChange {
  readonly event?: string | undefined;
  readonly isForeign?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly isAlone?: boolean | undefined;
}

/** An address at which nothing listens: without the fake Kiket, no call of the receiver may reach another machine. */
const NO_API = 'http://127.0.0.1:1';

const CANARY_SECRET = 'CHECK_CANARY';

/** How long a receiver may need to be restarted by whatever supervises it. */
const RESTART_MS = 3000;

/** Calls after a response are waited for until there has been none for this time. */
const QUIET_MS = 60;

/** One run against one receiver: what is sent, and what came. */
export class CheckSession {
  readonly settings: CheckSettings;
  readonly startedAtMs = Date.now();
  /** Every request so far. */
  readonly exchanges: Exchange[] = [];
  readonly canaries = new Canaries();
  readonly random: () => number;
  /** Found by the calibration. */
  form: SignatureForm = { scheme: 'timestamped', prefix: '' };
  /** The response to the first genuine delivery. */
  genuine: Exchange | undefined;
  /** The effects of one new delivery; `undefined` until they were counted. */
  usualEffects: number | undefined;
  /** True once the receiver has not come back after a case. */
  isDead = false;
  readonly #run = randomBytes(4).toString('hex');
  readonly #canary = `canary/${randomBytes(12).toString('hex')}"+`;
  readonly #firstIssue = randomInt(1_000_000) * 1000;
  #invocations = 0;
  #issues = 0;

  constructor(settings: CheckSettings) {
    this.settings = settings;
    this.random = seededRandom(settings.seed);
    this.canaries.add('a secret of the payload', this.#canary);
    for (const value of Object.values(settings.secrets)) this.canaries.add('a secret of the payload', value);
    for (const value of settings.deliverySecrets) this.canaries.add('the delivery secret', value);
  }

  get isInterrupted(): boolean {
    return this.settings.signal?.aborted === true;
  }

  nextInvocation(): string {
    return `check-${this.#run}-${++this.#invocations}`;
  }

  /** Returns a payload with fresh ids, a token, and secrets that are looked for in responses. */
  payload(event: string, invocation: string): Json {
    const { settings } = this;
    const given = event === settings.guard?.event ? settings.guard.payload : settings.payload;
    const rendered = renderPayload(event, {
      envelope: 'contract',
      eventVersion: 'v1',
      projectId: undefined,
      secrets: { ...settings.secrets, [CANARY_SECRET]: this.#canary },
      missing: [],
      callback: this.callback(),
    });
    const isGiven = given !== undefined && (event === settings.event || event === settings.guard?.event);
    const own = isGiven ? given : {};
    const { authentication, api, secrets } = rendered;
    return {
      ...(isGiven ? own : this.#withFreshIssue(rendered)),
      authentication,
      api,
      secrets: { ...(own['secrets'] as object | undefined), ...(secrets as object) },
      context: { ...(own['context'] as object | undefined), check: invocation },
    };
  }

  /** A receiver may act once for each issue. */
  #withFreshIssue(payload: Json): Json {
    const subject = payload['issue'] === undefined ? 'case' : 'issue';
    if (payload[subject] === undefined) return payload;
    return { ...payload, [subject]: { ...(payload[subject] as object), id: this.#firstIssue + ++this.#issues } };
  }

  /** Returns the fields with which the receiver calls back. */
  callback(): Json {
    const { api, scopes } = this.settings;
    const callback = api?.callback({ scopes: [...scopes] }) ?? {
      authentication: {
        token_type: 'runtime',
        runtime_token: `rt_canary_${randomBytes(12).toString('hex')}`,
        expires_at: new Date(Date.now() + 3_600_000).toISOString(),
        scopes: [...scopes],
      },
      api: { base_url: NO_API, runtime_header: 'X-Kiket-Runtime-Token' },
    };
    this.canaries.add('the runtime token', callback.authentication.runtime_token);
    return callback as unknown as Json;
  }

  /** Returns a delivery that is not signed yet. */
  delivery({ event = this.settings.event, payload, write, plan, url }: DeliveryChange = {}): UnsignedDelivery {
    const invocation = plan?.invocationId ?? this.nextInvocation();
    const rendered = this.payload(event, invocation);
    const changed = payload?.(rendered) ?? rendered;
    const written = write?.(changed) ?? JSON.stringify(changed);
    return {
      url: url ?? this.settings.url,
      body: Buffer.from(written as string),
      plan: {
        secret: this.settings.deliverySecrets[0],
        ...this.form,
        timestampSeconds: Math.floor(Date.now() / 1000),
        headers: 'full',
        event,
        eventVersion: 'v1',
        invocationId: invocation,
        projectId: 27,
        organizationId: 3,
        ...plan,
      },
    };
  }

  /** Sends a request, and keeps what came. */
  async send(caseId: string, what: string, request: OutgoingRequest, change: SendChange = {}): Promise<Exchange> {
    const { timeoutMs, signal, headers } = this.settings;
    const sent = { ...request, headers: [...request.headers, ...Object.entries(headers)] };
    const sendingMs = request.transfer?.overMs ?? 0;
    const attempt = await send(sent, {
      // A slow sender takes none of the receiver's time.
      timeoutMs: (change.timeoutMs ?? timeoutMs) + sendingMs,
      signal,
      isAlone: change.isAlone,
    });
    const exchange: Exchange = {
      caseId,
      what,
      request: sent,
      event: change.event,
      isForeign: change.isForeign ?? false,
      sendingMs,
      attempt,
    };
    this.exchanges.push(exchange);
    return exchange;
  }

  /** True when a genuine delivery is taken, now or within the time of a restart. */
  async isAlive(sendGenuine: () => Promise<Exchange>): Promise<boolean> {
    const until = Date.now() + RESTART_MS;
    for (let isFirst = true; ; isFirst = false) {
      if (isTaken(await sendGenuine())) return isFirst;
      if (Date.now() > until || this.isInterrupted) break;
      await wait(200);
    }
    this.isDead = true;
    return false;
  }

  /** True when effects can be counted. */
  get countsEffects(): boolean {
    return this.settings.api !== undefined || this.settings.effects !== undefined;
  }

  /** Returns the number of effects so far, once none has been added for a moment. */
  async effects(): Promise<number> {
    let count = await this.#effectsNow();
    for (let rounds = 0; rounds < 10; rounds++) {
      await wait(QUIET_MS);
      const next = await this.#effectsNow();
      if (next === count) break;
      count = next;
    }
    return count;
  }

  async #effectsNow(): Promise<number> {
    const { api, effects } = this.settings;
    if (effects !== undefined) return effects();
    return api!.requests.filter(isEffect).length;
  }

  /** True when the receiver has called the fake Kiket. */
  get hasCalledBack(): boolean {
    return (this.settings.api?.requests.length ?? 0) > 0;
  }
}
