import { isObject } from '../guards';
import { numberIn, RequestError, stringIn, type JsonObject } from './parameters';

/** Secrets and reports of extensions. */
export class ExtensionStore {
  readonly #secrets = new Map<string, Map<string, string>>();
  readonly eventLog: object[] = [];
  readonly telemetry: object[] = [];
  readonly logs: object[] = [];
  readonly metrics: object[] = [];
  readonly notifications: object[] = [];

  setSecret(extensionId: string, key: string, value: string): void {
    const secrets = this.#secrets.get(extensionId) ?? new Map<string, string>();
    this.#secrets.set(extensionId, secrets.set(key, value));
  }

  /** Returns true when the extension had no secret of that key. */
  writeSecret(extensionId: string, key: string, body: unknown): boolean {
    const value = isObject(body) ? body['value'] : undefined;
    if (typeof value !== 'string') throw new RequestError(422, 'value must be a string');
    const isNew = !this.#secrets.get(extensionId)?.has(key);
    this.setSecret(extensionId, key, value);
    return isNew;
  }

  secretKeys(extensionId: string): string[] {
    return [...(this.#secrets.get(extensionId)?.keys() ?? [])];
  }

  secret(extensionId: string, key: string): string {
    const value = this.#secrets.get(extensionId)?.get(key);
    if (value === undefined) throw new RequestError(404, 'Secret not found');
    return value;
  }

  deleteSecret(extensionId: string, key: string): void {
    if (!this.#secrets.get(extensionId)?.delete(key)) throw new RequestError(404, 'Secret not found');
  }

  logEvent(extensionId: string, body: unknown): object {
    this.eventLog.push({ ...reportIn(body), extension_id: extensionId });
    return { status: 'created' };
  }

  report(body: unknown): object {
    this.telemetry.push(reportIn(body));
    return { status: 'accepted' };
  }

  log(body: unknown): object {
    this.logs.push(reportIn(body, 'message'));
    return { status: 'created' };
  }

  measure(body: unknown): object {
    numberIn(body, 'value');
    this.metrics.push(reportIn(body, 'name'));
    return { status: 'created' };
  }

  notify(body: unknown): object {
    stringIn(body, 'body');
    this.notifications.push(reportIn(body, 'title'));
    return { status: 'created' };
  }
}

/** Returns a body that has a string of that name. */
function reportIn(body: unknown, name = 'event'): JsonObject {
  if (!isObject(body)) throw new RequestError(422, 'The body must be an object');
  stringIn(body, name);
  return body;
}
