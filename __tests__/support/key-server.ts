import { createHmac, generateKeyPairSync, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { startServer } from './loopback-server';
import { until } from './until';

/** A key of the platform. It signs tokens; its `jwk` is published. */
export interface TokenKey {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey & { readonly kid: string };
}

const CURVES = { ES256: 'P-256', ES384: 'P-384' } as const;

export function createKey(kid: string, alg: keyof typeof CURVES | 'RS256' = 'ES256'): TokenKey {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: CURVES[alg] });
  return { alg, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

/** Returns a signed token like Kiket's. Header fields that are `undefined` are left out. */
export function mintToken(key: TokenKey, claims: unknown, header: object = {}): string {
  const protectedHeader = { alg: key.alg, kid: key.jwk.kid, ...header };
  return signWith(protectedHeader, claims, (data) =>
    sign(`sha${key.alg.slice(2)}`, data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }),
  );
}

/** Returns a token signed with a public secret. */
export function mintHmacToken(secret: string, claims: unknown, header: object = {}): string {
  return signWith({ alg: 'HS256', ...header }, claims, (data) => createHmac('sha256', secret).update(data).digest());
}

/** Encodes a string as it is, so that a token can contain invalid JSON. */
export function signWith(header: unknown, claims: unknown, signer: (data: Buffer) => Buffer): string {
  const encode = (part: unknown): string =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const data = `${encode(header)}.${encode(claims)}`;
  return `${data}.${signer(Buffer.from(data)).toString('base64url')}`;
}

export interface KeyServer {
  readonly url: string;
  /** Requested paths. */
  readonly requests: string[];
  /** Number of connections so far. */
  readonly connections: () => number;
  /** Replaces the published members: a key by its `jwk`, any other value as it is. */
  publish(...keys: readonly unknown[]): void;
  /** Responds to every request in place of the keys. */
  respond: RequestListener | undefined;
  /** Holds all requests. The returned function responds to them. */
  hold(): () => void;
  /** Resolves after `count` requests in total. */
  received(count: number): Promise<void>;
}

/** Starts a key server on loopback. It is closed after the test. */
export async function startKeyServer(...keys: readonly unknown[]): Promise<KeyServer> {
  let published = keys;
  let holding = false;
  const held: Parameters<RequestListener>[] = [];
  const publishKeys: RequestListener = (req, res) => {
    if (keyServer.respond !== undefined) return keyServer.respond(req, res);
    const jwks = { keys: published.map((key) => (isTokenKey(key) ? key.jwk : key)) };
    res.setHeader('content-type', 'application/json').end(JSON.stringify(jwks));
  };
  const { url, counts } = await startServer((req, res) => {
    keyServer.requests.push(req.url!);
    if (holding) held.push([req, res]);
    else publishKeys(req, res);
  });
  const keyServer: KeyServer = {
    url: `${url}/.well-known/jwks.json`,
    requests: [],
    connections: () => counts.connections,
    respond: undefined,
    publish(...next) {
      published = next;
    },
    hold() {
      holding = true;
      return () => {
        holding = false;
        for (const request of held.splice(0)) publishKeys(...request);
      };
    },
    received: (count) => until(() => keyServer.requests.length >= count),
  };
  return keyServer;
}

function isTokenKey(key: unknown): key is TokenKey {
  return typeof key === 'object' && key !== null && 'jwk' in key;
}

/** Responds with a status and a body. */
export function text(status: number, body: string, headers: Record<string, string> = {}): RequestListener {
  return (_req, res) => void res.writeHead(status, headers).end(body);
}

/** Resets the connection. */
export const reset: RequestListener = (req) => void req.socket.destroy();

/** Starts a response and never ends it. */
export const stall: RequestListener = (_req, res) => void res.writeHead(200).write('{"keys":[');
