/** What the fake answers. Without `text` it has no body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | undefined;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

export const NO_CONTENT: Answer = { status: 204, headers: {}, text: undefined };

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return text(status, JSON.stringify(value), JSON_TYPE, headers);
}

export function text(
  status: number,
  body: string,
  contentType: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { 'Content-Type': contentType, ...headers }, text: body };
}

/** Thrown where a request is found to be wrong, at any depth. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(status: number, error: string, headers: Readonly<Record<string, string>> = {}) {
    super(error);
    this.answer = json(status, { error }, headers);
  }
}
