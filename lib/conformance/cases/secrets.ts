import { createHmac } from 'node:crypto';
import { headerOf, type HeaderLine } from '../../sending/http-message';
import type { ConformanceCase } from '../case';
import { textOf, type Exchange } from '../exchange';
import type { Probe } from '../probe';
import { findCanary } from '../scan';
import { ECHO, unusable } from './unusable';

const headersOf = ({ attempt }: Exchange): readonly HeaderLine[] =>
  'response' in attempt ? attempt.response.headers : [];

const STACK_TRACE = /^\s*at .+[:(]\d+|Traceback \(most recent call last\)|\.(?:js|ts|py|rb|php|java|go):\d+/m;
const PATH = /\bnode_modules\/|(?:^|[\s"'(>])\/(?:home|root|usr|var|srv|opt|app)\/[\w./-]+|[A-Z]:\\[\w\\.-]+/;
const PAGE = /<!doctype html|<html|<pre>/i;

/** Reports the first response for which `problem` returns one. */
function inspect(problem: (exchange: Exchange, probe: Probe) => string | undefined) {
  return async (probe: Probe): Promise<void> => {
    await sendProbes(probe);
    for (const exchange of probe.session.exchanges) {
      if (exchange.isForeign) continue;
      const found = problem(exchange, probe);
      if (found !== undefined) return probe.fail(exchange, `${exchange.what}: ${found}`);
    }
  };
}

/** Enough to look at when the other groups are left out. */
async function sendProbes(probe: Probe): Promise<void> {
  if (probe.session.exchanges.some(({ caseId }) => caseId.startsWith('B') || caseId.startsWith('G'))) return;
  await probe.deliver('a genuine delivery');
  await probe.send('signed with another secret', probe.tampered('wrong-secret'));
  await probe.send('malformed JSON', unusable(probe, `{"a":${ECHO}}`));
}

export const SECRET_CASES: readonly ConformanceCase[] = [
  {
    id: 'G1',
    severity: 'must',
    section: '3, 4',
    requirement: 'No response has a secret, in plain or encoded: Kiket records responses, and shows them.',
    sends: 'all responses; secrets, token and delivery secret are canaries',
    advice: 'Do not respond with the payload or with messages of errors that you did not write.',
    isLast: true,
    run: inspect((exchange, { session }) => {
      const name = session.canaries.findIn(textOf(exchange));
      return name === undefined ? undefined : `the body has ${name}`;
    }),
  },
  {
    id: 'G2',
    severity: 'must',
    section: '2',
    requirement: 'A refusal does not have the right signature.',
    sends: 'the responses to wrong signatures',
    advice: 'Do not report the expected MAC.',
    isLast: true,
    run: inspect((exchange, { session }) => {
      const text = `${textOf(exchange)} ${JSON.stringify(headersOf(exchange))}`.toLowerCase();
      const isShown = session.settings.deliverySecrets.some((secret) =>
        macsOf(secret, exchange).some((mac) => text.includes(mac.toLowerCase())),
      );
      return isShown ? 'the response has the right signature' : undefined;
    }),
  },
  {
    id: 'G3',
    severity: 'should',
    section: '4',
    requirement: 'No response has a stack trace, a path or the page of a framework.',
    sends: 'all responses',
    advice: 'Add an error handler that responds with a code and a message of your own.',
    isLast: true,
    run: inspect((exchange) => {
      const text = textOf(exchange);
      if (STACK_TRACE.test(text)) return 'a stack trace';
      if (PAGE.test(text)) return 'a page of HTML';
      return PATH.test(text) ? 'a path of the file system' : undefined;
    }),
  },
  {
    id: 'G4',
    severity: 'should',
    section: '3',
    requirement: 'The response to a malformed body does not quote it.',
    sends: 'malformed JSON with a canary',
    advice: 'Do not send the message of the parser: it quotes the text.',
    isLast: true,
    run: inspect((exchange) => (textOf(exchange).includes(ECHO) ? 'the response quotes the body' : undefined)),
  },
  {
    id: 'G5',
    severity: 'must',
    section: '3',
    requirement: 'No header of a response has a secret.',
    sends: 'the headers of all responses',
    advice: 'Do not put values of the payload into headers.',
    isLast: true,
    run: inspect((exchange, { session }) => {
      const line = headersOf(exchange).find(([, value]) => session.canaries.findIn(value) !== undefined);
      return line === undefined ? undefined : `${line[0]} has ${session.canaries.findIn(line[1])}`;
    }),
  },
  {
    id: 'G6',
    severity: 'must',
    section: '3',
    requirement: 'Secrets are never written to disk.',
    sends: 'nothing: files that were written during the run are searched for canaries',
    advice: 'Log names of secrets, not payloads.',
    inapplicable: ({ settings }) => (settings.scan.length === 0 ? 'no folder is given: see --scan' : undefined),
    isLast: true,
    run: async (probe) => {
      await sendProbes(probe);
      const { settings, canaries, startedAtMs } = probe.session;
      for (const folder of settings.scan) {
        for (const { file, name } of await findCanary(folder, canaries, startedAtMs)) {
          probe.fail(undefined, `${file} has ${name}`);
        }
      }
    },
  },
];

/** In the forms in which a message would show them. */
function macsOf(secret: string, { request: { body, headers } }: Exchange): string[] {
  const timestamp = headerOf(headers, 'X-Kiket-Timestamp');
  const texts = [body, ...(timestamp === undefined ? [] : [Buffer.concat([Buffer.from(`${timestamp}.`), body])])];
  return texts.flatMap((text) => {
    const mac = createHmac('sha256', secret).update(text).digest();
    return [mac.toString('hex'), mac.toString('base64')];
  });
}
