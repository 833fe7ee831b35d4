import { deflateSync, gzipSync } from 'node:zlib';
import { maskMessage, maskText, maskValue } from '../../../lib/simulator/masking';

const hidden = [
  { value: 'value_of_the_crm', name: 'secret:CRM' },
  { value: 'a "quoted" \\ value', name: 'secret:QUOTED' },
  { value: 'first line of a key\nsecond line of a key', name: 'secret:KEY' },
  { value: 'short', name: 'secret:SHORT' },
];

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('maskText', () => {
  it.each([
    ['nothing secret, and short', 'nothing secret, and short'],
    ['a value_of_the_crm b', 'a {{secret:CRM}} b'],
    ['value_of_the_crmvalue_of_the_crm', '{{secret:CRM}}{{secret:CRM}}'],
    [JSON.stringify('a "quoted" \\ value'), '"{{secret:QUOTED}}"'],
    ['only: second line of a key', 'only: {{secret:KEY}}'],
    ['q=a%20%22quoted%22%20%5C%20value', 'q={{secret:QUOTED}}'],
    ['q=a+%22quoted%22+%5C+value', 'q={{secret:QUOTED}}'],
    ['q=a%20%22quoted%22%20%5c%20value', 'q={{secret:QUOTED}}'],
    ['<pre>Error: a &quot;quoted&quot; \\ value</pre>', '<pre>Error: {{secret:QUOTED}}</pre>'],
    ['a &#34;quoted&#34; \\ value', '{{secret:QUOTED}}'],
    [base64('value_of_the_crm').replace(/=+$/, ''), /^\{\{secret:CRM\}\}.?$/],
    [base64('xvalue_of_the_crm'), /^..?\{\{secret:CRM\}\}.{0,4}$/],
    [base64('xyvalue_of_the_crm'), /^...?\{\{secret:CRM\}\}.{0,4}$/],
    ['rt_fake_0a1b2c3d-0000-4000-8000-0123456789ab!', '{{token}}!'],
    ['{"a":"\\u0076alue_of_the_crm"}', '{{a text with secrets}}'],
    [JSON.stringify(JSON.stringify('a "quoted" \\ value')), '"\\"{{secret:QUOTED}}\\""'],
    [JSON.stringify(JSON.stringify(JSON.stringify('a "quoted" \\ value'))), '{{a text with secrets}}'],
  ])('should make of %j: %p', (text, masked) => {
    expect(maskText(text, hidden)).toEqual(typeof masked === 'string' ? masked : expect.stringMatching(masked));
  });

  it('should replace a value that contains another one as a whole', () => {
    const values = [
      { value: 'secret', name: 'A' },
      { value: 'secret_and_more', name: 'B' },
    ];
    expect(maskText('secret_and_more secret', values)).toBe('{{B}} {{A}}');
  });
});

describe('maskValue', () => {
  it('should mask strings and names of members at any depth, and leave all else', () => {
    const value = { a: ['value_of_the_crm', 1, null, true], value_of_the_crm: { b: 'value_of_the_crm' } };
    expect(maskValue(value, hidden)).toEqual({
      a: ['{{secret:CRM}}', 1, null, true],
      '{{secret:CRM}}': { b: '{{secret:CRM}}' },
    });
  });
});

describe('maskMessage', () => {
  it('should mask the values of headers, whose bytes Node reads as characters', () => {
    const values = [{ value: 'pässwörtchen', name: 'secret:A' }];
    const lines = [
      ['X-A', Buffer.from('pässwörtchen').toString('latin1')],
      ['X-B', 'pässwörtchen'],
    ] as const;
    expect(maskMessage(lines, Buffer.from(''), values).headers.map(([, value]) => value)).toEqual([
      '{{secret:A}}',
      '{{secret:A}}',
    ]);
  });

  it('should replace secrets and token of a payload whatever they are, also where the payload is cut', () => {
    const text = '{"authentication":{"runtime_token":"abc"},"secrets":{"A":"1","B":null},"n":1.0,"secrets2":"a';
    const { body, isBase64, bytes } = maskMessage([], Buffer.from(text), []);
    expect(body).toBe(
      '{"authentication":{"runtime_token":"{{token}}"},"secrets":{"A":"{{secret:A}}","B":null},"n":1.0,"secrets2":"a',
    );
    expect([isBase64, bytes]).toEqual([false, text.length]);
  });

  it.each([
    ['X-Kiket-Signature', 'sha256=0123', 'sha256={{signature}}'],
    ['x-kiket-signature', '0123', '{{signature}}'],
    ['Cookie', 'a=value_of_the_crm', 'a={{secret:CRM}}'],
    ['Content-Type', 'text/plain', 'text/plain'],
  ])('should mask the header %s: %s', (name, value, masked) => {
    expect(maskMessage([[name, value]], Buffer.alloc(0), hidden).headers).toEqual([[name, masked]]);
  });

  it.each([
    ['gzip', [['Content-Encoding', 'gzip']], gzipSync('a value_of_the_crm'), 'a {{secret:CRM}}'],
    ['gzip without its header', [], gzipSync('a value_of_the_crm'), 'a {{secret:CRM}}'],
    ['deflate', [['Content-Encoding', 'Deflate']], deflateSync('a value_of_the_crm'), 'a {{secret:CRM}}'],
    ['gzip that is cut', [['Content-Encoding', 'gzip']], gzipSync('a').subarray(0, 8), '{{a compressed body}}'],
    ['another encoding', [['Content-Encoding', 'zstd']], Buffer.from('a'), '{{a compressed body}}'],
    ['more than 10 MB', [['Content-Encoding', 'gzip']], gzipSync(Buffer.alloc(11e6)), '{{a compressed body}}'],
    ['no body', [['Content-Encoding', 'gzip']], Buffer.alloc(0), ''],
    ['identity', [['Content-Encoding', 'identity']], Buffer.from('a value_of_the_crm'), 'a {{secret:CRM}}'],
  ] as const)('should decompress a body, to find secrets in it: %s', (_name, headers, bytes, body) => {
    expect(maskMessage(headers, bytes, hidden)).toMatchObject({ body, isBase64: false, bytes: bytes.length });
  });

  it('should keep bytes that are not UTF-8, without the values', () => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from('value_of_the_crm')]);
    const { body, isBase64 } = maskMessage([], bytes, hidden);
    expect(isBase64).toBe(true);
    expect(Buffer.from(body, 'base64').toString('latin1')).toBe('\xff\0{{secret:CRM}}');
  });
});
