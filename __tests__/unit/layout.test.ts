import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import manifest from '../../package.json';
import { cyclesOf, importsOf, type Import, type Sources } from '../support/imports';

const lib = resolve(__dirname, '../../lib');

function readSources(): Sources {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
  return new Map(
    files.map(
      (file) => [file.replaceAll('\\', '/').replace(/\.tsx?$/, ''), readFileSync(join(lib, file), 'utf8')] as const,
    ),
  );
}

/**
 * The folders of lib, from the top down. A file imports from its own folder and from those of lower ranks only, types included.
 * The last rank is the files that stand beside the folders: they import one another only.
 */
const RANKS: readonly (readonly string[])[] = [
  ['index'],
  ['cli'],
  ['demo'],
  ['middleware', 'simulator', 'testing'],
  ['conformance'],
  ['captures', 'explain', 'fake-kiket'],
  [
    'bullmq',
    'manifest',
    'opentelemetry',
    'pg-boss',
    'postgres',
    'runtime-token',
    'sdk',
    'sending',
    'shutdown',
    'telemetry',
  ],
  ['queue'],
  ['events', 'idempotency'],
  ['exchange'],
  ['response', 'delivery'],
  ['signature', 'api'],
  ['body'],
  ['leaves'],
];

/** The folder of a file; `leaves` for one beside the folders. */
function folderOf(file: string): string {
  if (file === 'index') return file;
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'leaves';
}

function rankOf(file: string): number {
  return RANKS.findIndex((folders) => folders.includes(folderOf(file)));
}

/** Files that may stand beside the folders. */
const MOST_AT_TOP = 10;

/** Middlewares do not import one another: only the composition of all does. */
const COMPOSITION = 'middleware/kiket';

/** The file outside of lib that lib/package-json.ts reads. */
const MANIFEST = 'package.json';

