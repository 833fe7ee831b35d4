import { loadBullMq } from '../../../lib/bullmq/bullmq';
import { kiketWorker } from '../../../lib/bullmq';

/** Makes `require('bullmq')` throw for one test. */
function failWith(code: string | undefined): void {
  jest.doMock('bullmq', () => {
    throw Object.assign(new Error('Not loaded'), { code });
  });
}

afterEach(() => {
  jest.dontMock('bullmq');
  jest.resetModules();
});

describe('bullmq', () => {
  it('should be found', () => {
    expect(loadBullMq('a test')).toMatchObject({ Worker: expect.any(Function) as unknown });
  });

  it('should be required at start-up when it is not installed', () => {
    failWith('MODULE_NOT_FOUND');
    const create = (): unknown => kiketWorker('jobs', () => undefined, { connection: {} });
    expect(create).toThrow(TypeError);
    expect(create).toThrow('kiketWorker needs the package bullmq, which is not installed; npm install bullmq');
  });

  it('should be required at start-up when it is too old', () => {
    jest.doMock('bullmq/package.json', () => ({ version: '4.18.3' }));
    expect(() => loadBullMq('kiketWorker')).toThrow(
      new TypeError('kiketWorker needs bullmq 5.66.7 or newer, but 4.18.3 is installed; npm install bullmq@6'),
    );
    jest.dontMock('bullmq/package.json');
  });

  it('should not be reported as missing when it is broken', () => {
    failWith(undefined);
    expect(() => loadBullMq('a test')).toThrow('Not loaded');
  });
});
