import { Redactor } from '../../lib/redaction';

describe('Redactor', () => {
  it('should replace the secrets that it has in a string', () => {
    const known = new Redactor(() => ['configured', undefined]);
    known.add('A', 'fetched');
    expect(known.redact('configured, fetched, undefined')).toBe('[redacted], [redacted], undefined');
  });

  it('should redact the last two values of a key', () => {
    const known = new Redactor(() => []);
    for (const value of ['first', 'second', 'third']) known.add('A', value);
    expect(known.values).toEqual(['third', 'second']);
  });

  it('should redact the previous value when one is fetched repeatedly', () => {
    const known = new Redactor(() => []);
    for (const value of ['first', 'second', 'second', 'first', 'first']) known.add('A', value);
    expect(known.values).toEqual(['first', 'second']);
  });

  it('should redact the newest hundred keys, and configured values', () => {
    const known = new Redactor(() => ['configured']);
    for (let i = 0; i < 100; i++) known.add(`key ${i}`, `value ${i}`);
    known.add('key 0', 'value 0');
    for (let i = 100; i < 10_000; i++) {
      known.add(`key ${i}`, `value ${i}`);
      if (i === 198) expect(known.values).toContain('value 0');
    }
    const newest = Array.from({ length: 100 }, (_, i) => `value ${9900 + i}`);
    expect(known.values).toEqual(['configured', ...newest]);
  });
});
