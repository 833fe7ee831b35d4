import { randomUUID } from 'node:crypto';
import { assertScope, type Caller } from './callers';
import { objectIn, stringIn, type Query } from './parameters';

const BASE_URL = 'https://kiket.example/webhooks/ext';

/** Where webhooks of other systems arrive, and the e-mails that have arrived there. */
export class InboundStore {
  readonly emails: object[] = [];
  readonly #token = randomUUID();

  webhookUrl(query: Query): object {
    const action = stringIn(query, 'action_name');
    const url = `${BASE_URL}/${this.#token}/${encodeURIComponent(action)}`;
    return { webhook_url: url, webhook_token: this.#token, webhook_base_url: BASE_URL };
  }

  receive(caller: Caller, body: unknown): object {
    assertScope(caller, 'issues:write');
    const email = objectIn(body, 'inbound_email');
    this.emails.push(email);
    return { id: this.emails.length, status: 'accepted' };
  }
}
