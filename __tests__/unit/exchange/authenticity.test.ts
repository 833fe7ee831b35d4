import type { Delivery } from '../../../lib/delivery/delivery';
import { Authenticity, type AuthenticityStatus } from '../../../lib/exchange/authenticity';

const signature = { scheme: 'body' as const };
const mac = Buffer.alloc(32);
const token = { projectId: 7 } as never;

type Step = (authenticity: Authenticity) => void;
const passOn: Step = (authenticity) => authenticity.passOnUnsigned();
const begin: Step = (authenticity) => authenticity.begin(false);
const beginReport: Step = (authenticity) => authenticity.begin(true);
const accept: Step = (authenticity) => authenticity.accept(signature as never, mac);
const acceptToken: Step = (authenticity) => authenticity.acceptToken(token, false);
const trustToken: Step = (authenticity) => authenticity.acceptToken(token, true);
const reject: Step = (authenticity) => authenticity.reject();

interface Expected {
  verified: boolean | undefined;
  isPassedOn?: boolean;
  hasToken?: boolean;
  trustsBody?: boolean;
}

describe('Authenticity', () => {
  it.each<[name: string, steps: Step[], status: AuthenticityStatus, expected: Expected]>([
    ['nothing', [], 'unchecked', { verified: undefined }],
    ['no signature', [passOn], 'unsigned', { verified: false, isPassedOn: true }],
    ['a verification', [begin], 'rejected', { verified: false }],
    ['a verification that only reports', [beginReport], 'reported', { verified: false, isPassedOn: true }],
    ['a valid signature', [begin, accept], 'verified', { verified: true, trustsBody: true }],
    [
      'a valid signature that is only reported on',
      [beginReport, accept],
      'verified',
      { verified: true, trustsBody: true },
    ],
    ['an invalid signature', [begin, reject], 'rejected', { verified: false }],
    ['a valid signature, verified again', [begin, accept, begin], 'verified', { verified: true, trustsBody: true }],
    [
      'a valid signature, then an invalid one',
      [begin, accept, begin, reject],
      'rejected',
      { verified: false, trustsBody: true },
    ],
    ['a valid token', [begin, acceptToken], 'verified', { verified: true, hasToken: true }],
    [
      'a valid token, trusted with the body',
      [trustToken],
      'verified',
      { verified: true, hasToken: true, trustsBody: true },
    ],
    ['a valid token, then an invalid signature', [acceptToken, begin, reject], 'rejected', { verified: false }],
    ['no signature, then a verification', [passOn, begin], 'rejected', { verified: false }],
  ])('should follow %s', (_name, steps, status, expected) => {
    const delivery = {} as Delivery;
    const authenticity = new Authenticity(delivery);
    for (const step of steps) step(authenticity);
    expect({
      status: authenticity.status,
      isVerified: authenticity.isVerified,
      verified: delivery.verified,
      isPassedOn: authenticity.isPassedOn,
      hasToken: authenticity.token !== undefined,
      trustsBody: authenticity.trustsBody,
    }).toEqual({
      isPassedOn: false,
      hasToken: false,
      trustsBody: false,
      ...expected,
      status,
      isVerified: status === 'verified',
    });
  });
});
