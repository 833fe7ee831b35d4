import { EventRoutes } from '../../../lib/events/router';

const guard = 'workflow.before_transition';
const dots = '.'.repeat(100_000);

function routesOf(patterns: readonly string[]): EventRoutes<string> {
  const routes = new EventRoutes<string>('a test');
  for (const pattern of patterns) routes.add([pattern], pattern);
  return routes;
}

const iterator = Object.getPrototypeOf(new Map().keys()) as Iterator<unknown>;

/** Returns the number of map look-ups during `run`. Each step of an iteration counts. */
function lookUpsOf(run: () => unknown): number {
  const spies = [
    jest.spyOn(Map.prototype, 'get'),
    jest.spyOn(Map.prototype, 'has'),
    jest.spyOn(Map.prototype, 'forEach'),
    jest.spyOn(iterator, 'next'),
  ];
  try {
    run();
    return spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const numbers = Array.from({ length: 1000 }, (_, index) => String(index).padStart(3, '0'));

const deliveryOf = (event: string | undefined, eventVersion: string) => ({
  event,
  eventVersion,
  isGuard: event === guard,
});

describe('a look-up', () => {
  /** One pattern or a thousand, of the same kind and length. */
  const kinds: Record<string, (number: string) => string[]> = {
    'of names': (number) => [`event.n${number}`],
    'of names with a version': (number) => [`event.n${number}@v2`],
    'of prefixes': (number) => [`event.n${number}.*`],
    'of all of them': (number) => [`event.n${number}`, `event.n${number}@v2`, `event.n${number}.*`],
  };
  const events: [string, string][] = [
    ['event.n500', 'v1'],
    ['event.n500', 'v2'],
    ['event.n500.x', 'v1'],
    ['event.n500.x.y.z', 'v1'],
    ['event.x', 'v1'],
    ['x', 'v1'],
    [guard, 'v1'],
  ];

  describe.each(Object.keys(kinds))('%s', (kind) => {
    const one = routesOf([...kinds[kind]!('500'), '*']);
    const thousand = routesOf([...numbers.flatMap(kinds[kind]!), '*']);

    it.each(events)('should cost the same among one and among a thousand: %s %s', (event, version) => {
      const cost = lookUpsOf(() => one.find(deliveryOf(event, version)));
      expect(cost).toBeGreaterThan(0);
      expect(cost).toBeLessThanOrEqual(5);
      expect(lookUpsOf(() => thousand.find(deliveryOf(event, version)))).toBe(cost);
      expect(thousand.find(deliveryOf(event, version))).toBe(one.find(deliveryOf(event, version)));
    });
  });

  it.each<[string, string]>([
    ['dots', dots],
    ['dots after a known prefix', `event.n500${dots}`],
    ['names between dots', 'a.'.repeat(50_000)],
  ])('should cost no more than the longest prefix has dots, for an event of many %s', (_name, event) => {
    const routes = routesOf(['event.n500.*', 'a.b.*', '*']);
    expect(lookUpsOf(() => routes.find(deliveryOf(event, 'v1')))).toBeLessThanOrEqual('event.n500.'.length + 2);
  });

  it('should try no prefix when none is registered', () => {
    const routes = routesOf(['event.n500']);
    expect(lookUpsOf(() => routes.find(deliveryOf('a.b.c.d', 'v1')))).toBe(1);
  });

  it('should cost one look-up for an event without a name', () => {
    const routes = routesOf([...numbers.flatMap(kinds['of all of them']!), '*']);
    expect(lookUpsOf(() => routes.find(deliveryOf(undefined, 'v1')))).toBe(1);
    expect(routes.find(deliveryOf(undefined, 'v1'))).toBe('*');
    expect(routesOf(['a', 'b.*']).find(deliveryOf(undefined, 'v1'))).toBeUndefined();
  });
});