/** Packages that few services need or that load slowly, with the places that may import them. */
const RESTRICTED: Record<string, (found: Import) => boolean> = {
  express: ({ from, typeOnly, lazy }) => typeOnly || (lazy && /^(?:demo|fake-kiket|simulator\/control)\//.test(from)),
  ajv: ({ from, typeOnly, lazy }) =>
    /^(?:delivery\/schema|simulator\/control\/requests)$/.test(from) && (typeOnly || lazy),
  '@opentelemetry/api': ({ from }) => /^(?:middleware\/opentelemetry$|opentelemetry\/)/.test(from),
  bullmq: ({ from, typeOnly, lazy }) => from.startsWith('bullmq/') && (typeOnly || lazy),
  'lru-cache': ({ from, typeOnly, lazy }) => from === 'idempotency/memory-store' && (typeOnly || lazy),
  jose: ({ from, typeOnly, lazy }) => from.startsWith('runtime-token/') && (typeOnly || lazy),
  yaml: ({ from, typeOnly, lazy }) => from.startsWith('manifest/') && (typeOnly || lazy),
  commander: ({ from }) => from.startsWith('cli/'),
  undici: ({ from, typeOnly, lazy }) => /^(?:api|fake-kiket)\//.test(from) && (typeOnly || lazy),
};

/** Runs in browsers: of other files it uses types only, and of packages those that are bundled. */
const PAGE = 'simulator/page/';
const BUNDLED = ['preact', 'microdiff'];

/** Returns the violations of the rules, each as `file → import`. */
function violationsOf(sources: Sources): string[] {
  return importsOf(sources)
    .filter((found) => !(found.isLocal ? isAllowedInside(found) : isAllowedOutside(found)))
    .map(({ from, target }) => `${from} → ${target}`);
}

function isAllowedInside({ from, target, typeOnly }: Import): boolean {
  if (target === MANIFEST) return from === 'package-json';
  if (target.startsWith(PAGE)) return from.startsWith(PAGE);
  if (from.startsWith(PAGE) && !typeOnly) return false;
  if (folderOf(from) !== folderOf(target)) return rankOf(from) < rankOf(target);
  return folderOf(from) !== 'middleware' || from === COMPOSITION;
}

function isAllowedOutside(found: Import): boolean {
  const name = packageOf(found.target);
  if (found.from.startsWith(PAGE)) return BUNDLED.includes(name);
  if (isBuiltin(found.target)) return found.target.startsWith('node:');
  const isKnown = name in manifest.dependencies || name in manifest.peerDependencies;
  return isKnown && (RESTRICTED[name]?.(found) ?? true);
}

/** `ajv` of `ajv/dist/standalone`. */
function packageOf(target: string): string {
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

const sources = readSources();

describe('the imports of lib', () => {
  it('should go down the ranks, and import packages only where the rules allow it', () => {
    expect(violationsOf(sources)).toEqual([]);
  });

  it('should form no circle, types included', () => {
    expect(cyclesOf(importsOf(sources))).toEqual([]);
  });

  it('should use every dependency of the manifest', () => {
    const used = new Set(importsOf(sources).map(({ target }) => packageOf(target)));
    expect(Object.keys(manifest.dependencies).filter((name) => !used.has(name))).toEqual([]);
  });

  it('should name files that exist', () => {
    const exists = (target: string) =>
      sources.has(target) || target === MANIFEST || (target.endsWith('.css') && existsSync(join(lib, target)));
    const missing = importsOf(sources).filter(({ isLocal, target }) => isLocal && !exists(target));
    expect(missing).toEqual([]);
  });
});

describe('the files of lib', () => {
  it('should be in a folder that has a rank', () => {
    expect([...sources.keys()].filter((file) => rankOf(file) === -1)).toEqual([]);
  });

  it(`should be outside of the folders at most ${MOST_AT_TOP} times`, () => {
    expect([...sources.keys()].filter((file) => !file.includes('/')).length).toBeLessThanOrEqual(MOST_AT_TOP);
  });
});

describe('index', () => {
  it('should re-export, and nothing else', () => {
    const file = ts.createSourceFile('index.ts', sources.get('index')!, ts.ScriptTarget.Latest);
    expect(file.statements.length).toBeGreaterThan(0);
    expect(file.statements.every((statement) => ts.isExportDeclaration(statement))).toBe(true);
  });
});

describe('the rules', () => {
  it.each([
    ['middleware/parse', "import { kiketVerify } from './verify';"],
    ['middleware/parse', "import type { KiketVerifyOptions } from './verify';"],
    ['middleware/parse', "export * from './verify';"],
    ['middleware/parse', "export { kiket } from '../index';"],
    ['json', "import { kiketParse } from './middleware/parse';"],
    ['json', "type Options = import('./middleware/parse').KiketParseOptions;"],
    ['json', "import { signDelivery } from './testing/index';"],
    ['testing/index', "import { kiketParse } from '../middleware/parse';"],
    ['errors', "import type { KiketPayload } from './delivery/payload';"],
    ['signature/hmac', "import type { Delivery } from '../delivery/delivery';"],
    ['delivery/delivery', "import type { Exchange } from '../exchange/exchange';"],
    ['response/prepare', "import { Delivery } from '../delivery/delivery';"],
    ['idempotency/claim', "import { openClaims } from '../shutdown/closing-servers';"],
    ['json', "import { Router } from 'express';"],
    ['json', "import { type Router } from 'express'; import express from 'express';"],
    ['json', "import express = require('express');"],
    ['json', "import 'express';"],
    ['json', "const load = () => require('express');"],
    ['testing/index', "import express from 'express';"],
    ['json', "export * from 'express';"],
    ['delivery/schema', "import { Ajv } from 'ajv';"],
    ['delivery/schema', "const { Ajv } = require('ajv');"],
    ['delivery/schema', "import standalone from 'ajv/dist/standalone';"],
    ['json', "function compile() { return require('ajv'); }"],
    ['json', "async function call() { return import('undici'); }"],
    ['api/transport', "import { Pool } from 'undici';"],
    ['json', "import { createKiketApi } from './api/index';"],
    ['api/client', "import { kiketParse } from '../middleware/parse';"],
    ['json', "import { parse } from 'cookie';"],
    ['json', "import type { Span } from '@opentelemetry/api';"],
    ['middleware/runtime-token', "import type { JWK } from 'jose';"],
    ['runtime-token/jose', "import { jwtVerify } from 'jose';"],
    ['idempotency/memory-store', "import { LRUCache } from 'lru-cache';"],
    ['middleware/idempotency', "const load = () => require('lru-cache');"],
    ['idempotency/redis-store', "import type { Redis } from 'ioredis';"],
    ['idempotency/redis-store', "const load = () => require('redis');"],
    ['bullmq/worker', "import { Worker } from 'bullmq';"],
    ['idempotency/claim', "import type { Queue } from 'bullmq';"],
    ['manifest/yaml', "import { parseDocument } from 'yaml';"],
    ['middleware/kiket', "const load = () => require('yaml');"],
    ['delivery/manifest-option', "import { loadManifest } from '../manifest/index';"],
    ['json', "import { inspect } from 'util';"],
    ['simulator/page/app', "import { InputError } from '../local-kiket';"],
    ['simulator/page/app', "import { join } from 'node:path';"],
    ['simulator/page/app', "import express from 'express';"],
    ['simulator/simulator', "import { size } from './page/quantities';"],
    ['simulator/simulator', "import { h } from 'preact';"],
  ])('should refuse in %s: %s', (file, text) => {
    expect(violationsOf(new Map([[file, text]]))).toHaveLength(1);
  });

  it.each([
    ['index', "export { kiketVerify } from './middleware/verify';"],
    ['middleware/kiket', "import { kiketVerify } from './verify';"],
    ['middleware/parse', "import { KiketError } from '../errors';"],
    ['middleware/parse', "import type { Request } from 'express';"],
    ['json', "import { type Request, type Response } from 'express';"],
    ['json', "import { KiketError } from './errors';"],
    ['testing/index', "import { computeMac } from '../signature/hmac';"],
    ['fake-kiket/fake-app', "const load = () => require('express');"],
    ['delivery/schema', "import type { ErrorObject } from 'ajv'; const load = () => require('ajv');"],
    ['json', "import { inspect } from 'node:util';"],
    ['exchange/exchange', "import { Delivery } from '../delivery/delivery';"],
    ['exchange/exchange', "import { DeliveryResponse } from '../response/delivery-response';"],
    ['middleware/parse', "import { createConnectApi } from '../api/delivery-api';"],
    ['api/transport', "import type { Pool } from 'undici'; const load = () => require('undici');"],
    ['middleware/opentelemetry', "import { trace } from '@opentelemetry/api';"],
    ['runtime-token/jose', "const load = () => import('jose');"],
    ['idempotency/memory-store', "const load = () => require('lru-cache');"],
    ['bullmq/bullmq', "const load = () => require('bullmq');"],
    ['manifest/yaml', "const load = () => require('yaml');"],
    ['simulator/page/app', "import type { LocalKiket } from '../local-kiket';"],
    ['simulator/page/app', "import { useState } from 'preact/hooks'; import { path } from './router';"],
  ])('should allow in %s: %s', (file, text) => {
    expect(violationsOf(new Map([[file, text]]))).toEqual([]);
  });

  it('should find a circle once, of types and calls too', () => {
    const circle = new Map([
      ['a', "import { b } from './b';"],
      ['b', "import type { a } from './a'; export { c } from './c';"],
      ['c', "const later = () => require('./b');"],
    ]);
    expect(cyclesOf(importsOf(circle))).toEqual(['a → b → a', 'b → c → b']);
  });
});
