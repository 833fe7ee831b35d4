import { closeKiketApi } from 'kiket-express';
import { startFakeKiket, type FakeKiket, type FakeKiketOptions } from 'kiket-express/testing';

const started: FakeKiket[] = [];

/** Starts a fake that is closed after the test, with the connections to it. */
export async function startFake(options?: FakeKiketOptions): Promise<FakeKiket> {
  const fake = await startFakeKiket(options);
  started.push(fake);
  return fake;
}

afterEach(async () => {
  await closeKiketApi();
  await Promise.all(started.splice(0).map((fake) => fake.close()));
});
