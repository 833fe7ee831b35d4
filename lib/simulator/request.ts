import { createHash } from 'node:crypto';
import { secretsIn } from '../captures/redact';
import { urlOf } from '../sending/endpoint';
import { headerOf, withHeader, type HeaderLine, type OutgoingRequest } from '../sending/http-message';
import { withPlatformPart } from '../sending/render';
import { signedRequest, type SigningPlan } from '../sending/sign';
import { findTampering, type UnsignedDelivery } from '../sending/tamper';
import type { Blueprint } from './blueprint';
import type { AttemptDetail } from './model';
import type { Settings } from './settings';
import type { HiddenValue, Vault } from './vault';

/** The values that change from one attempt to the next. */
export interface AttemptContext {
  readonly settings: Settings;
  readonly vault: Vault;
  /** A fresh token, and the address of the API. */
  readonly callback: { readonly authentication: { readonly runtime_token: string } };
  /** Of the hook. */
  readonly endpoint: string | undefined;
  readonly nowSeconds: number;
  readonly faults: RequestFaults;
}

/** Faults that change a request. */
export interface RequestFaults {
  readonly tamper?: string | undefined;
  readonly usesPreviousSecret?: boolean | undefined;
}

/** The requests of one attempt: one, unless a tampering makes several. */
export interface PreparedAttempt {
  readonly requests: readonly OutgoingRequest[];
  readonly signature: AttemptDetail['signature'];
  readonly token: string;
  /** The values that are not shown: secrets, token and signature. */
  readonly hidden: readonly HiddenValue[];
  /** Why a fault was not applied. */
  readonly problem: string | undefined;
}

/** Makes the requests of an attempt: with a fresh token, the secrets of now, and signed at the time of now. */
export function prepareAttempt(blueprint: Blueprint, context: AttemptContext): PreparedAttempt {
  const { settings, vault, callback, faults } = context;
  const { content } = blueprint;
  const token = callback.authentication.runtime_token;
  const plan = planOf(blueprint, context);
  const unsigned: UnsignedDelivery = {
    url: urlOf(settings.target, blueprint.endpoint ?? context.endpoint),
    body: bodyOf(blueprint, context),
    plan,
  };
  const name = faults.tamper ?? blueprint.tamper;
  const isExact = 'headers' in content;
  const { requests, problem } = isExact
    ? {
        requests: [{ method: 'POST', url: unsigned.url, headers: content.headers, body: content.bytes }],
        problem: undefined,
      }
    : tampered(unsigned, name);
  const sent = requests.map((request) => ({ ...request, headers: withHeaders(request.headers, settings.headers) }));
  return {
    requests: sent,
    signature: signatureOf(sent[0]!, plan, problem === undefined && !isExact ? name : undefined),
    token,
    hidden: [{ value: token, name: 'token' }, ...sent.flatMap(hiddenSignatures), ...hiddenIn(content), ...vault.hidden],
    problem,
  };
}

function tampered(
  unsigned: UnsignedDelivery,
  name: string | undefined,
): { readonly requests: readonly OutgoingRequest[]; readonly problem: string | undefined } {
  const plain = [signedRequest(unsigned.url, unsigned.body, unsigned.plan)];
  if (name === undefined) return { requests: plain, problem: undefined };
  try {
    return { requests: findTampering(name)!.apply(unsigned), problem: undefined };
  } catch (error) {
    return { requests: plain, problem: `${name} was not applied: ${(error as Error).message}` };
  }
}

function planOf(blueprint: Blueprint, { settings, vault, nowSeconds, faults }: AttemptContext): SigningPlan {
  const previous = faults.usesPreviousSecret === true ? vault.previousDeliverySecret : undefined;
  return {
    secret: previous ?? vault.deliverySecret,
    scheme: blueprint.scheme,
    prefix: blueprint.prefix,
    timestampSeconds: nowSeconds + blueprint.timestampOffsetSeconds,
    headers: blueprint.headers,
    event: blueprint.event,
    eventVersion: blueprint.eventVersion ?? settings.eventVersion,
    invocationId: blueprint.invocationId,
    projectId: blueprint.projectId,
    organizationId: blueprint.organizationId,
  };
}

function bodyOf({ content, missing }: Blueprint, { vault, callback }: AttemptContext): Buffer {
  if ('bytes' in content) return content.bytes;
  const secrets = Object.fromEntries(Object.entries(vault.secrets).filter(([key]) => !missing.includes(key)));
  const payload = withPlatformPart(content.payload, {
    secrets,
    missing: [...new Set([...vault.missing, ...missing])],
    callback,
  });
  return Buffer.from(JSON.stringify(payload));
}

function withHeaders(lines: readonly HeaderLine[], headers: Readonly<Record<string, string>>): readonly HeaderLine[] {
  return Object.entries(headers).reduce<readonly HeaderLine[]>((all, line) => withHeader(all, ...line), lines);
}

/** Given bytes may have a token and secrets of their own. */
function hiddenIn(content: Blueprint['content']): HiddenValue[] {
  if ('payload' in content) return [];
  const values = secretsIn({ headers: 'headers' in content ? content.headers : [], body: content.bytes });
  return values.map((value) => ({ value, name: 'secret of the request' }));
}

function hiddenSignatures({ headers }: OutgoingRequest): HiddenValue[] {
  const value = headerOf(headers, 'X-Kiket-Signature')?.replace(/^sha256=/, '') ?? '';
  // Those of a tampering may be anything.
  return /^[\da-f]{64}$/i.test(value) ? [{ value, name: 'signature' }] : [];
}

/** Returns how a request is signed. */
export function signatureOf(
  { headers, body }: OutgoingRequest,
  { scheme }: Pick<SigningPlan, 'scheme'>,
  tamper: string | undefined,
): AttemptDetail['signature'] {
  const isSigned = headerOf(headers, 'X-Kiket-Signature') !== undefined;
  const timestamp = headerOf(headers, 'X-Kiket-Timestamp');
  const digest = createHash('sha256').update(body).digest('hex');
  const signedBody = `<body: ${body.length} bytes, SHA-256 ${digest.slice(0, 16)}…>`;
  const signedText = timestamp === undefined ? signedBody : `${timestamp}.${signedBody}`;
  return { scheme, isSigned, signedText, ...(tamper !== undefined && { tamper }) };
}
