import { payloadOf, sign, type Signed } from './platform';
import type { Random } from './random';

let ids = 0;

/** The id of an issue that no other test delivers. */
export function freshId(): string {
  return `${process.pid}-${Date.now()}-${ids++}`;
}

/** Five attempts of a delivery, of which some have a token of their own and so other bytes. */
export function attemptsOf(random: Random, id: string): Signed[] {
  const attempt = (): Signed =>
    sign(payloadOf(id, 'issue.created'), { invocationId: id, scheme: random.pick(['body', 'timestamped']) });
  const attempts = [attempt()];
  while (attempts.length < 5) attempts.push(random.pick([random.pick(attempts), attempt()]));
  return attempts;
}
