import { OpenTransaction } from '../../../lib/postgres/open-transaction';
import type { KiketTransactions } from '../../../lib/postgres/transactions';

type Work = (transaction: string) => Promise<void>;

/** A library that notes how its transactions end. */
function libraryWith(begin: (work: Work) => unknown): KiketTransactions<unknown> {
  return { begin: begin as KiketTransactions<unknown>['begin'], query: () => Promise.resolve([]) };
}

async function runInOrder(ends: string[], work: Work): Promise<void> {
  try {
    await work('client');
    ends.push('committed');
  } catch (error) {
    ends.push('rolled back');
    throw error;
  }
}

describe('an open transaction', () => {
  it('should be committed once, with the client of the library', async () => {
    const ends: string[] = [];
    const transaction = await OpenTransaction.begin(libraryWith((work) => runInOrder(ends, work)));
    expect(transaction.client).toBe('client');
    expect(ends).toEqual([]);
    await transaction.commit();
    await transaction.rollBack();
    expect(ends).toEqual(['committed']);
  });

  it('should be rolled back without a rejection', async () => {
    const ends: string[] = [];
    const transaction = await OpenTransaction.begin(libraryWith((work) => runInOrder(ends, work)));
    await transaction.rollBack();
    expect(ends).toEqual(['rolled back']);
  });

  it('should reject its commit when the library does', async () => {
    const fails = async (work: Work): Promise<void> => {
      await work('client');
      throw new Error('not committed');
    };
    const transaction = await OpenTransaction.begin(libraryWith(fails));
    await expect(transaction.commit()).rejects.toThrow('not committed');
  });

  it.each<[string, (work: Work) => unknown]>([
    ['rejects', () => Promise.reject(new Error('no connection'))],
    [
      'throws',
      () => {
        throw new Error('no connection');
      },
    ],
  ])('should not be begun when the library %s', async (_, begin) => {
    await expect(OpenTransaction.begin(libraryWith(begin))).rejects.toThrow('no connection');
  });

  it('should reject its commit when begin() has returned nothing to wait for', async () => {
    const transaction = await OpenTransaction.begin(libraryWith((work) => void work('client').catch(() => {})));
    await new Promise(setImmediate);
    await expect(transaction.commit()).rejects.toThrow('begin() must return the promise of its transaction');
  });
});
