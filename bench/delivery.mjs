import { randomUUID } from 'node:crypto';
import { signatureHeaders } from './signing.mjs';

/** The bytes of a signed delivery on the wire, HTTP/1.1. Schemes differ in the headers of their signature only. */
export function deliveryBytes(scheme, body) {
  return requestBytes(signatureHeaders(scheme, body), body);
}

/** The same, with one digit of the body changed after it was signed. */
export function tamperedBytes(scheme, body) {
  return requestBytes(signatureHeaders(scheme, body), body.replace('"project_id":27', '"project_id":28'));
}

function requestBytes(signature, body) {
  const headers = {
    Host: 'localhost',
    'User-Agent': 'Kiket-Webhooks',
    Accept: 'application/json',
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'X-Kiket-Event': 'workflow.sla_status',
    'X-Kiket-Event-Version': 'v1',
    'X-Kiket-Invocation': randomUUID(),
    'X-Kiket-Project': '27',
    'X-Kiket-Organization': '3',
    ...signature,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST /kiket HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
