import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FAULT_KINDS } from '../../../lib/simulator/faults';

const guide = readFileSync(resolve(__dirname, '../../../docs/guides/local-kiket.md'), 'utf8');

describe('docs/guides/local-kiket.md', () => {
  it('should have a row for each fault, in their order', () => {
    const [, faults] = guide.split('## Faults');
    const rows = [...faults!.split('## ')[0]!.matchAll(/^\| `([^`]+)`/gm)].map(([, kind]) => kind);
    expect(rows).toEqual(FAULT_KINDS.map(({ kind }) => kind));
  });
});
