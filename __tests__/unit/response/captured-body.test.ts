import { runInNewContext } from 'node:vm';
import { CapturedBody } from '../../../lib/response/captured-body';

function bodyOf(...chunks: [chunk: unknown, encoding?: unknown][]): string | Buffer | undefined {
  const body = new CapturedBody();
  for (const [chunk, encoding] of chunks) body.add(chunk, encoding);
  return body.content;
}

describe('CapturedBody', () => {
  it('should keep a single string unchanged', () => {
    for (const encoding of [undefined, 'utf8', 'UTF-8', () => undefined, 'no encoding']) {
      expect(bodyOf(['é', encoding])).toBe('é');
    }
  });

  it('should decode a string in another encoding', () => {
    expect(bodyOf(['é', 'latin1'])).toEqual(Buffer.from([0xe9]));
    expect(bodyOf(['e9', 'hex'])).toEqual(Buffer.from([0xe9]));
    expect(bodyOf(['é', 'UTF16LE'])).toEqual(Buffer.from([0xe9, 0]));
  });

  it('should join pieces', () => {
    expect(bodyOf(['é'], [Buffer.from('b')], ['63', 'hex'], [undefined], [new Uint8Array([0x64])])).toEqual(
      Buffer.from('ébcd'),
    );
  });

  it('should keep bytes of another realm', () => {
    const bytes: unknown = runInNewContext('new Uint8Array([0, 0xc3, 0xa9]).subarray(1)');
    expect(bodyOf([bytes])).toEqual(Buffer.from('é'));
  });

  it('should be empty when nothing is written', () => {
    expect(bodyOf([undefined], [null], [() => undefined])).toEqual(Buffer.alloc(0));
  });

  it('should copy bytes, which a stream may use again', () => {
    const chunk = Buffer.from('first');
    const body = new CapturedBody();
    body.add(chunk, undefined);
    chunk.write('other');
    expect(String(body.content)).toBe('first');
  });

  it('should be undefined from one byte more than 64 KB on', () => {
    const limit = 'x'.repeat(65_536);
    expect(bodyOf([limit])).toBe(limit);
    expect(bodyOf([limit.slice(1)], ['x'])).toHaveLength(65_536);
    expect(bodyOf([`${limit}x`])).toBeUndefined();
    expect(bodyOf([limit], ['x'])).toBeUndefined();
    expect(bodyOf(['é'.repeat(32_769)])).toBeUndefined();
    expect(bodyOf([limit], ['x'], ['x'])).toBeUndefined();
  });

  it('should not read more of a body that is too large', () => {
    const from = jest.spyOn(Buffer, 'from');
    try {
      bodyOf([Buffer.alloc(65_537)], [Buffer.alloc(1)], [Buffer.alloc(1)]);
      expect(from).toHaveBeenCalledTimes(1);
    } finally {
      from.mockRestore();
    }
  });
});
