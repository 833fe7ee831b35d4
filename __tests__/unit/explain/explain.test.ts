import { createHmac, randomBytes } from 'node:crypto';
import { bodyForms } from '../../../lib/explain/body-forms';
import { search } from '../../../lib/explain/search';
import { secretForms } from '../../../lib/explain/secret-forms';
import { readSignature } from '../../../lib/explain/signature-readings';
import { signedTexts } from '../../../lib/explain/signed-texts';
import type { HeaderLine } from '../../../lib/sending/http-message';
import {
  BODY,
  explain,
  made,
  NOW,
  PAYLOAD,
  ROWS,
  SECRET,
  TIMESTAMP,
  validMaking,
  type Making,
  type Row,
} from './deviant';

function makingOf(...rows: readonly Row[]): Making {
  const making = validMaking();
  for (const { change } of rows) change(making);
  return making;
}

function explained(change: (making: Making) => void = () => {}, more: Parameters<typeof explain>[2] = {}) {
  const making = validMaking();
  change(making);
  return explain(made(making), making, more);
}

describe('one deviation', () => {
  it.each(ROWS)('should be the first explanation: $id, $name', (row) => {
    const making = makingOf(row);
    const { verdict, isProved, causes } = explain(made(making), making);
    expect([verdict, isProved, causes.map(({ id }) => id)]).toEqual(['explained', true, [row.id]]);
  });
});

describe('two deviations of different parts', () => {
  /** Both cannot be found: the second does not reach the signature, or hides what the first needs. */
  const exceptions: ((row: Row) => boolean)[] = [
    // Tried alone, as there are hundreds of times.
    ({ id }) => id === 'timestamp-lost',
    // Needs no secret.
    ({ name }) => name === 'SHA-256 without a key',
    // With an empty secret, it needs none either.
    ({ name }) => name.startsWith('SHA-256 of'),
    // Is in the body.
    ({ name }) => name === 'the runtime token',
  ];
  const rows = ROWS.filter((row) => !exceptions.some((isException) => isException(row)));
  const pairs = rows.flatMap((a) => rows.filter((b) => a.part < b.part).map((b) => [a, b] as const));
  /** Of some 3700 pairs, as many as take a few seconds; steps of another prime give other ones. */
  const sample = pairs.filter((_, i) => i % 31 === 7);

  it(`should both be named, in a sample of ${sample.length} of ${pairs.length} pairs`, () => {
    const wrong = sample.filter((pair) => {
      const making = makingOf(...pair);
      const found = explain(made(making), making).causes.map(({ id }) => id);
      return (
        found.sort().join() !==
        pair
          .map(({ id }) => id)
          .sort()
          .join()
      );
    });
    expect(sample.length).toBeGreaterThan(100);
    expect(wrong.map((pair) => pair.map(({ id, name }) => `${id}: ${name}`))).toEqual([]);
  });
});

describe('three deviations', () => {
  it('should be found when they happen often: a newline in the secret, pretty JSON, base64', () => {
    const { causes } = explained((making) => {
      making.secret = `${SECRET}\n`;
      making.signed = JSON.stringify(PAYLOAD, null, 2);
      making.encode = (mac) => mac.toString('base64');
    });
    expect(causes.map(({ id }) => id)).toEqual(['secret-white-space', 'body-layout', 'signature-encoding']);
  });
});

describe('a random secret', () => {
  const making = validMaking();
  const request = made(making);
  const { readings } = readSignature(request.headers);
  const texts = signedTexts({ ...request, url: request.url, nearSeconds: [NOW], signatureTimestamp: undefined });
  const known = () => [{ value: Buffer.from(randomBytes(24).toString('base64')), source: '' }];

  it('should never explain a signature: 10,000 secrets in all their forms, with all digests of the body as it is', () => {
    const bodies = bodyForms(Buffer.from(BODY)).slice(0, 1);
    let combinations = 0;
    for (let i = 0; i < 10_000; i++) {
      const keys = secretForms(known(), []).filter(({ value }) => value.secretIndex !== undefined);
      const result = search({ keys, bodies, texts: texts.slice(0, 1) }, readings.slice(0, 1), true);
      combinations += result.combinations;
      expect(result.matches).toEqual([]);
    }
    expect(combinations).toBeGreaterThan(500_000);
  });

  it('should never explain a signature: 20 secrets, with everything that is tried', () => {
    for (let i = 0; i < 20; i++) {
      const { verdict, combinations } = explain(request, { ...making, known: known()[0]!.value });
      expect(verdict).toBe('unexplained');
      expect(combinations).toBeGreaterThan(5000);
    }
  });
});

