import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import manifest from '../package.json';
import { cyclesOf, importsOf, type Import, type Sources } from './support/imports';

const lib = resolve(__dirname, '../lib');

function readSources(): Sources {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => [file.replaceAll('\\', '/').slice(0, -3), readFileSync(join(lib, file), 'utf8')] as const),
  );
}

type Layer = 'index' | 'middleware' | 'neighbour' | 'noun' | 'errors';

function layerOf(file: string): Layer {
  if (file === 'index' || file === 'errors') return file;
  if (file.startsWith('middleware/')) return 'middleware';
  return file.includes('/') ? 'neighbour' : 'noun';
}

/**
 * Where arrows may go. The neighbours are folders with an entry point of their own, such as testing/. A type of theirs may
 * be named by all: `delivery.api` is one.
 */
const ARROWS: Record<Layer, readonly Layer[]> = {
  index: ['middleware', 'neighbour', 'noun', 'errors'],
  middleware: ['neighbour', 'noun', 'errors'],
  neighbour: ['neighbour', 'noun', 'errors'],
  noun: ['noun', 'errors'],
  errors: [],
};

/** The composition of all middlewares. */
const COMPOSITION = 'middleware/kiket';

/** What lib/version.ts reads from beside lib. */
const MANIFEST = 'package.json';

/** Packages that few need, or that take long to load: where they may stand. */
const RESTRICTED: Record<string, (found: Import) => boolean> = {
  express: ({ typeOnly }) => typeOnly,
  ajv: ({ from, typeOnly, lazy }) => from === 'schema' && (typeOnly || lazy),
  '@opentelemetry/api': ({ from }) => /^(?:middleware\/opentelemetry$|opentelemetry\/)/.test(from),
  bullmq: ({ from, typeOnly, lazy }) => from.startsWith('bullmq/') && (typeOnly || lazy),
  'lru-cache': ({ from, typeOnly, lazy }) => from === 'idempotency/memory' && (typeOnly || lazy),
  jose: ({ from, typeOnly, lazy }) => from.startsWith('runtime-token/') && (typeOnly || lazy),
  undici: ({ from, typeOnly, lazy }) => /^(?:api|testing)\//.test(from) && (typeOnly || lazy),
};

/** What breaks a rule, as `file → what it imports`. */
function violationsOf(sources: Sources): string[] {
  return importsOf(sources)
    .filter((found) => !(found.isLocal ? isAllowedInside(found) : isAllowedOutside(found)))
    .map(({ from, target }) => `${from} → ${target}`);
}

function isAllowedInside({ from, target, typeOnly }: Import): boolean {
  if (from === COMPOSITION && layerOf(target) === 'middleware') return true;
  if (typeOnly && layerOf(target) === 'neighbour') return true;
  return ARROWS[layerOf(from)].includes(layerOf(target));
}

function isAllowedOutside(found: Import): boolean {
  if (isBuiltin(found.target)) return found.target.startsWith('node:');
  const name = packageOf(found.target);
  const isKnown = name in manifest.dependencies || name in manifest.peerDependencies;
  return isKnown && (RESTRICTED[name]?.(found) ?? true);
}

/** `ajv` of `ajv/dist/standalone`. */
function packageOf(target: string): string {
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}

const sources = readSources();

