import { isObject } from '../../guards';
import { json, Refusal } from './answer';
import { textIn, type JsonObject } from './parameters';
import type { Call, Route } from './router';

/** Keeps what extensions report. */
export class Journal {
  readonly eventLog: object[] = [];
  readonly telemetry: object[] = [];

  readonly routes: readonly Route[] = [
    {
      method: 'POST',
      path: '/api/v1/extensions/:extension_id/events',
      handle: (call, extensionId) => {
        this.eventLog.push({ ...reportIn(call), extension_id: extensionId });
        return json(201, { status: 'created' });
      },
    },
    {
      method: 'POST',
      path: '/api/v1/ext/telemetry',
      handle: (call) => {
        this.telemetry.push(reportIn(call));
        return json(202, { status: 'accepted' });
      },
    },
  ];
}

function reportIn({ body }: Call): JsonObject {
  if (!isObject(body)) throw new Refusal(422, 'The body must be an object');
  textIn(body, 'event');
  return body;
}
