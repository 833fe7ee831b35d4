import { externalWebhookOf } from '../../../lib/delivery/external-webhook';

const empty = {
  action: undefined,
  body: undefined,
  headers: {},
  contentType: undefined,
  method: undefined,
  queryParams: {},
  originalUrl: undefined,
  receivedAt: undefined,
};

describe('externalWebhookOf', () => {
  it('should return the request of the third party, with its exact body', () => {
    const body = 'From=%2B1&Body=h%C3%A9+\r\n';
    const payload = {
      event: 'external.webhook.status_callback',
      action: 'status_callback',
      received_at: '2026-01-22T10:00:00Z',
      external_webhook: {
        body,
        headers: { 'X-Twilio-Signature': 'abc=', 'X-Many': ['a', 'b'] },
        content_type: 'application/x-www-form-urlencoded',
        method: 'post',
        query_params: { a: '1' },
        original_url: 'https://kiket.dev/webhooks/ext/token/status_callback?a=1',
      },
    };
    expect(externalWebhookOf(payload)).toEqual({
      action: 'status_callback',
      body,
      headers: { 'x-twilio-signature': 'abc=', 'x-many': 'a, b' },
      contentType: 'application/x-www-form-urlencoded',
      method: 'POST',
      queryParams: { a: '1' },
      originalUrl: 'https://kiket.dev/webhooks/ext/token/status_callback?a=1',
      receivedAt: '2026-01-22T10:00:00Z',
    });
  });

  it.each<[string, unknown, object | undefined]>([
    ['no payload', undefined, undefined],
    ['another envelope', { event: 'a' }, undefined],
    ['null', { external_webhook: null }, undefined],
    ['a list', { external_webhook: [] }, undefined],
    ['nothing in it', { external_webhook: {} }, empty],
    ['a body that the platform has parsed', { external_webhook: { body: { a: 1 } } }, empty],
    ['fields of wrong types', { action: 7, external_webhook: { headers: 'x', method: 1, query_params: [] } }, empty],
    [
      'a header that is not a string',
      { external_webhook: { headers: { a: 7, b: null, c: 'd', e: [], f: [{ toString: 1, valueOf: 1 }, 'g', ['h']] } } },
      { ...empty, headers: { c: 'd', f: 'g' } },
    ],
    ['an empty body', { external_webhook: { body: '' } }, { ...empty, body: '' }],
  ])('should read %s', (_name, payload, expected) => {
    expect(externalWebhookOf(payload as never)).toEqual(expected);
  });
});
