import type { FakeKiket } from 'kiket-express/testing';
import { describeMajors } from '../../support/express';

export { startFake as start } from '../../support/fake-kiket';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; `undefined` without a body. */
  readonly body: unknown;
}

export const apiKey = { 'X-Kiket-API-Key': 'ext_fake' };

/** Sends `GET /path`, with a body if there is one: a string as it is, any other value as JSON. */
export async function call(
  kiket: FakeKiket,
  what: string,
  body?: unknown,
  headers: Record<string, string> = apiKey,
): Promise<Reply> {
  const [method = '', target = ''] = what.split(' ');
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(kiket.url + target, { method, headers, redirect: 'manual', ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

/** Runs the same tests with fakes that run on Express 4 and 5. */
export function describeOnMajors(name: string, define: () => void): void {
  describeMajors(name, (express) => {
    beforeEach(() => {
      jest.resetModules();
      jest.doMock('express', () => express);
    });
    afterAll(() => void jest.dontMock('express'));
    define();
  });
}

/** The headers of a delivery's runtime token. */
export function runtimeToken(kiket: FakeKiket, scopes?: readonly string[], expiresInSeconds?: number) {
  const { authentication, api } = kiket.callback({ scopes, expiresInSeconds });
  return { [api.runtime_header]: authentication.runtime_token };
}

/** A clock that a test moves. */
export function clock(startMs = Date.UTC(2026, 0, 1)) {
  let nowMs = startMs;
  return { now: () => nowMs, pass: (seconds: number) => void (nowMs += seconds * 1000) };
}
