import { ServerResponse } from 'node:http';
import { CapturedBody } from './captured-body';
import { exchangeOf } from './delivery';
import { callBack } from './late-writes';
import type { Outcome } from './settlement';
import { headersOf } from './write-head';

const READING = ['getHeader', 'getHeaderNames', 'getHeaders', 'hasHeader'] as const;
const WRITING = ['appendHeader', 'removeHeader', 'setHeader', 'setHeaders'] as const;

/**
 * Follows what a handler still writes to a response that the deadline has answered without it. Nothing of that leaves, but it
 * is what the handler says: `onEnd` is told when it is complete.
 *
 * Who logs the answer that has left, as it finishes or is closed, reads that one's status and headers.
 */
export function captureLateAnswer(res: ServerResponse, onEnd: (outcome: Outcome) => void): void {
  // Never gets a socket: a place for headers, in Node's own form.
  const late = new ServerResponse(res.req);
  const body = new CapturedBody();
  const sentStatus = res.statusCode;
  let lateStatus: number | undefined;
  const { signal } = exchangeOf(res.req)!;
  let isLogged = false;
  for (const event of ['finish', 'close']) {
    res.prependOnceListener(event, () => (isLogged = true)).once(event, () => (isLogged = false));
  }
  /** Until the signal aborts, nobody reads but who stands around the answer of the deadline. */
  const isOfSent = (): boolean => isLogged || !signal.aborted;

  const methods: Record<string, (...args: never[]) => unknown> = {
    status(code: number) {
      lateStatus = code;
      return res;
    },
    writeHead(status: number, ...rest: unknown[]) {
      lateStatus = status;
      for (const [name, value] of Object.entries(headersOf(rest))) if (value !== undefined) late.setHeader(name, value);
      return res;
    },
    write(chunk: unknown, encoding: unknown, ...rest: unknown[]) {
      body.add(chunk, encoding);
      callBack([encoding, ...rest]);
      return true;
    },
    end(chunk: unknown, encoding: unknown, ...rest: unknown[]) {
      body.add(chunk, encoding);
      callBack([chunk, encoding, ...rest]);
      onEnd({ status: Number(lateStatus ?? 200), headers: late.getHeaders(), body: body.content, code: undefined });
      return res;
    },
  };
  for (const name of READING) {
    const ofSent = res[name].bind(res) as Method;
    const ofLate = late[name].bind(late) as Method;
    methods[name] = (...args) => (isOfSent() ? ofSent : ofLate)(...args);
  }
  for (const name of WRITING) {
    const ofLate: Method = late[name].bind(late);
    methods[name] = (...args) => {
      ofLate(...args);
      return res;
    };
  }
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(res, name, { value, configurable: true, writable: true });
  }
  Object.defineProperty(res, 'statusCode', {
    configurable: true,
    enumerable: true,
    get: () => (isOfSent() ? sentStatus : (lateStatus ?? 200)),
    set: (status: number) => (lateStatus = status),
  });
}

type Method = (...args: never[]) => unknown;
