/** Bytes of a row. */
const WIDTH = 16;

/** Returns a dump of bytes: offset, hex digits, and characters. */
export function hexDump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += WIDTH) {
    const row = [...bytes.subarray(offset, offset + WIDTH)];
    const digits = row.map((byte, index) => `${index === WIDTH / 2 ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`);
    const characters = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'));
    rows.push(`${offset.toString(16).padStart(6, '0')}  ${digits.join(' ').padEnd(WIDTH * 3)}  ${characters.join('')}`);
  }
  return rows.join('\n');
}
