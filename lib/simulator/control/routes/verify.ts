import { CaptureError, parseCaptures } from '../../../captures/parse';
import { explainRequest, type ExplainSettings, type ReceivedRequest } from '../../../explain/explain';
import { InputError } from '../../local-kiket';
import type { VerifyInput } from '../messages';
import { route, type ControlContext, type Route } from '../route';

/** Largest distance of a timestamp from the time at which a request was received, in seconds: that of the contract. */
const TOLERANCE_SECONDS = 300;

/** Explains signatures. */
export const VERIFY_ROUTES: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/verify',
    summary: 'Explains the signature of a request',
    body: 'VerifyInput',
    status: 200,
    result: 'SignatureExplanation',
    failures: [409],
    run: ({ body }, context) => explainRequest(requestOf(body), explainSettings(context)),
  }),
];

/** @throws {InputError} when there is no secret to verify with. */
export function explainSettings({ verifySecrets }: ControlContext): ExplainSettings {
  const { secrets, others } = verifySecrets();
  if (secrets.length === 0) throw new InputError(409, 'there is no delivery secret to verify with');
  return {
    secrets,
    others,
    signatureSchemes: ['body', 'timestamped'],
    toleranceSeconds: TOLERANCE_SECONDS,
    nowSeconds: Math.floor(Date.now() / 1000),
    isAll: false,
    showsExpected: false,
  };
}

function requestOf({ capture, method = 'POST', url, headers, body = '' }: VerifyInput): ReceivedRequest {
  if (capture === undefined) {
    if (headers === undefined) throw new InputError(400, 'capture, or headers and body, must be given');
    return { method, url, headers, body: Buffer.from(body) };
  }
  const captures = capturesIn(capture);
  if (captures.length !== 1) throw new InputError(400, `capture must have one request, but has ${captures.length}`);
  return captures[0]!;
}

function capturesIn(text: string): ReceivedRequest[] {
  try {
    return parseCaptures(Buffer.from(text));
  } catch (error) {
    if (error instanceof CaptureError) throw new InputError(400, `capture cannot be read:\n${error.message}`);
    throw error;
  }
}
