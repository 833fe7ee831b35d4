import { commonOf, withOtherRequests } from '../../../lib/explain/explain-all';
import { BODY, explain, made, SECRET, validMaking, type Making } from './deviant';

const secrets = [{ value: Buffer.from(SECRET), source: '' }];

function explainedOf(...changes: readonly ((making: Making) => void)[]) {
  return changes.map((change) => {
    const making = validMaking();
    change(making);
    const request = made(making);
    return { request, explanation: explain(request, making) };
  });
}

const valid = () => {};
const withNewline = (making: Making) => void (making.secret = `${SECRET}\n`);

describe('withOtherRequests', () => {
  it('should find the request to which a signature belongs', () => {
    const mixed = explainedOf(valid, (making) => void (making.received = '{"event":"issue.deleted"}'));
    const [first, second] = withOtherRequests(mixed, { secrets });
    expect(first!.explanation.verdict).toBe('valid');
    expect(second!.explanation).toMatchObject({
      verdict: 'explained',
      secretIndex: 0,
      causes: [{ id: 'other-request', condition: 'body and timestamp of request 1 are signed' }],
    });
  });

  it('should change nothing for a signature that no request explains', () => {
    const unexplained = explainedOf(valid, (making) => void (making.secret = 'another'));
    expect(withOtherRequests(unexplained, { secrets })).toEqual(unexplained);
  });
});

describe('commonOf', () => {
  it('should name what all failures have in common, and no request that matches', () => {
    const via = (making: Making) => {
      withNewline(making);
      making.headers.push(['Via', '1.1 proxy']);
    };
    expect(commonOf(explainedOf(via, valid, via))).toEqual(['the secret has a newline at its end', 'Via: 1.1 proxy']);
  });

  it('should name bodies beyond ASCII, and newlines', () => {
    const ascii = (making: Making) => void (making.signed = making.received = '{}');
    const other = (making: Making) => {
      making.secret = 'another';
      making.signed = making.received = `${BODY}\n`;
    };
    expect(commonOf(explainedOf(other, other, ascii))).toEqual([
      'the body has characters beyond ASCII',
      'the body ends in a newline',
    ]);
  });

  it.each([
    ['one failure', [valid, withNewline]],
    ['no failure', [valid, valid]],
  ])('should be empty for %s', (_name, changes) => {
    expect(commonOf(explainedOf(...changes))).toEqual([]);
  });
});
