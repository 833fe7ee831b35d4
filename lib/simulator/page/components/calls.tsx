import type { VNode } from 'preact';
import type { CallSummary } from '../../model';
import { preciseTime, shortId } from '../quantities';
import type { Tone } from '../tone';
import { Foreign } from './foreign';

/** Requests of the extension to the API. */
export function Calls({
  calls,
  withDelivery = false,
}: {
  calls: readonly CallSummary[];
  withDelivery?: boolean;
}): VNode {
  return (
    <ol class="calls" aria-label="Requests to the API">
      {calls.map(({ number, at, method, target, status, body, deliveryId, attempt }) => (
        <li key={number}>
          <div class="row">
            <time class="muted" dateTime={at}>
              {preciseTime(at)}
            </time>
            <code class="call-target">
              <b>{method}</b> <Foreign text={target} />
            </code>
            <Status status={status} />
            {withDelivery &&
              (deliveryId === undefined ? (
                <span class="muted">another credential</span>
              ) : (
                <a href={`/d/${encodeURIComponent(deliveryId)}?attempt=${attempt ?? 1}&tab=calls`}>
                  delivery {shortId(deliveryId)}
                </a>
              ))}
          </div>
          {body !== '' && (
            <details>
              <summary>Body</summary>
              <pre class="text" tabIndex={0} aria-label="Body of the call">
                <Foreign text={body} />
              </pre>
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}

/** An HTTP status with the colour of its class. */
export function Status({ status }: { status: number | undefined }): VNode {
  if (status === undefined) return <span class="status">no response yet</span>;
  const tone: Tone = status < 300 ? 'good' : status < 400 ? 'info' : 'bad';
  return <span class={`status tone-${tone}`}>{status}</span>;
}