describe('the forms', () => {
  const body = Buffer.from(JSON.stringify(PAYLOAD, null, 2));
  it.each([
    ['secrets', secretForms([{ value: Buffer.from(SECRET), source: 'A' }], []).map(({ value }) => value.bytes)],
    ['bodies', bodyForms(body).map(({ value }) => value)],
    [
      'texts',
      signedTexts({
        method: 'POST',
        url: '/kiket',
        headers: [['X-Kiket-Timestamp', TIMESTAMP]],
        nearSeconds: [NOW],
        signatureTimestamp: undefined,
      }).map(({ value: { before, after, isHashed } }) => Buffer.from(JSON.stringify([before, after, isHashed]))),
    ],
  ])('should be different ones, so that each match has one explanation: %s', (_name, forms) => {
    expect(new Set(forms.map((each) => each.toString('hex'))).size).toBe(forms.length);
    expect(forms.length).toBeGreaterThan(20);
  });
});

describe('a valid signature', () => {
  it.each([
    ['timestamped', () => {}, { scheme: 'timestamped', secretIndex: 0, ageSeconds: 12 }],
    ['with sha256=', (making: Making) => void (making.encode = (mac) => `sha256=${mac.toString('hex')}`), {}],
    ['in upper case', (making: Making) => void (making.encode = (mac) => mac.toString('hex').toUpperCase()), {}],
    [
      'of the body',
      (making: Making) => {
        making.timestamp = undefined;
        making.text = (body) => body;
      },
      { scheme: 'body', ageSeconds: undefined, hints: [] },
    ],
  ])('should be recognized: %s', (_name, change, expected) => {
    expect(explained(change)).toMatchObject({
      verdict: 'valid',
      code: undefined,
      causes: [],
      combinations: 0,
      ...expected,
    });
  });

  it('should name the second secret of a rotation', () => {
    const secrets = ['current', SECRET].map((value) => ({ value: Buffer.from(value), source: '' }));
    expect(explained(undefined, { secrets })).toMatchObject({ verdict: 'valid', secretIndex: 1 });
  });

  it.each([
    ['stale', NOW + 900, 'signature.stale', 'timestamp-stale', 'X-Kiket-Timestamp is 15 minutes old.', 912],
    ['ahead', NOW - 900, 'signature.stale', 'timestamp-stale', 'X-Kiket-Timestamp is 14 minutes ahead.', -888],
  ])('should be refused when it is %s', (_name, nowSeconds, code, id, condition, ageSeconds) => {
    expect(explained(undefined, { nowSeconds })).toMatchObject({
      verdict: 'refused',
      code,
      scheme: 'timestamped',
      ageSeconds,
      causes: [{ id, condition }],
      hints: [],
    });
  });

  it('should be refused when its timestamp counts milliseconds', () => {
    const result = explained((making) => {
      making.timestamp = `${TIMESTAMP}000`;
      making.text = (body) => Buffer.concat([Buffer.from(`${TIMESTAMP}000.`), body]);
    });
    expect(result).toMatchObject({ verdict: 'refused', causes: [{ id: 'timestamp-form' }], ageSeconds: 12 });
  });

  it.each([
    ['timestamped', 'body', 'signature.mismatch', () => {}],
    [
      'body',
      'timestamped',
      'signature.scheme_refused',
      (making: Making) => {
        making.timestamp = undefined;
        making.text = (body: Buffer) => body;
      },
    ],
  ] as const)(
    'should be refused when it is of the scheme %s, and only %s is accepted',
    (scheme, accepted, code, change) => {
      const result = explained(change, { signatureSchemes: [accepted] });
      expect(result).toMatchObject({ verdict: 'refused', code, scheme, causes: [{ id: 'scheme-refused' }] });
    },
  );

  it('should be refused when the timestamp was moved into the body', () => {
    const result = explained((making) => {
      making.received = `${TIMESTAMP}.${BODY}`;
      making.timestamp = undefined;
    });
    expect(result).toMatchObject({ verdict: 'refused', causes: [{ id: 'timestamp-in-body' }] });
  });

  it('should be judged at the time at which the capture was received', () => {
    const making = validMaking();
    const request = { ...made(making), receivedAt: new Date(NOW * 1000).toISOString() };
    expect(explain(request, making, { nowSeconds: NOW + 86_400 }).verdict).toBe('valid');
  });
});

