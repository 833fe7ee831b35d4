import type { SimulatorEvent } from '../../../lib/simulator/model';
import { EventStream } from '../../../lib/simulator/stream';

const event = (text: string): SimulatorEvent => ({ type: 'note', data: { level: 'hint', code: 'test', text } });

describe('the stream of events', () => {
  it('should tell each listener what is new, until it ends', () => {
    const stream = new EventStream();
    const seen: [string, number][] = [];
    stream.emit(event('before'));
    const end = stream.subscribe(({ data }, id) => seen.push([(data as { text: string }).text, id]));
    stream.emit(event('a'));
    end();
    stream.emit(event('b'));
    expect(seen).toEqual([['a', 2]]);
  });

  it.each([
    [0, [1, 2, 3]],
    [1, [2, 3]],
    [3, []],
  ])('should catch up after the event %d', (lastEventId, expected) => {
    const stream = new EventStream();
    for (const text of ['a', 'b', 'c']) stream.emit(event(text));
    const seen: number[] = [];
    stream.subscribe((_event, id) => seen.push(id), lastEventId);
    expect(seen).toEqual(expected);
  });

  it('should remember 1000 events', () => {
    const stream = new EventStream();
    for (let i = 0; i < 1500; i++) stream.emit(event(''));
    const seen: number[] = [];
    stream.subscribe((_event, id) => seen.push(id), 0);
    expect([seen.length, seen[0], seen.at(-1)]).toEqual([1000, 501, 1500]);
  });

  it('should not remember more than 16 MB of messages', () => {
    const stream = new EventStream();
    const body = 'x'.repeat(1024 * 1024);
    const data = { deliveryId: 'a', attempt: { request: { body }, response: { body }, calls: [] } };
    for (let i = 0; i < 20; i++) stream.emit({ type: 'attempt', data } as unknown as SimulatorEvent);
    const seen: number[] = [];
    stream.subscribe((_event, id) => seen.push(id), 0);
    expect(seen).toEqual([13, 14, 15, 16, 17, 18, 19, 20]);
  });

  it('should reach all listeners when one ends while it is called', () => {
    const stream = new EventStream();
    const seen: string[] = [];
    const end = stream.subscribe(() => {
      seen.push('first');
      end();
    });
    stream.subscribe(() => seen.push('second'));
    stream.emit(event(''));
    stream.emit(event(''));
    expect(seen).toEqual(['first', 'second', 'second']);
  });
});
