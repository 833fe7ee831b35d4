import { ApiClient, type KiketApi } from '../api/client';
import { authorizeDelivery } from '../api/credentials';
import type { ApiSettings } from '../api/api-options';
import type { Redactor } from '../redaction';
import { readEnvelope, type KiketEnvelope } from '../delivery/envelope';
import { externalWebhookOf, type KiketExternalWebhook } from '../delivery/external-webhook';
import { payloadProjectKey } from '../delivery/ids';
import type { KiketPayload } from '../delivery/payload';
import { KiketError } from '../errors';
import type { KiketId } from '../guards';
import type { Attempt } from './attempt';
import type { JobData } from './job-data';

/** A job has no runtime token, and `api` of its payload concerns the token only. */
const NO_CALLBACK = Object.freeze({});
const NO_TOKEN = Object.freeze({ runtimeToken: undefined, expiresAt: undefined });

/** A delivery from a queue. Printed or serialised, it contains neither `api` nor `signal`. */
export class JobDelivery {
  readonly event: string;
  readonly eventVersion: string;
  readonly payload: KiketPayload;
  readonly deliveryId: string | undefined;
  readonly invocationId: string | undefined;
  readonly projectId: KiketId | undefined;
  readonly organizationId: KiketId | undefined;
  readonly #api: KiketApi;
  readonly #signal: AbortSignal;

  constructor(data: JobData, attempt: Attempt, settings: ApiSettings, secrets: Redactor) {
    const { signal } = attempt;
    this.event = data.event;
    this.eventVersion = data.eventVersion;
    this.payload = data.payload;
    this.deliveryId = data.deliveryId;
    this.invocationId = data.invocationId;
    this.projectId = data.projectId;
    this.organizationId = data.organizationId;
    this.#signal = signal;
    this.#api = new ApiClient({
      authorize: authorizeDelivery(settings, NO_CALLBACK, NO_TOKEN),
      dispatcher: settings.dispatcher,
      projectId: data.apiProjectId,
      extensionId: settings.extensionId,
      eventVersion: data.eventVersion,
      limits: () => ({ signal, remainingMs: attempt.remainingMs }),
      redact: (text) => secrets.redact(text),
      onSecret: (key, value) => secrets.add(key, value),
    });
  }

  get api(): KiketApi {
    return this.#api;
  }

  /** The payload was checked before it was queued; an older version may have queued it without an envelope that it knew. */
  get envelope(): KiketEnvelope {
    const envelope = readEnvelope(this.payload);
    return envelope instanceof KiketError ? 'contract' : envelope.kind;
  }

  get projectKey(): string | undefined {
    return payloadProjectKey(this.payload);
  }

  get externalWebhook(): KiketExternalWebhook | undefined {
    return externalWebhookOf(this.payload);
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  is(event: string): boolean {
    return this.event === event;
  }
}
