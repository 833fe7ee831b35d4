import type { FakeKiketRequest } from './fake-kiket';

/** True for a request that has changed something in Kiket. Telemetry changes nothing for users. */
export function isEffect({ method, status = 0, path }: Pick<FakeKiketRequest, 'method' | 'status' | 'path'>): boolean {
  return method !== 'GET' && status >= 200 && status < 300 && !path.endsWith('/ext/telemetry');
}
