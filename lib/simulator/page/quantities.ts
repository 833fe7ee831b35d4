/** Returns milliseconds for people: `14 ms`, `1.5 s`, `2 min`, `8 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${rounded(ms / 1000)} s`;
  if (ms < 3_600_000) return `${rounded(ms / 60_000)} min`;
  return `${rounded(ms / 3_600_000)} h`;
}

/** Returns the time that is left, as it is counted down: `0.5 s`, `0:12`, `1:02:03`. */
export function countdown(ms: number): string {
  if (ms <= 0) return 'now';
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.ceil(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${minutes}:${String(seconds % 60).padStart(2, '0')}`;
  return hours === 0 ? rest : `${hours}:${rest.padStart(5, '0')}`;
}

/** Returns a number of bytes for people: `612 B`, `1.2 KB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${rounded(bytes / 1000)} KB` : `${rounded(bytes / 1_000_000)} MB`;
}

/** Returns the local time of day: `13:04:05`. */
export function timeOfDay(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB');
}

/** Returns the local time of day to the millisecond. */
export function preciseTime(iso: string): string {
  const time = new Date(iso);
  return `${time.toLocaleTimeString('en-GB')}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** `1 attempt`, `2 attempts`. */
export function count(amount: number, word: string): string {
  const plural = /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
  return `${amount.toLocaleString('en-GB')} ${amount === 1 ? word : plural}`;
}

/** The first digits of a long id, which are enough to tell deliveries apart. */
export function shortId(id: string): string {
  return id.length <= 12 ? id : id.slice(0, 8);
}

function rounded(value: number): string {
  return String(Number(value.toFixed(value < 100 ? 1 : 0)));
}
