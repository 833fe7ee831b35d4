/** A part of a text from elsewhere. */
export type Segment =
  | { readonly kind: 'plain'; readonly text: string }
  /** A character that has no form of its own, or changes that of others. */
  | { readonly kind: 'hidden'; readonly text: string; readonly name: string }
  /** A value that was removed, such as `token` or `secret:API_KEY`. */
  | { readonly kind: 'masked'; readonly name: string };

/**
 * Control characters other than tab and line breaks, marks of direction, characters without width, line separators, tags, and halves
 * of pairs. A joiner after a picture is a part of an emoji.
 */
const SPECIAL =
  // eslint-disable-next-line no-control-regex
  /\{\{(token|signature|secret:[^{}]{1,200})\}\}|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}|(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d/gu;

/** Splits a text where something has to be shown in its own way. A carriage return before a line feed is left as it is. */
export function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let end = 0;
  for (const match of text.matchAll(SPECIAL)) {
    if (match[0] === '\r' && text[match.index + 1] === '\n') continue;
    if (match.index > end) segments.push({ kind: 'plain', text: text.slice(end, match.index) });
    segments.push(match[1] === undefined ? hidden(match[0]) : { kind: 'masked', name: match[1] });
    end = match.index + match[0].length;
  }
  if (end < text.length) segments.push({ kind: 'plain', text: text.slice(end) });
  return segments;
}

function hidden(character: string): Segment {
  const code = character.codePointAt(0)!;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  if (code < 0x20) return { kind: 'hidden', text: String.fromCharCode(0x2400 + code), name };
  return { kind: 'hidden', text: code === 0x7f ? '␡' : `⟨${name}⟩`, name };
}
