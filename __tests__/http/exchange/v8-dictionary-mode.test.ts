import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import type { RequestHandler } from 'express';
import { kiketErrorHandler, kiketVerify } from 'kiket-express';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors } from '../../support/express';

/** Changes of a service to the two properties that are removed and set again. */
const services: [string, RequestHandler][] = [
  ['as Express leaves them', () => {}],
  ['that hold values', (_req, res) => void (res.locals['user'] = { id: 7 })],
  ['that are looked up', (req, res) => define(req, res, { get: () => 'looked up', configurable: true })],
  ['that do not print', (req, res) => define(req, res, { value: 'hidden', configurable: true, writable: true })],
  ['that are read-only', (req, res) => define(req, res, { value: 'constant' })],
];

function define(req: object, res: object, property: PropertyDescriptor): void {
  Object.defineProperty(req, 'originalUrl', property);
  Object.defineProperty(res, 'locals', property);
}

describeMajors('a request and a response', (express) => {
  it.each(services)('should keep their properties, %s', async (_case, service) => {
    let before: unknown[] = [];
    let after: unknown;
    const prepare: RequestHandler = (req, res, next) => {
      service(req, res, next);
      before = propertiesOf(req, res);
      next();
    };
    const respond: RequestHandler = (req, res) => {
      after = propertiesOf(req, res);
      res.json({});
    };
    const app = endpoint(express, [prepare, kiketVerify(secret), respond, kiketErrorHandler()]);
    const { status } = await deliver(app, example);
    expect(status).toBe(200);
    expect(before).not.toContain(undefined);
    expect(after).toEqual(before);
  });
});

const v8 = Number.parseInt(process.versions.v8, 10);

describeMajors('a delivery', (express) => {
  it(`should ${v8 < 13 ? 'make dictionaries of' : 'leave as they are'} its request and response`, async () => {
    let isFast: boolean[] = [];
    const respond: RequestHandler = (req, res) => {
      isFast = [hasFastProperties(req), hasFastProperties(res)];
      res.json({});
    };
    await deliver(endpoint(express, [kiketVerify(secret), respond, kiketErrorHandler()]), example);
    expect(isFast).toEqual(v8 < 13 ? [false, false] : [true, true]);
  });
});

setFlagsFromString('--allow-natives-syntax');
const hasFastProperties = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean;

function propertiesOf(req: object, res: object): unknown[] {
  return [Object.getOwnPropertyDescriptor(req, 'originalUrl'), Object.getOwnPropertyDescriptor(res, 'locals')];
}
