import { json, NO_CONTENT, Refusal, type Answer } from './answer';
import { isObject } from '../../guards';
import type { Call, Route } from './router';

const SECRETS = '/api/v1/extensions/:extension_id/secrets';
const SECRET = `${SECRETS}/:key`;

export class ExtensionSecrets {
  readonly #values = new Map<string, Map<string, string>>();

  readonly routes: readonly Route[] = [
    { method: 'GET', path: SECRETS, handle: (_call, extensionId) => json(200, { keys: this.#keys(extensionId) }) },
    { method: 'GET', path: SECRET, handle: (_call, extensionId, key) => this.#get(extensionId, key) },
    { method: 'POST', path: SECRET, handle: (call, extensionId, key) => this.#post(call, extensionId, key) },
    { method: 'DELETE', path: SECRET, handle: (_call, extensionId, key) => this.#delete(extensionId, key) },
  ];

  set(extensionId: string, key: string, value: string): void {
    const values = this.#values.get(extensionId) ?? new Map<string, string>();
    this.#values.set(extensionId, values.set(key, value));
  }

  #keys(extensionId: string): string[] {
    return [...(this.#values.get(extensionId)?.keys() ?? [])];
  }

  #get(extensionId: string, key: string): Answer {
    const value = this.#values.get(extensionId)?.get(key);
    if (value === undefined) throw notFound();
    return json(200, { value });
  }

  #post({ body }: Call, extensionId: string, key: string): Answer {
    const value = isObject(body) ? body['value'] : undefined;
    if (typeof value !== 'string') throw new Refusal(422, 'value must be a text');
    const isNew = !this.#values.get(extensionId)?.has(key);
    this.set(extensionId, key, value);
    return json(isNew ? 201 : 200, { key });
  }

  #delete(extensionId: string, key: string): Answer {
    if (!this.#values.get(extensionId)?.delete(key)) throw notFound();
    return NO_CONTENT;
  }
}

function notFound(): Refusal {
  return new Refusal(404, 'Secret not found');
}