describe('what needs no HMAC', () => {
  const wrong = createHmac('sha256', 'unknown').update('x').digest('hex');
  const requestOf = (headers: HeaderLine[], body = BODY) => ({
    method: 'POST',
    url: '/kiket',
    headers,
    body: Buffer.from(body),
  });
  const of = (request: ReturnType<typeof requestOf>) => explain(request, validMaking());
  const signed = (...more: HeaderLine[]): HeaderLine[] => [
    ['X-Kiket-Signature', wrong],
    ['X-Kiket-Timestamp', TIMESTAMP],
    ...more,
  ];

  it.each<[string, HeaderLine[], string, string, RegExp]>([
    ['no signature', [], BODY, 'signature-missing', /no X-Kiket-Signature/],
    ['three digits', [['X-Kiket-Signature', 'abc']], BODY, 'signature-form', /3 hex digits: it may be cut/],
    ['an empty one', [['X-Kiket-Signature', '']], BODY, 'signature-missing', /is empty/],
    ['a JWT', [['X-Kiket-Signature', 'eyJh.eyJz.c2ln']], BODY, 'signature-form', /JWT/],
    [
      'words',
      [['X-Kiket-Signature', 'not a signature!']],
      BODY,
      'signature-form',
      /16 characters, and is not hexadecimal/,
    ],
    [
      'a body that was cut',
      signed(['Content-Length', '102400']),
      BODY,
      'body-length',
      /Content-Length is 102400, but the body has/,
    ],
    ['[object Object]', signed(), '[object Object]', 'body-lost', /\[object Object\]/],
  ])('should explain: %s', (_name, headers, body, id, condition) => {
    expect(of(requestOf(headers, body))).toMatchObject({
      verdict: 'explained',
      isProved: false,
      causes: [{ id, condition: expect.stringMatching(condition) as string }],
    });
  });

  it('should explain a redacted capture', () => {
    expect(explain({ ...requestOf(signed()), isRedacted: true }, validMaking())).toMatchObject({
      verdict: 'explained',
      causes: [{ id: 'body-masked' }],
    });
  });

  it.each<[string, HeaderLine[], string | Buffer, string, RegExp]>([
    ['40 digits', [['X-Kiket-Signature', wrong.slice(0, 40)]], BODY, 'signature-form', /40 hex digits, as SHA-1 has/],
    ['128 digits', [['X-Kiket-Signature', wrong + wrong]], BODY, 'signature-form', /as SHA-512 has/],
    ['few digits', [['X-Kiket-Signature', wrong.slice(0, 63)]], BODY, 'signature-form', /63 hex digits: it may be cut/],
    [
      'base64',
      [['X-Kiket-Signature', Buffer.from(wrong, 'hex').toString('base64')]],
      BODY,
      'signature-form',
      /44 characters of base64/,
    ],
    ['the form of Stripe', [['X-Kiket-Signature', `t=1,v1=${wrong}`]], BODY, 'signature-form', /Stripe/],
    [
      'the form of Standard Webhooks',
      [['X-Kiket-Signature', 'v1,YWJjZGVmZ2hpamts']],
      BODY,
      'signature-form',
      /Standard Webhooks/,
    ],
    ['the form of Slack', [['X-Kiket-Signature', `v0=${wrong}`]], BODY, 'signature-form', /Slack/],
    [
      'a header of another name',
      [['X-Hub-Signature-256', wrong]],
      BODY,
      'signature-missing',
      /but X-Hub-Signature-256/,
    ],
    ['two headers', [...signed(), ['x-kiket-signature', wrong]], BODY, 'signature-repeated', /2 signatures/],
    ['a list', [['X-Kiket-Signature', `${wrong}, ${wrong}`]], BODY, 'signature-repeated', /2 signatures/],
    ['no timestamp', [['X-Kiket-Signature', wrong]], BODY, 'timestamp-missing', /no X-Kiket-Timestamp/],
    [
      'a timestamp in words',
      [
        ['X-Kiket-Signature', wrong],
        ['X-Kiket-Timestamp', 'yesterday'],
      ],
      BODY,
      'timestamp-form',
      /not a time/,
    ],
    [
      'milliseconds',
      [
        ['X-Kiket-Signature', wrong],
        ['X-Kiket-Timestamp', `${TIMESTAMP}000`],
      ],
      BODY,
      'timestamp-form',
      /milliseconds/,
    ],
    [
      'a date',
      [
        ['X-Kiket-Signature', wrong],
        ['X-Kiket-Timestamp', '2025-11-30T10:00:00Z'],
      ],
      BODY,
      'timestamp-form',
      /not written in digits/,
    ],
    [
      'an old timestamp',
      [
        ['X-Kiket-Signature', wrong],
        ['X-Kiket-Timestamp', String(NOW - 840)],
      ],
      BODY,
      'timestamp-stale',
      /14 minutes old/,
    ],
    ['Content-Encoding', signed(['Content-Encoding', 'gzip']), BODY, 'body-compression-header', /gzip/],
    ['exactly 1 KB', signed(), `"${'x'.repeat(1022)}"`, 'body-length', /exactly 1024 bytes/],
    ['{}', signed(), '{}', 'body-lost', /is \{\}/],
    ['no body', signed(), '', 'body-lost', /is empty/],
    ['a mask', signed(), '{"a":"********"}', 'body-masked', /\*{8}/],
    ['broken UTF-8', signed(), Buffer.from('{"a":"é"}', 'latin1'), 'body-not-utf8', /not UTF-8/],
  ])('should be a hint: %s', (_name, headers, body, id, seen) => {
    const { verdict, hints } = explain({ method: 'POST', headers, body: Buffer.from(body as string) }, validMaking());
    expect(verdict).toBe('unexplained');
    expect(hints.find((hint) => hint.id === id)?.condition).toMatch(seen);
  });

  it('should be left out where the signature matches without a timestamp', () => {
    const { hints } = explained((making) => {
      making.timestamp = undefined;
      making.text = (body) => body;
    });
    expect(hints).toEqual([]);
  });
});

