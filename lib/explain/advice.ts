/** Why signatures do not match, and what mends it. */
export interface Advice {
  /** The cause, in one sentence. */
  readonly cause: string;
  /** The advice, in one sentence. */
  readonly mend: string;
}

const WRITTEN_AGAIN = {
  cause:
    'The JSON that was signed is not written as the JSON that was received: one side has parsed it and written it again.',
  mend: 'Sender: sign the bytes that are sent. Express: mount kiketVerify before express.json(), or use express.json({ verify: captureRawBody }).',
} as const satisfies Advice;

/** By cause: deviations of which the HMAC is a proof, then what the request shows without a secret. */
export const ADVICE = {
  'other-scheme': {
    cause: 'The sender signs the other generation: the body alone, or with the timestamp before it.',
    mend: 'Send X-Kiket-Timestamp exactly when it is signed, and list the scheme in signatureSchemes.',
  },
  'timestamp-lost': {
    cause: 'The sender signs a timestamp that the request does not carry.',
    mend: 'Send it as X-Kiket-Timestamp, and look for a proxy that removes the header.',
  },
  'secret-white-space': {
    cause: 'The secret that signs has white space around it, or has lost it, as when a file is read with its newline.',
    mend: 'Trim the secret where the sender reads it, e.g. .trim(), or printf in place of echo.',
  },
  'secret-quoted': {
    cause:
      'Quotes or escapes of a .env, YAML or shell file have become part of the secret, or a part of it was lost to them.',
    mend: 'Print the length of the secret on both sides, and quote it as the file format wants it.',
  },
  'secret-reference': {
    cause: 'The reference to the variable was signed with, in place of its value.',
    mend: 'Resolve the reference of the manifest where the sender reads it, e.g. env.KIKET_WEBHOOK_SECRET.',
  },
  'secret-unset': {
    cause: 'The variable of the secret is not set where the delivery is signed.',
    mend: 'Set it there, and let the sender refuse to start without it: anybody can make this signature.',
  },
  'secret-encoded': {
    cause: 'One side decodes the secret, or adds or removes a prefix, and the other does not.',
    mend: 'Kiket uses the characters of the secret as they are: use its UTF-8 bytes as the key on both sides.',
  },
  'secret-characters': {
    cause: 'A secret with characters beyond ASCII is encoded differently on both sides.',
    mend: 'Use its UTF-8 bytes as the key, or a secret of ASCII characters.',
  },
  'secret-other': {
    cause: 'The delivery is signed with another secret than the delivery secret.',
    mend: 'Compare the variable that the sender reads with callback.secret of the manifest.',
  },
  'body-reserialised': WRITTEN_AGAIN,
  'body-layout': {
    cause:
      'The JSON that was signed has other white space than the JSON that was received: a pretty-printer, a proxy or a viewer has changed it.',
    mend: 'Sender: sign the bytes that are sent. Receiver: verify the bytes that arrive; copy raw bodies, not views of them.',
  },
  'body-language': {
    cause: 'The JSON that was signed was written by another language than the JSON that was received.',
    mend: 'Sender: write the JSON once, sign that string, and send the same string. Receiver: verify before anything parses the body.',
  },
  'body-escapes': {
    cause: 'Characters of the JSON are escaped in what was signed and not in what was received, or the reverse.',
    mend: 'Look for a proxy or a client that writes the JSON again, and make it forward the bytes.',
  },
  'body-numbers': {
    cause: 'Numbers were written again, as JavaScript writes them: 1.0 becomes 1, and large integers lose digits.',
    mend: 'Sign and verify the bytes; nothing between both may parse the JSON.',
  },
  'body-bom': {
    cause: 'A byte order mark is in what was signed and not in what was received, or the reverse.',
    mend: 'Write UTF-8 without a byte order mark; mount kiketVerify before express.text(), which removes it.',
  },
  'body-newlines': {
    cause: 'Newlines differ between what was signed and what was received, as after an editor, echo or git.',
    mend: 'Send the file byte by byte, e.g. curl --data-binary @FILE, and sign the same bytes.',
  },
  'body-trimmed': {
    cause: 'White space around the body is in what was received and not in what was signed.',
    mend: 'Sign the bytes that are sent, without trimming.',
  },
  'body-characters': {
    cause: 'The body was decoded and encoded again with another encoding than UTF-8.',
    mend: 'Handle bodies as bytes, or decode them as UTF-8 on both sides.',
  },
  'body-compressed': {
    cause: 'The signature covers the body before it was compressed or decompressed, and the capture has it after that.',
    mend: 'Sign the uncompressed JSON and send it so; look for a proxy or an inflate option between both.',
  },
  'body-base64': {
    cause: 'The body is base64 on one side, as API Gateway passes it on with isBase64Encoded.',
    mend: 'Decode it before it is verified: Buffer.from(event.body, "base64").',
  },
  'body-json-string': {
    cause: 'The JSON was serialised twice, or is a string within JSON.',
    mend: 'Call JSON.stringify once, and pass the string on as it is.',
  },
  'body-form': {
    cause: 'A form was encoded or decoded between signing and verifying.',
    mend: 'Send JSON with Content-Type: application/json, and mount no form parser before kiketVerify.',
  },
  'body-chunked': {
    cause: 'The capture contains the chunk sizes of the transfer, as a dump of the connection does.',
    mend: 'Verify the body without them; the receiver is not affected.',
  },
  'body-empty': {
    cause: 'The signature covers an empty body: the stream was read before, or a request without a body was signed.',
    mend: 'Sign after the body is built, and read the stream once.',
  },
  'body-injected': {
    cause: 'The signature covers the payload without its runtime parts, or with masked values.',
    mend: 'Sign last: after authentication and secrets are added, and before anything is masked.',
  },
  'body-cut': {
    cause: 'The signature covers only the beginning of the body.',
    mend: 'Look for a limit or a buffer size where the sender reads the body that it signs.',
  },
  'text-formula': {
    cause: 'The sender joins timestamp and body by the formula of another platform.',
    mend: 'Sign <X-Kiket-Timestamp>.<body>: the seconds as they are sent, a dot, the exact body.',
  },
  'text-request': {
    cause: 'The sender signs method, path or URL before the body.',
    mend: 'Sign <X-Kiket-Timestamp>.<body>, or the body alone.',
  },
  'digest-algorithm': {
    cause: 'The signature is a digest of the right text, but not its HMAC-SHA256.',
    mend: "Use HMAC-SHA256 with the secret as its key: createHmac('sha256', secret).update(text).digest('hex').",
  },
  'signature-encoding': {
    cause: 'The digest is right, but is not written as 64 hex digits.',
    mend: "Write it in hex, e.g. .digest('hex'), with or without sha256= before it.",
  },
  'signature-header': {
    cause: 'The signature is right, but in a header of another name.',
    mend: 'Send it as X-Kiket-Signature.',
  },
  'signature-repeated': {
    cause: 'The request has several signatures, of which one is right.',
    mend: 'Send one X-Kiket-Signature, and look for a proxy that adds headers.',
  },
  'other-request': {
    cause: 'The signature belongs to another request of the same capture: headers and bodies were mixed.',
    mend: 'Take headers and body of one request; in the sender, look for state that requests share.',
  },
  'signature-missing': {
    cause: 'The request has no signature.',
    mend: 'Sign it as X-Kiket-Signature, and look for a proxy that removes headers.',
  },
  'signature-form': {
    cause: 'X-Kiket-Signature is not an HMAC-SHA256 in hex.',
    mend: 'Send 64 hex digits, with or without sha256= before them.',
  },
  'timestamp-missing': {
    cause: 'The request has no X-Kiket-Timestamp.',
    mend: 'If the sender signs a timestamp, send it as X-Kiket-Timestamp.',
  },
  'timestamp-form': {
    cause: 'X-Kiket-Timestamp does not count seconds since 1970 in digits.',
    mend: 'Send seconds, e.g. String(Math.floor(Date.now() / 1000)).',
  },
  'timestamp-stale': {
    cause: 'X-Kiket-Timestamp is out of the window.',
    mend: 'Compare the clocks of both sides; sign again before each attempt.',
  },
  'timestamp-in-body': {
    cause: 'The body begins with a timestamp and a dot, which a receiver refuses: it would never go stale.',
    mend: 'Send the timestamp as X-Kiket-Timestamp, and the JSON alone as the body.',
  },
  'scheme-refused': {
    cause: 'The signature is right, but of a scheme that the receiver does not accept.',
    mend: 'List the scheme in signatureSchemes, or let the sender sign the other one.',
  },
  'body-length': {
    cause: 'The body has another length than Content-Length says, so that it is not the body that was sent.',
    mend: 'Capture the body again, from the bytes on the wire; look for a limit, or for a proxy that keeps an old Content-Length.',
  },
  'body-compression-header': {
    cause:
      'The request has a Content-Encoding: the receiver decompresses the body, and the capture may have either form.',
    mend: 'Send the JSON uncompressed.',
  },
  'body-lost': {
    cause: 'The body is what a parser leaves behind, not what was sent.',
    mend: 'Express: mount kiketVerify before any parser, or use express.json({ verify: captureRawBody }).',
  },
  'body-masked': {
    cause: 'Values of the body are masked: the bytes that were signed are not known any more.',
    mend: 'Capture the request unmasked, e.g. kiket-express record --keep-secrets.',
  },
  'body-not-utf8': {
    cause: 'The body is not UTF-8.',
    mend: 'Look for a client or a proxy with another encoding.',
  },
} as const satisfies Readonly<Record<string, Advice>>;

/** A key of {@link ADVICE}. */
export type AdviceId = keyof typeof ADVICE;
