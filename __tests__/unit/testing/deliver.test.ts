import { deliver, signDelivery, type DeliverTestOptions } from '../../../lib/testing';

const delivery = signDelivery({ event: 'issue.created' }, { secret: 'secret' });
const url = 'http://127.0.0.1:1/kiket';

describe('deliver', () => {
  it.each([
    [
      { retries: 'daily' },
      'deliver: retries must be none, contract, docs, fast, legacy, 24h or an array of delays, but is "daily"',
    ],
    [
      { retries: 'toString' },
      'deliver: retries must be none, contract, docs, fast, legacy, 24h or an array of delays, but is "toString"',
    ],
    [
      { retries: 3 },
      'deliver: retries must be none, contract, docs, fast, legacy, 24h or an array of delays, but is 3',
    ],
    [{ retries: [-1] }, 'deliver: retries[0] must be a number from 0 to 2147483647, but is -1'],
    [{ retries: ['1s'] }, 'deliver: retries[0] must be a number from 0 to 2147483647, but is "1s"'],
    [{ speed: 0 }, 'deliver: speed must be a number from 0.001 to 1000000000, but is 0'],
    [{ timeoutMs: 0 }, 'deliver: timeoutMs must be an integer from 1 to 2147483647, but is 0'],
    [{ timeoutMs: 1.5 }, 'deliver: timeoutMs must be an integer from 1 to 2147483647, but is 1.5'],
    [{ event: '' }, 'deliver: event must be a non-empty string, but is ""'],
    [{ required: 'no' }, 'deliver: required must be true or false, but is "no"'],
    [null, 'deliver: options must be an object, but is null'],
  ])('should refuse the options %j', async (options, message) => {
    await expect(deliver(url, delivery, options as DeliverTestOptions)).rejects.toThrow(new TypeError(message));
  });

  it('should refuse an unknown option, with the nearest name', async () => {
    const options = { retry: 'fast' } as DeliverTestOptions;
    await expect(deliver(url, delivery, options)).rejects.toThrow(
      /^deliver: unknown option "retry"\. Did you mean "retries"\?/,
    );
  });

  it.each(['', '/kiket', 'localhost:3000', 'ftp://localhost'])('should refuse the URL %j', async (target) => {
    await expect(deliver(target, delivery)).rejects.toThrow(
      new TypeError(`deliver: url must be an HTTP URL, but is "${target}"`),
    );
  });

  it.each([[undefined], [{}], [{ body: '' }], [() => undefined]])('should refuse the delivery %p', async (given) => {
    await expect(deliver(url, given as typeof delivery)).rejects.toThrow(
      /^deliver: delivery must be an object with headers and body, or a function/,
    );
  });
});
