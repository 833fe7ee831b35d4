import type { ServerResponse } from 'node:http';
import type { HandlerOutcome } from './handler-outcome';
import { isBodiless, jsonHeaders, successStatus } from './prepare';

/** Returns the outcome that a success will have when it is sent, as `prepareSuccess` prepares it. */
export function successOutcome(
  res: Pick<ServerResponse, 'statusCode' | 'getHeaders'>,
  json: string | undefined,
  isDecision: boolean,
): HandlerOutcome {
  const status = successStatus(res, isDecision);
  const body = isBodiless(status) ? undefined : json;
  const { 'content-encoding': encoding, ...headers } = res.getHeaders();
  if (body !== undefined) return { status, headers: { ...headers, ...jsonHeaders() }, body, code: undefined };
  return { status, headers: { ...headers, 'content-encoding': encoding }, body: '', code: undefined };
}
