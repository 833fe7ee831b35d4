/** True for a path, such as `/kiket`, that leads to no other host. */
export function isEndpoint(text: unknown): text is string {
  const base = 'http://receiver.invalid';
  return (
    typeof text === 'string' && text.startsWith('/') && URL.canParse(text, base) && new URL(text, base).origin === base
  );
}

/** Returns the URL of a delivery: that of the receiver, with the path of its hook if there is one. */
export function urlOf(target: string, endpoint: string | undefined): string {
  // The path of a manifest is one of the receiver, whatever it is.
  return isEndpoint(endpoint) ? new URL(endpoint, target).href : target;
}
