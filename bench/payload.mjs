import { readFileSync } from 'node:fs';

const EXAMPLE = JSON.parse(readFileSync(new URL('./example-delivery.json', import.meta.url), 'utf8'));

// Line breaks, quotes and backslashes, which JSON escapes, and characters of two, three and four bytes: a body of pure
// ASCII takes a faster path through decoding and parsing than a real one.
const TEXT = `Since 09:41 UTC checkout in Zürich and São Paulo shows “payment pending” – support has 38 tickets open 🔥

1. Put an article in the basket, pay with a saved card.
2. Watch the log: "delivery failed", attempt 3 of 5, after 30 s.
3. The order stays in C:\\orders\\pending. 東京のチームも同じ問題を確認しました。

We rolled back to 4.18.2 at 10:05, and the queue is draining again. The cause is still unknown; the first failure
follows the certificate's renewal by two minutes, so look there first.
`;

/** The contract's example with these changes, filled up with an issue's description and comments to exactly `bytes`. */
export function payloadOf(bytes, changes = {}) {
  const perComment = lengthWith('', 2) - lengthWith('', 1);
  const comments = Math.max(0, Math.floor((bytes - lengthWith('', 0)) / perComment) - 1);
  const room = bytes - lengthWith('', comments);
  if (room < 0) throw new RangeError(`A delivery takes at least ${bytes - room} bytes, not ${bytes}`);
  return serialise(fill(room), comments);

  function lengthWith(description, comments) {
    return Buffer.byteLength(serialise(description, comments));
  }

  function serialise(description, comments) {
    return JSON.stringify({
      ...EXAMPLE,
      ...changes,
      issue: {
        ...EXAMPLE.issue,
        description,
        comments: Array.from({ length: comments }, (_, index) => comment(index)),
      },
    });
  }
}

function comment(index) {
  return { id: 70_000 + index, author: { id: 91, name: 'Zoë Müller' }, body: TEXT, created_at: '2025-11-08T10:31:42Z' };
}

/** A string of exactly `room` bytes within JSON. */
function fill(room) {
  let text = '';
  for (const character of TEXT.repeat(Math.ceil(room / TEXT.length))) {
    const length = Buffer.byteLength(JSON.stringify(character)) - '""'.length;
    if (length > room) break;
    text += character;
    room -= length;
  }
  return text + '.'.repeat(room);
}
