// Checks receivers of bench/ against the contract: node --import tsx scripts/conformance-table.mjs [--write]
// Writes the results as JSON; with --write the tables of docs/reference/conformance.md. Needs the packages of bench/ for all rows.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { CASES } from '../lib/conformance/cases/index.ts';
import { checkReceiver } from '../lib/testing/index.ts';
import { SECRET } from '../bench/signing.mjs';

const DOCUMENT = new URL('../docs/reference/conformance.md', import.meta.url);

const header = (req, name) => req.headers[name] ?? '';

/** The digits, without what only Kiket writes before them. Commas separate several signatures in the headers of others. */
const signature = (req) => header(req, 'x-kiket-signature').replace('sha256=', '').replaceAll(',', ';');

/** A signature of another form must not become the right one: base64 itself is what the header of LINE has. */
const inBase64 = (value) => Buffer.from(value, /^[\da-f]{64}$/i.test(value) ? 'hex' : 'utf8').toString('base64');

/** How a delivery of Kiket becomes one of the sender that a receiver expects. */
const MAPPINGS = {
  kiket: () => ({}),
  github: (req) => ({
    'x-github-event': 'issues',
    'x-github-delivery': header(req, 'x-kiket-invocation') || 'none',
    ...present('x-hub-signature-256', signature(req), (value) => `sha256=${value}`),
  }),
  line: (req) => present('x-line-signature', signature(req), inBase64),
  stripe: (req) =>
    present('stripe-signature', signature(req), (value) => `t=${header(req, 'x-kiket-timestamp')},v1=${value}`),
};

function present(name, value, map) {
  return value === '' ? {} : { [name]: map(value) };
}

const RECEIVERS = [
  { id: 'express4', name: 'hand-written Express 4', mapping: 'kiket', scheme: 'body' },
  { id: 'express5', name: 'hand-written Express 5', mapping: 'kiket', scheme: 'body' },
  { id: 'express5-json-verify', name: '`express.json({ verify })`', mapping: 'kiket', scheme: 'body' },
  { id: 'octokit', name: '@octokit/webhooks', mapping: 'github', scheme: 'body' },
  { id: 'line', name: '@line/bot-sdk', mapping: 'line', scheme: 'body' },
  { id: 'stripe', name: 'stripe', mapping: 'stripe', scheme: 'timestamped' },
];

const results = [];
// Express and the receivers print the errors that they expect.
console.error = () => {};
for (const receiver of RECEIVERS) {
  const listener = await load(receiver.id);
  if (listener !== undefined) results.push({ ...receiver, ...(await check(receiver, listener)) });
}
if (process.argv.includes('--write')) write();
else process.stdout.write(JSON.stringify(results));
process.exit();

/** Returns `undefined` when its packages are not installed. */
async function load(id) {
  try {
    return (await import(`../bench/receivers/${id}.mjs`)).default;
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

async function check({ mapping, scheme }, listener) {
  const server = createServer((req, res) => {
    Object.assign(req.headers, MAPPINGS[mapping](req));
    listener(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/kiket`;
  const { cases } = await checkReceiver(url, { secret: SECRET, scheme, prefix: '', skip: ['D4', 'F', 'H'] });
  server.closeAllConnections();
  server.close();
  const failed = (severity) =>
    cases.filter((each) => each.outcome === 'failed' && each.severity === severity).map(({ id }) => id);
  return { must: failed('must'), should: failed('should'), hint: failed('hint') };
}

function write() {
  const cell = (ids) => (ids.length === 0 ? '–' : ids.join(', '));
  const receivers = results.map(({ name, must, should, hint }) => [name, cell(must), cell(should), cell(hint)]);
  const cases = CASES.map(({ id, severity, section, requirement, sends }) => [
    id,
    severity,
    section,
    requirement,
    sends,
  ]);
  const before = readFileSync(DOCUMENT, 'utf8');
  const withCases = replaceTable(before, 'cases', ['Case', 'Severity', 'Section', 'Requirement', 'Sent'], cases);
  writeFileSync(DOCUMENT, replaceTable(withCases, 'receivers', ['Receiver', 'must', 'should', 'hint'], receivers));
  console.log(`${results.length} receivers written to ${fileURLToPath(DOCUMENT)}; format it with prettier`);
}

function replaceTable(text, name, heading, rows) {
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells) =>
    `| ${cells.join(' | ')} |`.replaceAll(/__proto__|<[^|]+>/g, '`$&`'),
  );
  const block = new RegExp(`(<!-- ${name} -->)[^]*(<!-- end ${name} -->)`);
  return text.replace(block, (_all, start, end) => `${start}\n\n${lines.join('\n')}\n\n${end}`);
}
