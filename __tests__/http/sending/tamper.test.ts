import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { headerOf, type OutgoingRequest } from '../../../lib/sending/http-message';
import { outcomeOf } from '../../../lib/sending/outcome';
import { renderPayload } from '../../../lib/sending/render';
import { send } from '../../../lib/sending/send';
import { signedRequest, type SigningPlan } from '../../../lib/sending/sign';
import { findTampering, TAMPERINGS, type UnsignedDelivery } from '../../../lib/sending/tamper';
import { secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { startServer } from '../../support/loopback-server';
import { until } from '../../support/until';

const EVENT = 'issue.created';

function plan(): SigningPlan {
  return {
    secret,
    scheme: 'timestamped',
    prefix: '',
    timestampSeconds: Math.floor(Date.now() / 1000),
    headers: 'full',
    event: EVENT,
    eventVersion: 'v1',
    invocationId: '3f6b0c',
    projectId: 27,
    organizationId: 3,
  };
}

function deliveryTo(url: string, change: Partial<SigningPlan> = {}): UnsignedDelivery {
  const payload = renderPayload(EVENT, {
    envelope: 'contract',
    eventVersion: 'v1',
    projectId: 27,
    secrets: {},
    missing: [],
    callback: undefined,
  });
  return { url: `${url}/kiket`, body: Buffer.from(JSON.stringify(payload)), plan: { ...plan(), ...change } };
}

const genuine = ({ url, body, plan: signing }: UnsignedDelivery): OutgoingRequest => signedRequest(url, body, signing);

/** The status and the code with which `kiket()` responds to each, and how many deliveries reach the handler. */
const RESULTS: readonly (readonly [name: string, result: string, handled: number])[] = [
  ['no-signature', '401 signature.missing', 0],
  ['wrong-secret', '401 signature.mismatch', 0],
  ['empty-secret', '401 signature.mismatch', 0],
  ['undefined-secret', '401 signature.mismatch', 0],
  ['body-byte', '401 signature.mismatch', 0],
  ['body-truncated', '401 signature.mismatch', 0],
  ['reserialised', '401 signature.mismatch', 0],
  ['signature-short', '401 signature.malformed', 0],
  ['signature-prefix8', '401 signature.malformed', 0],
  ['signature-not-hex', '401 signature.malformed', 0],
  ['signature-base64', '401 signature.malformed', 0],
  ['signature-repeated', '401 signature.malformed', 0],
  // By Node, before the application.
  ['signature-64kb', '431', 0],
  ['stale', '401 signature.stale', 0],
  ['future', '401 signature.stale', 0],
  ['timestamp-ms', '401 signature.stale', 0],
  ['timestamp-text', '401 signature.mismatch', 0],
  ['timestamp-dropped', '401 signature.mismatch', 0],
  ['timestamp-in-body', '401 signature.mismatch', 0],
  ['bom', '200', 1],
  ['newline', '200', 1],
  ['crlf', '200', 1],
  ['utf8-broken', '400 payload.malformed', 0],
  ['event-header-conflict', '400 delivery.conflict', 0],
  ['version-conflict', '400 delivery.conflict', 0],
  // No part of the payload names the organization.
  ['organization-changed', '200', 1],
  ['content-length-more', 'left', 0],
  ['chunked', '200', 1],
  ['slow', '200', 1],
  ['gzip', '415 body.encoding_unsupported', 0],
  ['disconnect-before-answer', 'left', 1],
  ['duplicate', '200, 200', 2],
  ['not-json', '400 payload.malformed', 0],
  ['empty', '400 payload.malformed', 0],
];

/** Tamperings with the timestamp that is signed. */
const TIMESTAMPS = RESULTS.map(([name]) => name).filter((name) => /^(?:stale|future|timestamp-.*)$/.test(name));

describeNewest('a receiver', (express) => {
  let handled = 0;
  let url: string;

  beforeEach(async () => {
    handled = 0;
    const count = kiketHandler('*', () => ({ handled: ++handled }));
    ({ url } = await startServer(endpoint(express, [kiket({ secret }), count, kiketErrorHandler()])));
  });

  /** Sends one after the other. */
  async function resultsOf(requests: readonly OutgoingRequest[]): Promise<string> {
    const results: string[] = [];
    for (const request of requests) {
      const result = await send(request, { timeoutMs: 20_000 });
      const { code } = outcomeOf(result, { event: EVENT, isRequired: true });
      const status = 'response' in result ? String(result.response.status) : result.failure.code;
      results.push(code === undefined ? status : `${status} ${code}`);
    }
    return results.join(', ');
  }

  it('should have a row for each tampering', () => {
    expect(RESULTS.map(([name]) => name)).toEqual(TAMPERINGS.map(({ name }) => name));
  });

  it.each(RESULTS)('should respond to %s: %s', async (name, result, expected) => {
    expect(await resultsOf(findTampering(name)!.apply(deliveryTo(url)))).toBe(result);
    await until(() => handled === expected, 'the handler');
    expect(await resultsOf([genuine(deliveryTo(url))])).toBe('200');
    expect(handled).toBe(expected + 1);
  });

  it.each(RESULTS.filter(([name]) => !TIMESTAMPS.includes(name)))(
    'should respond to %s in the scheme of the body alone: %s',
    async (name, result) => {
      expect(await resultsOf(findTampering(name)!.apply(deliveryTo(url, { scheme: 'body' })))).toBe(result);
    },
  );
});

describe('a tampering', () => {
  const target = 'http://localhost:3000';

  it.each(TIMESTAMPS)('should be refused for a signature without a timestamp: %s', (name) => {
    const { apply } = findTampering(name)!;
    expect(() => apply(deliveryTo(target, { scheme: 'body' }))).toThrow(
      new RangeError('the scheme "body" signs no timestamp'),
    );
  });

  it.each(RESULTS.filter(([name]) => /^(?:signature-|timestamp-|stale|future)/.test(name)))(
    'should be refused without a secret: %s',
    (name) => {
      const { apply } = findTampering(name)!;
      expect(() => apply(deliveryTo(target, { secret: undefined }))).toThrow(
        new RangeError('there is no delivery secret to sign with'),
      );
    },
  );

  it.each(['reserialised', 'crlf', 'utf8-broken'])('should be refused for a body that is not JSON: %s', (name) => {
    const { apply } = findTampering(name)!;
    expect(() => apply({ ...deliveryTo(target), body: Buffer.from('{') })).toThrow(/^its body is not JSON$/);
  });

  it('should leave a prefix out of what it changes', () => {
    const [request] = findTampering('signature-short')!.apply(deliveryTo(target, { prefix: 'sha256=' }));
    expect(headerOf(request!.headers, 'X-Kiket-Signature')).toMatch(/^[\da-f]{63}$/);
  });

  it.each(['{}', '[]', '7', '{"a":"é"}', '\n'])('should change or keep any body, such as %j', (body) => {
    for (const name of ['body-byte', 'body-truncated', 'bom', 'newline', 'not-json', 'empty', 'chunked', 'gzip']) {
      const [request] = findTampering(name)!.apply({ ...deliveryTo(target), body: Buffer.from(body) });
      expect([name, request!.body.equals(Buffer.from(body))]).toEqual([name, name === 'chunked']);
    }
  });

  it('should be of one phrase for people', () => {
    for (const { imitates } of TAMPERINGS) expect(imitates).toMatch(/^an? [^.]+$/);
  });
});

describe('findTampering', () => {
  it('should find nothing for another name', () => {
    expect(findTampering('constructor')).toBeUndefined();
  });
});
