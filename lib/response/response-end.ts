import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Calls `listener` once, when a response is out or its connection has closed before.
 *
 * @param listener is given true when the response is out.
 * @param onClose is called when Node has closed the response.
 */
export function onResponseEnd(
  req: IncomingMessage,
  res: ServerResponse,
  listener: (isOut: boolean) => void,
  onClose: () => void,
): void {
  let isWaiting = true;
  const report = (isOut: boolean): void => {
    if (!isWaiting) return;
    isWaiting = false;
    listener(isOut);
  };
  // Over HTTP/2, Node emits 'finish' for a stream that was broken off, too. Over HTTP/1 it comes before `writableEnded` is true
  // where an adapter's socket calls back at once.
  res
    .on('finish', () => report(!(req.httpVersionMajor >= 2) || res.writableEnded))
    .on('close', () => {
      report(res.writableFinished);
      onClose();
    });
  if (res.socket === null) onQueuedClose(req, res, () => report(false));
}

/**
 * A request that was sent ahead on its connection (pipelining) has no socket for its response until those before it are
 * out. When the connection closes first, neither request nor response emits an event: only the socket does.
 */
function onQueuedClose(req: IncomingMessage, res: ServerResponse, listener: () => void): void {
  const { socket } = req as { socket: IncomingMessage['socket'] | null | undefined };
  // Requests of adapters and mocks have no socket, or one that emits nothing.
  if (typeof socket?.once !== 'function') return;
  const queue = queueOf(socket);
  queue.set(res, listener);
  res.once('finish', () => queue.delete(res));
}

type Queue = Map<ServerResponse, () => void>;

const queues = new WeakMap<object, Queue>();

/** One listener for all of a connection: a client may send hundreds of requests ahead, and Node would warn of a leak. */
function queueOf(socket: IncomingMessage['socket']): Queue {
  const known = queues.get(socket);
  if (known !== undefined) return known;
  const queue: Queue = new Map();
  queues.set(socket, queue);
  socket.once('close', () => {
    for (const listener of queue.values()) listener();
    queue.clear();
  });
  return queue;
}
