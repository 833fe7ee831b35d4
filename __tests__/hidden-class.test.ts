import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import type { Request, RequestHandler, Response } from 'express';
import { kiketErrorHandler, kiketVerify } from 'kiket-express';
import { deliver, example, secret } from './support/deliver';
import { endpoint } from './support/endpoint';
import { describeMajors } from './support/express';

/** What a service may have made of the two properties that are taken out and put back. */
const services: [string, RequestHandler][] = [
  ['as Express leaves them', () => {}],
  ['that hold values', (_req, res) => void (res.locals['user'] = { id: 7 })],
  ['that are looked up', (req, res) => define(req, res, { get: () => 'looked up', configurable: true })],
  ['that do not print', (req, res) => define(req, res, { value: 'hidden', configurable: true, writable: true })],
  ['that nobody may change', (req, res) => define(req, res, { value: 'constant' })],
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
    const answer: RequestHandler = (req, res) => {
      after = propertiesOf(req, res);
      res.json({});
    };
    const app = endpoint(express, [prepare, kiketVerify(secret), answer, kiketErrorHandler()]);
    const { status } = await deliver(app, example);
    expect(status).toBe(200);
    expect(before).not.toContain(undefined);
    expect(after).toEqual(before);
  });
});

describeMajors('requests and responses', (express) => {
  it('should share one hidden class each, although Express has changed their prototypes', async () => {
    const seen: [Request, Response][] = [];
    const answer: RequestHandler = (req, res) => {
      seen.push([req, res]);
      res.json({});
    };
    const app = endpoint(express, [kiketVerify(secret), answer, kiketErrorHandler()]);
    for (let delivery = 0; delivery < 20; delivery++) await deliver(app, example);
    const shared = seen.slice(1).filter(([req, res], index) => {
      const [earlierReq, earlierRes] = seen[index]!;
      return haveSameHiddenClass(req, earlierReq) && haveSameHiddenClass(res, earlierRes);
    });
    // Not all: a garbage collection may drop a class between two deliveries.
    expect(shared.length).toBeGreaterThan(10);
  });
});

setFlagsFromString('--allow-natives-syntax');
const haveSameHiddenClass = runInThisContext('(a, b) => %HaveSameMap(a, b)') as (a: object, b: object) => boolean;

function propertiesOf(req: object, res: object): unknown[] {
  return [Object.getOwnPropertyDescriptor(req, 'originalUrl'), Object.getOwnPropertyDescriptor(res, 'locals')];
}
