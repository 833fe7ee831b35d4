import type { VNode } from 'preact';
import { Form } from '../../components/form';
import { useState } from 'preact/hooks';
import type { AttemptDetail, DeliveryDetail } from '../../../model';
import { api } from '../../api';
import { Dialog } from '../../components/dialog';
import { attempt as carryOut, copy } from '../../state/messages';
import { replay } from './replay';

const FORMS = [
  ['curl', 'curl', 'The curl command'],
  ['http', 'HTTP', 'The HTTP request'],
  ['test', 'Jest test', 'The Jest test'],
] as const;

const MODES = [
  ['exact', 'exact', 'The same bytes and headers'],
  ['resign', 'signed again', 'The same body, with a new time and signature'],
  ['fresh', 'fresh', 'The same content with a fresh token, as the platform retries'],
] as const;

/** The actions on a delivery. */
export function Actions({
  delivery,
  attempt,
}: {
  delivery: DeliveryDetail;
  attempt: AttemptDetail | undefined;
}): VNode {
  const { id, state } = delivery;
  const [isSaving, setSaving] = useState(false);
  const isOpen = state === 'queued' || state === 'sending' || state === 'retrying';
  const part = encodeURIComponent(id);
  const print = async (form: 'curl' | 'http' | 'test', what: string): Promise<void> => {
    const printed = await carryOut(api.print(id, attempt!.number, form));
    if (printed !== undefined) await copy(printed.text, what);
  };
  return (
    <div class="actions" role="group" aria-label="Actions">
      <button type="button" onClick={() => void carryOut(api.attemptNow(id), 'The attempt is made now')}>
        Attempt now
      </button>
      {state === 'retrying' && (
        <button
          type="button"
          onClick={() => void carryOut(api.skipDelays(id), 'All attempts that are left are made without delays')}
        >
          Skip delays
        </button>
      )}
      {isOpen && (
        <button type="button" onClick={() => void carryOut(api.cancel(id), 'The delivery is cancelled')}>
          Cancel
        </button>
      )}
      <span class="button-group" role="group" aria-label="Replay">
        <span class="button-group-label" aria-hidden="true">
          Replay
        </span>
        {MODES.map(([mode, word, title]) => (
          <button type="button" title={title} aria-label={`Replay ${word}`} onClick={() => void replay(id, mode)}>
            {word}
          </button>
        ))}
      </span>
      <a class="button" href={`/send?from=${part}`}>
        Edit and send
      </a>
      <a class="button" href={`/compare?a=${part}${attempt === undefined ? '' : `:${attempt.number}`}`}>
        Compare with…
      </a>
      {attempt !== undefined && (
        <span class="button-group" role="group" aria-label="Copy as">
          <span class="button-group-label" aria-hidden="true">
            Copy as
          </span>
          {FORMS.map(([form, word, what]) => (
            <button type="button" aria-label={`Copy as ${word}`} onClick={() => void print(form, what)}>
              {word}
            </button>
          ))}
        </span>
      )}
      <button type="button" onClick={() => setSaving(true)}>
        Save as file
      </button>
      {isSaving && <Save delivery={delivery} onClose={() => setSaving(false)} />}
    </div>
  );
}

function Save({ delivery, onClose }: { delivery: DeliveryDetail; onClose: () => void }): VNode {
  const [name, setName] = useState((delivery.event ?? 'delivery').replace(/[^\w.-]+/g, '-'));
  const save = async (): Promise<void> => {
    const saved = await carryOut(api.save(delivery.id, name), ({ file }) => `Saved as ${file}`);
    if (saved !== undefined) onClose();
  };
  return (
    <Dialog title="Save as file" onClose={onClose}>
      <Form onSubmit={() => void save()}>
        <label class="field">
          <span>Name</span>
          <input type="text" value={name} required onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <p class="muted">
          The payload without secrets. Send it with <code>kiket-express send {name}</code>
        </p>
        <button type="submit" class="primary">
          Save
        </button>
      </Form>
    </Dialog>
  );
}
