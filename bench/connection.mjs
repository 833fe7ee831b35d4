import { connect } from 'node:net';

const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i;
const CHUNKED = /\r\ntransfer-encoding: chunked\r\n/i;
const LAST_CHUNK = '\r\n0\r\n\r\n';
const HEAD_END = '\r\n\r\n';

/**
 * A keep-alive connection that writes prepared bytes and only counts the responses. An HTTP client would cost as much
 * as the faster servers do, and hide their differences.
 */
export function openConnection({ port, onStatus, onError }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let received = '';
  socket.setEncoding('latin1');
  socket.on('error', onError);
  socket.on('close', () => onError(new Error('The receiver closed a kept-alive connection')));
  socket.on('data', (text) => {
    received += text;
    if (!isWhole(received)) return;
    const status = Number(received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
    received = '';
    onStatus(status);
  });
  return {
    send: (request) => socket.write(request),
    close: () => socket.removeAllListeners('close').destroy(),
  };
}

function isWhole(response) {
  const headEnd = response.indexOf(HEAD_END);
  if (headEnd === -1) return false;
  const length = CONTENT_LENGTH.exec(response);
  if (length !== null) return response.length >= headEnd + HEAD_END.length + Number(length[1]);
  return CHUNKED.test(response) && response.endsWith(LAST_CHUNK);
}
