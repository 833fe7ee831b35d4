import type { Capture } from '../../../lib/captures/capture';
import { bodyChanges } from '../../../lib/captures/changes';
import { parseFilter } from '../../../lib/captures/filter';
import { shuffled } from '../../../lib/captures/shuffle';

const capture = (body: object, headers: Capture['headers'] = [], status?: number): Capture => ({
  method: 'POST',
  url: '/kiket',
  headers,
  body: Buffer.from(JSON.stringify(body)),
  ...(status !== undefined && { response: { status, headers: [], body: Buffer.alloc(0) } }),
});

describe('parseFilter', () => {
  const created = { event: 'issue.created', event_version: 'v1' };

  it.each<[string, Capture, boolean]>([
    ['event=issue.created', capture(created), true],
    ['event=issue.*', capture(created), true],
    ['event=*', capture({}), true],
    ['event=issue', capture(created), false],
    ['event=comment.*', capture(created), false],
    ['event=issue.created@1', capture(created), true],
    ['event=issue.created@v2', capture(created), false],
    ['event=issue.created', capture({ type: 'issue.created', data: {} }), true],
    ['event=issue.updated', capture(created, [['x-kiket-event', 'issue.updated']]), true],
    ['status=5xx', capture({}, [], 503), true],
    ['status=503', capture({}, [], 503), true],
    ['status=4xx', capture({}, [], 503), false],
    ['status=5xx', capture({}), false],
    ['status=none', capture({}), true],
    ['invocation=3f6b', capture({}, [['X-Kiket-Invocation', '3f6b0c']]), true],
    ['invocation=evt_1', capture({ type: 'issue.created', data: {}, id: 'evt_1' }), true],
    ['invocation=3f6b', capture({}), false],
    ['event=issue.*, status=5xx', capture(created, [], 500), true],
    ['event=issue.*,status=5xx', capture(created, [], 200), false],
  ])('should hold or not: %s', (text, given, expected) => {
    expect(parseFilter(text)(given)).toBe(expected);
  });

  it.each(['', 'event', 'event=', 'event=a b', 'status=abc', 'size=1', 'event=a,'])('should refuse %j', (text) => {
    expect(() => parseFilter(text)).toThrow(/is not a condition such as event=issue\.\*/);
  });
});

describe('shuffled', () => {
  const items = Array.from({ length: 20 }, (_, i) => i);

  it('should give the same order for the same seed, and another for another', () => {
    expect(shuffled(items, 7)).toEqual(shuffled(items, 7));
    expect(shuffled(items, 7)).not.toEqual(shuffled(items, 8));
  });

  it('should keep all items, and leave the array as it is', () => {
    expect(shuffled(items, 7).sort((a, b) => a - b)).toEqual(items);
    expect(items[0]).toBe(0);
  });
});

describe('bodyChanges', () => {
  it.each<[string, string, object[]]>([
    ['{"a":1,"b":2}', '{ "b": 2, "a": 1 }', []],
    ['{"a":1}', '{"a":2}', [{ path: 'a', before: 1, after: 2 }]],
    ['{"a":{"b":[1,2]}}', '{"a":{"b":[1]}}', [{ path: 'a.b.1', before: 2, after: undefined }]],
    ['{}', '{"a":null}', [{ path: 'a', before: undefined, after: null }]],
    ['{"a":[]}', '{"a":{}}', [{ path: 'a', before: [], after: {} }]],
    ['null', '{}', [{ path: '', before: null, after: {} }]],
    ['text', '{}', [{ path: '', before: 'text', after: '{}' }]],
    ['', 'text', [{ path: '', before: '', after: 'text' }]],
  ])('should compare %s and %s', (before, after, expected) => {
    expect(bodyChanges(before, after)).toEqual(expected);
  });
});
