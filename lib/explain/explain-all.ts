import { headerOf } from '../sending/http-message';
import { computeMac, parseMac, toKeys } from '../signature/hmac';
import { cause, type ExplainSettings, type ReceivedRequest, type SignatureExplanation } from './explain';

/** A request and its explanation. */
export interface ExplainedRequest {
  readonly request: ReceivedRequest;
  readonly explanation: SignatureExplanation;
}

/** Beyond, the requests of a capture are not compared with each other. */
const MOST_COMPARED = 500;

/** Explains signatures that belong to another request of the same capture. */
export function withOtherRequests(
  explained: readonly ExplainedRequest[],
  { secrets }: Pick<ExplainSettings, 'secrets'>,
): readonly ExplainedRequest[] {
  if (explained.length < 2 || explained.length > MOST_COMPARED) return explained;
  const isOpen = ({ explanation }: ExplainedRequest): boolean => explanation.verdict === 'unexplained';
  if (!explained.some(isOpen)) return explained;
  const keys = toKeys(
    'explainSignature',
    secrets.map(({ value }) => value),
  );
  const owners = new Map<string, { readonly index: number; readonly secretIndex: number }>();
  explained.forEach(({ request: { headers, body } }, index) => {
    keys.forEach((key, secretIndex) => {
      for (const timestamp of [headerOf(headers, 'X-Kiket-Timestamp'), undefined]) {
        const mac = computeMac(key, body, timestamp).toString('hex');
        if (!owners.has(mac)) owners.set(mac, { index, secretIndex });
      }
    });
  });
  return explained.map((each) => {
    const mac = isOpen(each) ? parseMac(headerOf(each.request.headers, 'X-Kiket-Signature')) : undefined;
    const owner = mac === undefined ? undefined : owners.get(mac.toString('hex'));
    if (owner === undefined) return each;
    const causes = [cause('other-request', `body and timestamp of request ${owner.index + 1} are signed`)];
    const { secretIndex } = owner;
    return { ...each, explanation: { ...each.explanation, verdict: 'explained', isProved: true, causes, secretIndex } };
  });
}

/** Returns what all requests that fail have in common, and no request that does not fail. Empty for less than two failures. */
export function commonOf(explained: readonly ExplainedRequest[]): readonly string[] {
  const traits = explained.map((each) => ({ isValid: each.explanation.verdict === 'valid', traits: traitsOf(each) }));
  const failures = traits.filter(({ isValid }) => !isValid).map((each) => each.traits);
  const valid = traits.filter(({ isValid }) => isValid).map((each) => each.traits);
  if (failures.length < 2) return [];
  return [...failures[0]!].filter(
    (trait) => failures.every((each) => each.has(trait)) && !valid.some((each) => each.has(trait)),
  );
}

function traitsOf({ request: { headers, body }, explanation }: ExplainedRequest): ReadonlySet<string> {
  const traits = explanation.causes.map(({ condition }) => condition);
  traits.push(...explanation.hints.map(({ cause: text }) => text));
  for (const name of ['User-Agent', 'Via', 'Content-Type', 'Host']) {
    const value = headerOf(headers, name);
    if (value !== undefined) traits.push(`${name}: ${value}`);
  }
  const isTimestamped = headerOf(headers, 'X-Kiket-Timestamp') !== undefined;
  traits.push(isTimestamped ? 'X-Kiket-Timestamp is sent' : 'X-Kiket-Timestamp is not sent');
  if (body.some((byte) => byte > 0x7f)) traits.push('the body has characters beyond ASCII');
  traits.push(explanation.body.endsInNewline ? 'the body ends in a newline' : 'the body does not end in a newline');
  return new Set(traits);
}
