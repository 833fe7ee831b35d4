/** A header as it is sent or received: spelling and order are kept, and a name may occur twice. */
export type HeaderLine = readonly [name: string, value: string];

/** How the bytes of a body are put on the wire. By default at once, with their length. */
export interface Transfer {
  /** In chunks, without a length. */
  readonly isChunked?: boolean | undefined;
  /** In 20 pieces over this time, in milliseconds. */
  readonly overMs?: number | undefined;
  /** The length in the header, where it differs from that of the body. */
  readonly declaredLength?: number | undefined;
  /** Ends the connection after the body, without waiting for the response. */
  readonly leavesEarly?: boolean | undefined;
  /** Sends this many bytes of the body, and then nothing until the time limit. */
  readonly stopsAfter?: number | undefined;
}

/** A request as it is sent. */
export interface OutgoingRequest {
  /** `POST` for a delivery. */
  readonly method: string;
  /** An absolute URL of the schemes `http:` and `https:`. */
  readonly url: string;
  /** Without `Host`, `Connection` and the length, which are added. */
  readonly headers: readonly HeaderLine[];
  /** The exact bytes. */
  readonly body: Buffer;
  /** Default: at once, with the length. */
  readonly transfer?: Transfer | undefined;
}

/** A response as it was received. */
export interface IncomingResponse {
  /** The HTTP status. */
  readonly status: number;
  /** All of them, in order. */
  readonly headers: readonly HeaderLine[];
  /** As received: not decompressed. At most 10 MB. */
  readonly body: Buffer;
  /** Bytes beyond 10 MB, which were read and dropped. */
  readonly droppedBytes: number;
}

/** Returns the headers of a message that Node has received, from its `rawHeaders`. */
export function headerLines(rawHeaders: readonly string[]): HeaderLine[] {
  return rawHeaders.flatMap((name, i): HeaderLine[] => (i % 2 === 0 ? [[name, rawHeaders[i + 1]!]] : []));
}

/** Returns the first header of a name, in any spelling. */
export function headerOf(headers: readonly HeaderLine[], name: string): string | undefined {
  return headers.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
}

/** Returns the headers without those of a name. */
export function withoutHeader(headers: readonly HeaderLine[], name: string): HeaderLine[] {
  return headers.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
}

/** Returns the headers with one more, which replaces those of its name. */
export function withHeader(headers: readonly HeaderLine[], name: string, value: string): HeaderLine[] {
  return [...withoutHeader(headers, name), [name, value]];
}
