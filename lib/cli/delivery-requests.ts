import { randomUUID } from 'node:crypto';
import { payloadOf } from '../captures/facts';
import { withHeader, withoutHeader, type HeaderLine, type OutgoingRequest } from '../sending/http-message';
import { newRuntimeToken, renderPayload, type RenderOptions } from '../sending/render';
import { signedRequest, type SigningPlan } from '../sending/sign';
import { findTampering } from '../sending/tamper';
import type { DeliverySource } from './delivery-source';
import { usageError } from './exit';
import type { CliIo } from './io';
import { editOf, inUsage, type EditOptions } from './payload-edits';
import type { Project } from './project';

/** Returns the timestamp of a delivery that is signed at a time, both in seconds since 1970. */
export type TimestampOf = (nowSeconds: number) => number;

/** Options of `send` that decide what is sent. */
export interface RequestOptions extends EditOptions {
  readonly envelope: 'contract' | 'data';
  readonly invocation?: string | undefined;
  readonly prefix: string;
  readonly timestamp: TimestampOf;
  readonly headers: 'full' | 'minimal';
  readonly header?: readonly HeaderLine[] | undefined;
  readonly omit?: readonly string[] | undefined;
  readonly missing?: readonly string[] | undefined;
  readonly api?: string | undefined;
  readonly raw?: boolean | undefined;
  readonly pretty?: boolean | undefined;
  readonly bom?: boolean | undefined;
  readonly newline?: 'lf' | 'crlf' | undefined;
  readonly tamper?: string | undefined;
}

/** The input from which the requests of a command are made. */
export interface Blueprint {
  readonly source: DeliverySource;
  readonly url: string;
  readonly project: Project;
  readonly options: RequestOptions;
  readonly env: CliIo['env'];
}

/**
 * Returns a function that makes the requests of one delivery for each attempt: as many as the tampering makes, else one. Only time
 * and token change between attempts.
 */
export function requestsOf(blueprint: Blueprint): () => readonly OutgoingRequest[] {
  const { url, options } = blueprint;
  const invocationId = options.invocation ?? randomUUID();
  return () => {
    const body = bodyOf(blueprint, invocationId);
    const plan = planOf(blueprint, invocationId);
    const tampering = options.tamper === undefined ? undefined : findTampering(options.tamper);
    const requests =
      tampering === undefined
        ? [signedRequest(url, body, plan)]
        : inUsage(`--tamper ${tampering.name}`, () => tampering.apply({ url, body, plan }));
    return requests.map((request) => ({ ...request, headers: headersOf(request, blueprint) }));
  };
}

/** Returns the request of another delivery, signed in the given form, without tampering. */
export function requestIn(blueprint: Blueprint, form: Pick<SigningPlan, 'scheme' | 'prefix'>): OutgoingRequest {
  const id = randomUUID();
  const request = signedRequest(blueprint.url, bodyOf(blueprint, id), { ...planOf(blueprint, id), ...form });
  return { ...request, headers: headersOf(request, blueprint) };
}

function headersOf({ headers }: OutgoingRequest, { project, options }: Blueprint): readonly HeaderLine[] {
  const { header: given = [], omit = [] } = options;
  const ofManifest = Object.entries(project.headers.value);
  const all = ofManifest.reduce<readonly HeaderLine[]>((lines, line) => withHeader(lines, ...line), headers);
  const others = given.reduce<readonly HeaderLine[]>((lines, [name]) => withoutHeader(lines, name), all);
  // A name that is given twice is sent twice.
  return omit.reduce<readonly HeaderLine[]>(withoutHeader, [...others, ...given]);
}

function planOf({ source, project, options }: Blueprint, invocationId: string): SigningPlan {
  const isNamed = 'bytes' in source && project.eventVersion.source === 'default';
  return {
    secret: project.deliverySecrets.value[0]?.value,
    scheme: project.scheme.value,
    prefix: options.prefix,
    timestampSeconds: options.timestamp(Math.floor(Date.now() / 1000)),
    headers: options.headers,
    event: source.event,
    eventVersion: isNamed ? source.eventVersion : project.eventVersion.value,
    invocationId,
    projectId: project.project.value,
    organizationId: project.organization.value,
  };
}

function bodyOf(blueprint: Blueprint, id: string): Buffer {
  const { source, options } = blueprint;
  const given = 'bytes' in source ? source.bytes : undefined;
  if (given !== undefined && options.raw === true) return given;
  const edit = editOf(options);
  const isIndented = options.pretty === true;
  const end = { lf: '\n', crlf: '\r\n', none: '' }[options.newline ?? 'none'];
  const framed = (body: Buffer | string): Buffer =>
    Buffer.concat([Buffer.from(options.bom === true ? '\uFEFF' : ''), Buffer.from(body), Buffer.from(end)]);
  if (given !== undefined && edit === undefined && !isIndented) return framed(given);

  const payload =
    'event' in source && given === undefined
      ? renderPayload(source.event!, renderOptionsOf(blueprint, id))
      : payloadOf(given!);
  // A capture may have another body.
  if (payload === undefined) throw usageError('--set, --unset and --pretty need a body that is a JSON object');
  const edited = edit === undefined ? payload : inUsage('--set', () => edit(payload));
  return framed(JSON.stringify(edited, null, isIndented ? 2 : undefined));
}

function renderOptionsOf({ project, options, env }: Blueprint, id: string): RenderOptions {
  const { envelope, missing = [], api } = options;
  const baseUrl = api ?? (env['KIKET_BASE_URL'] || undefined);
  const hasToken = baseUrl !== undefined || project.scopes.source !== 'default';
  return {
    envelope,
    eventVersion: project.eventVersion.value,
    projectId: project.project.value,
    organizationId: project.organization.value,
    id,
    secrets: project.secrets.value,
    missing: [...new Set([...project.missingSecrets.value, ...missing])],
    callback: {
      ...(hasToken && {
        authentication: {
          token_type: 'runtime',
          ...newRuntimeToken(),
          scopes: project.scopes.value,
        },
      }),
      ...(baseUrl !== undefined && { api: { base_url: baseUrl, runtime_header: 'X-Kiket-Runtime-Token' } }),
    },
  };
}
