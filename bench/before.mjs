// The package beside an earlier commit of itself: node before.mjs [--before <commit>]. By default the previous version.
import { compare } from './compare.mjs';
import { readOptions } from './options.mjs';
import { payloadOf } from './payload.mjs';
import { buildCommit, previousVersion } from './previous.mjs';
import { BEFORE } from './receivers.mjs';

const options = readOptions(BEFORE);
const ref = options.before ?? previousVersion();
process.stderr.write(`Building ${ref}\n`);
const { folder, remove } = buildCommit(ref);
// Receivers run in processes of their own.
process.env.KIKET_EXPRESS_BEFORE = folder;
try {
  await compare(options, payloadOf);
} finally {
  remove();
}
