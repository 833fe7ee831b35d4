import { receivingOnce } from '../receiving-once.mjs';

export default receivingOnce({
  claim: () => Promise.resolve({ state: 'claimed' }),
  renew: () => Promise.resolve(true),
  complete: () => Promise.resolve(true),
  release: () => Promise.resolve(),
});