describe('the result', () => {
  it('should say how the signed body differs', () => {
    const { difference } = explained((making) => void (making.received = JSON.stringify(PAYLOAD, null, 1)));
    const pretty = JSON.stringify(PAYLOAD, null, 1);
    expect(difference).toEqual({ bytes: Buffer.byteLength(BODY) - Buffer.byteLength(pretty), firstAt: 1 });
  });

  it('should contain neither secret nor right signature, unless it is asked for', () => {
    const change = (making: Making) => void (making.secret = `${SECRET}\n`);
    const right = made(validMaking()).headers.find(([name]) => name === 'X-Kiket-Signature')![1];
    const secret = 'kiket';
    const result = JSON.stringify(explained(change, { isAll: true }))
      .replaceAll('KIKET_', '')
      .replaceAll('Kiket', '');
    expect(result).not.toContain(right);
    expect(result).not.toMatch(new RegExp(`${secret}-é`));
    expect(explained(change, { showsExpected: true }).expected).toBe(right);
  });

  it('should list further explanations when all are asked for', () => {
    const both = (making: Making) => {
      making.secret = '';
      making.digest = (_key, text) => createHmac('sha256', '').update(text).digest();
    };
    const { alternatives, combinations } = explained(both, { isAll: true });
    expect(combinations).toBeGreaterThan(explained(both).combinations);
    expect(alternatives.every((each) => each.length > 0)).toBe(true);
  });

  it('should verify a body of more than 10 MB, without a search', () => {
    const huge = JSON.stringify({ text: 'a'.repeat(11 * 1024 * 1024) });
    const change = (making: Making) => {
      making.signed = making.received = huge;
    };
    expect(explained(change)).toMatchObject({ verdict: 'valid', isLimited: false });
    const unlike = (making: Making) => {
      change(making);
      making.secret = 'another';
    };
    expect(explained(unlike)).toMatchObject({ verdict: 'unexplained', combinations: 0, isLimited: true });
  });

  it('should say that it is limited, for a large body', () => {
    const large = JSON.stringify({ text: 'é'.repeat(100_000) });
    const result = explained((making) => {
      making.secret = 'another';
      making.signed = making.received = large;
    });
    expect(result).toMatchObject({ verdict: 'unexplained', isLimited: true });
    const single = explained((making) => {
      making.signed = `${large}\n`;
      making.received = large;
    });
    expect(single).toMatchObject({ verdict: 'explained', causes: [{ id: 'body-newlines' }] });
  });
});
