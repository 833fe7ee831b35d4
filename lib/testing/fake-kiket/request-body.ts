import type { IncomingMessage } from 'node:http';
import { Refusal } from './answer';

const LONGEST = 1_048_576;

/** A refusal in place of the value is what the request is to be answered with, if nothing else is wrong with it. */
export interface RequestBody {
  readonly value: unknown;
  readonly refusal: Refusal | undefined;
}

/** Reads to the end, also what is too long, so that the client can read its answer; `undefined` when it has left. */
export async function readBody(req: IncomingMessage): Promise<RequestBody | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length <= LONGEST) chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  if (length > LONGEST) return { value: undefined, refusal: new Refusal(413, 'The body is longer than 1 MB') };
  return parse(Buffer.concat(chunks).toString());
}

function parse(text: string): RequestBody {
  try {
    return { value: text === '' ? undefined : JSON.parse(text), refusal: undefined };
  } catch {
    return { value: undefined, refusal: new Refusal(400, 'The body is no JSON') };
  }
}
