import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import express from 'express';
import { kiketErrorHandler, kiketVerify } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import request from 'supertest';
import { temporaryFolder } from '../../../support/cli';
import { blocksOf } from '../../../support/markdown';

const page = readFileSync(resolve(__dirname, '../../../../docs/contract.md'), 'utf8');
const blocks = blocksOf(page).filter(({ heading }) => heading === 'Sign by hand');
const codesOf = (language: string): string[] =>
  blocks.filter((block) => block.language === language).map(({ code }) => code);
const [timestamped, body] = codesOf('').map((code) => code.trim());

/** Runs the commands of the page in one shell. */
function runExample() {
  const cwd = temporaryFolder();
  const output = execFileSync('bash', ['-euc', `${codesOf('sh').join('\n')}\necho "$secret $timestamp"`], {
    cwd,
    encoding: 'utf8',
  });
  const [first, second, values] = output.split('\n');
  const [secret, timestamp] = values!.split(' ');
  return {
    digits: [first, second],
    secret: secret!,
    timestampSeconds: Number(timestamp),
    bytes: readFileSync(join(cwd, 'body.json')),
  };
}

const example = runExample();

describe('docs/contract.md', () => {
  it('should have the digits that openssl computes', () => {
    expect(example.digits).toEqual([timestamped, body]);
    expect(page).toContain(`The body has ${example.bytes.length} bytes`);
  });

  it.each([
    ['timestamped', timestamped],
    ['body', body],
  ] as const)('should have the digits that signDelivery computes: %s', (scheme, digits) => {
    const { secret, timestampSeconds, bytes } = example;
    const { headers } = signDelivery(bytes, { secret, scheme, timestampSeconds });
    expect(headers['X-Kiket-Signature']).toBe(digits);
  });

  it.each([
    ['timestamped', {}, 200],
    ['body', { 'X-Kiket-Signature': body! }, 200],
    ['body, with sha256=', { 'X-Kiket-Signature': `sha256=${body}` }, 200],
    ['body, in upper case', { 'X-Kiket-Signature': body!.toUpperCase() }, 200],
    ['another timestamp', { 'X-Kiket-Timestamp': String(example.timestampSeconds + 1) }, 401],
  ])('should have a request that kiketVerify accepts: %s', async (_, changes, status) => {
    const { secret, timestampSeconds, bytes } = example;
    const lines = codesOf('http')[0]!.trim().split('\n').slice(1);
    const isBody = 'X-Kiket-Signature' in changes;
    const headers = Object.fromEntries(
      lines
        .map((line) => line.split(': ') as [string, string])
        .filter(([name]) => !(isBody && name === 'X-Kiket-Timestamp')),
    );
    const app = express();
    const now = () => timestampSeconds * 1000;
    app.post('/kiket', kiketVerify(secret, { now }), (_req, res) => void res.end());
    app.use(kiketErrorHandler());
    await request(app)
      .post('/kiket')
      .set({ ...headers, ...changes })
      .send(bytes.toString())
      .expect(status);
  });
});
