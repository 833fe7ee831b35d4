import { channel } from 'node:diagnostics_channel';

/**
 * Jest gives each file of tests its own modules, but Node's channels are those of the whole process: who has subscribed in
 * one file, such as kiketHealth for as long as its process lives, would be heard in the next.
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
