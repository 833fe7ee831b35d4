import type { VNode } from 'preact';
import { deliveryHref } from '../router';
import { api } from '../api';
import { Empty } from '../components/empty';
import { Foreign } from '../components/foreign';
import { preciseTime } from '../quantities';
import { attempt } from '../state/messages';
import { alerts, updateAlert } from '../state/overview';

/** The messages of Kiket to operators. */
export function Alerts(): VNode {
  const acknowledge = async (id: string): Promise<void> => {
    const alert = await attempt(api.acknowledge(id), 'The alert is acknowledged');
    if (alert !== undefined) updateAlert(alert);
  };
  const ordered = [...alerts.value].sort((one, other) => Number(one.isAcknowledged) - Number(other.isAcknowledged));
  return (
    <>
      <h1>Alerts</h1>
      <p class="muted">Kiket alerts when all attempts of a required delivery have failed.</p>
      {ordered.length === 0 ? (
        <Empty title="No alert.">
          <p>
            Switch a <a href="/faults">fault</a> on, or stop the extension, and send a delivery.
          </p>
        </Empty>
      ) : (
        <ul class="cards" aria-label="Alerts">
          {ordered.map(({ id, at, type, deliveryId, text, isAcknowledged }) => (
            <li class={`card alert-card tone-${isAcknowledged ? 'neutral' : 'bad'}`}>
              <p class="row">
                <code>{type}</code>
                <time class="muted" dateTime={at}>
                  {preciseTime(at)}
                </time>
                {isAcknowledged && <span class="muted">acknowledged</span>}
              </p>
              <p>
                <Foreign text={text} />
              </p>
              <p class="row">
                <a href={deliveryHref(deliveryId)}>Open the delivery</a>
                {!isAcknowledged && (
                  <button type="button" onClick={() => void acknowledge(id)}>
                    Acknowledge
                  </button>
                )}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