describe('the imports of lib', () => {
  it('should go one way: index, middleware, nouns, errors; and name packages only where they belong', () => {
    expect(violationsOf(sources)).toEqual([]);
  });

  it('should not go round in a circle when they are loaded', () => {
    expect(cyclesOf(importsOf(sources))).toEqual([]);
  });

  it('should need every dependency of the manifest', () => {
    const used = new Set(importsOf(sources).map(({ target }) => packageOf(target)));
    expect(Object.keys(manifest.dependencies).filter((name) => !used.has(name))).toEqual([]);
  });

  it('should name files that exist', () => {
    const exists = (target: string) => sources.has(target) || target === MANIFEST;
    const missing = importsOf(sources).filter(({ isLocal, target }) => isLocal && !exists(target));
    expect(missing).toEqual([]);
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
    ['secrets', "import { kiketParse } from './middleware/parse';"],
    ['secrets', "type Options = import('./middleware/parse').KiketParseOptions;"],
    ['secrets', "import { signDelivery } from './testing/index';"],
    ['testing/index', "import { kiketParse } from '../middleware/parse';"],
    ['errors', "import type { KiketPayload } from './payload';"],
    ['secrets', "import { Router } from 'express';"],
    ['secrets', "import { type Router } from 'express'; import express from 'express';"],
    ['secrets', "import express = require('express');"],
    ['secrets', "import 'express';"],
    ['secrets', "export * from 'express';"],
    ['schema', "import { Ajv } from 'ajv';"],
    ['schema', "const { Ajv } = require('ajv');"],
    ['schema', "import standalone from 'ajv/dist/standalone';"],
    ['secrets', "function compile() { return require('ajv'); }"],
    ['secrets', "async function call() { return import('undici'); }"],
    ['api/transport', "import { Pool } from 'undici';"],
    ['secrets', "import { createKiketApi } from './api/index';"],
    ['api/client', "import { kiketParse } from '../middleware/parse';"],
    ['secrets', "import { parse } from 'cookie';"],
    ['secrets', "import type { Span } from '@opentelemetry/api';"],
    ['middleware/runtime-token', "import type { JWK } from 'jose';"],
    ['runtime-token/jose', "import { jwtVerify } from 'jose';"],
    ['idempotency/memory', "import { LRUCache } from 'lru-cache';"],
    ['middleware/idempotency', "const load = () => require('lru-cache');"],
    ['idempotency/redis', "import type { Redis } from 'ioredis';"],
    ['idempotency/redis', "const load = () => require('redis');"],
    ['bullmq/worker', "import { Worker } from 'bullmq';"],
    ['idempotency/claim', "import type { Queue } from 'bullmq';"],
    ['secrets', "import { inspect } from 'util';"],
  ])('should refuse in %s: %s', (file, text) => {
    expect(violationsOf(new Map([[file, text]]))).toHaveLength(1);
  });

  it.each([
    ['index', "export { kiketVerify } from './middleware/verify';"],
    ['middleware/kiket', "import { kiketVerify } from './verify';"],
    ['middleware/parse', "import { KiketError } from '../errors';"],
    ['middleware/parse', "import type { Request } from 'express';"],
    ['secrets', "import { type Request, type Response } from 'express';"],
    ['secrets', "import { KiketError } from './errors';"],
    ['testing/index', "import { computeMac } from '../signature';"],
    ['schema', "import type { ErrorObject } from 'ajv'; const load = () => require('ajv');"],
    ['secrets', "import { inspect } from 'node:util';"],
    ['errors', "import type { KiketRateLimit } from './api/rate-limit';"],
    ['middleware/parse', "import { createConnectApi } from '../api/delivery-api';"],
    ['api/transport', "import type { Pool } from 'undici'; const load = () => require('undici');"],
    ['middleware/opentelemetry', "import { trace } from '@opentelemetry/api';"],
    ['runtime-token/jose', "const load = () => import('jose');"],
    ['idempotency/memory', "const load = () => require('lru-cache');"],
    ['bullmq/bullmq', "const load = () => require('bullmq');"],
  ])('should allow in %s: %s', (file, text) => {
    expect(violationsOf(new Map([[file, text]]))).toEqual([]);
  });

  it('should find a circle once, and none of types or of calls', () => {
    const circle = new Map([
      ['a', "import { b } from './b';"],
      ['b', "import type { a } from './a'; export { c } from './c';"],
      ['c', "import { type A, a } from './a'; const later = () => require('./b');"],
    ]);
    expect(cyclesOf(importsOf(circle))).toEqual(['a → b → c → a']);
  });
});
