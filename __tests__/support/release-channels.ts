import { channel } from 'node:diagnostics_channel';

/**
 * Jest gives each test file its own modules, but Node's channels belong to the whole process. A subscriber of one file,
 * such as kiketHealth, which never unsubscribes, would still run in the next file.
 */
const deliveries = channel('kiket:delivery');
const subscribers: ((message: unknown, name: string | symbol) => void)[] = [];

Object.assign(deliveries, {
  subscribe(subscriber: (typeof subscribers)[0]): void {
    subscribers.push(subscriber);
    (Object.getPrototypeOf(deliveries) as typeof deliveries).subscribe.call(deliveries, subscriber);
  },
});

afterAll(() => {
  for (const subscriber of subscribers) deliveries.unsubscribe(subscriber);
  delete (deliveries as Partial<typeof deliveries>).subscribe;
});
