import type { VNode } from 'preact';
import { Section } from '../components/section';
import { Form } from '../components/form';
import { useState } from 'preact/hooks';
import type { SettingsChange, SettingsView } from '../../local-kiket';
import { api } from '../api';
import { CopyButton } from '../components/copy-button';
import { Dialog } from '../components/dialog';
import { Field } from '../components/field';
import { Foreign } from '../components/foreign';
import { Problem } from '../components/problem';
import { Select } from '../components/select';
import { duration, preciseTime } from '../quantities';
import { attempt, confirm } from '../state/messages';
import { useLoad, type Loaded } from '../state/use-load';

type Change = (change: SettingsChange) => Promise<void>;

/** How the local Kiket behaves, and where that comes from. */
export function Settings(): VNode {
  const loaded = useLoad(() => api.settings());
  const { data, error, set, reload } = loaded;
  const change: Change = async (part) => {
    const changed = await attempt(api.changeSettings(part), 'The setting is changed');
    // Also after an error: the field shows what is valid again.
    if (changed === undefined) reload();
    else set(() => changed);
  };
  return (
    <>
      <h1>Settings</h1>
      {error !== undefined && <Problem text={error} onRetry={reload} />}
      {data !== undefined && (
        <>
          {data.notes.map((note) => (
            <p class="notice tone-warning">
              <Foreign text={note} />
            </p>
          ))}
          <Facts settings={data} />
          <Schedule key={`${data.schedule} ${data.speed}`} settings={data} onChange={change} />
          <Deliveries settings={data} onChange={change} />
          <Hooks settings={data} />
          <Secrets loaded={loaded} settings={data} />
          <DeliverySecret settings={data} onRotate={reload} />
          <Clear />
        </>
      )}
    </>
  );
}

function Facts({ settings }: { settings: SettingsView }): VNode {
  const { target, apiUrl, extensionId, manifest, concurrency, timeoutMs, scopes, projectId, organizationId } = settings;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Target', target],
    ['API', apiUrl],
    ['Manifest', manifest ?? 'none'],
    ['Extension', extensionId],
    ['Project', projectId === undefined ? undefined : String(projectId)],
    ['Organization', organizationId === undefined ? undefined : String(organizationId)],
    ['Scopes', scopes.join(', ') || 'none'],
    ['Event version', settings.eventVersion],
    ['At once', `at most ${concurrency} attempts`],
    ['Time limit', duration(timeoutMs)],
  ];
  return (
    <dl class="pairs card">
      {rows.map(
        ([name, value]) =>
          value !== undefined && (
            <div>
              <dt>{name}</dt>
              <dd>
                <Foreign text={value} />
              </dd>
            </div>
          ),
      )}
    </dl>
  );
}

const SCHEDULES = ['contract', 'docs', 'legacy', '24h'];
const SPEEDS = ['1', '10', '60', '600', 'max'];

function Schedule({ settings, onChange }: { settings: SettingsView; onChange: Change }): VNode {
  const [schedule, setSchedule] = useState(settings.schedule);
  const [speed, setSpeed] = useState(String(settings.speed));
  const save = (): Promise<void> => onChange({ schedule, speed: speed === 'max' ? 'max' : Number(speed) });
  const { delays, speed: current } = settings;
  return (
    <Section title="Retries">
      <Form class="card row add" onSubmit={() => void save()}>
        <Field label="Schedule" value={schedule} list={SCHEDULES} required onChange={setSchedule} />
        <Field label="Speed" value={speed} list={SPEEDS} required onChange={setSpeed} />
        <button type="submit">Change</button>
        <table class="full">
          <caption class="visually-hidden">Delays before each retry</caption>
          <thead>
            <tr>
              <th scope="col">Retry</th>
              <th scope="col">On the platform</th>
              <th scope="col">Here</th>
            </tr>
          </thead>
          <tbody>
            {delays.map((delay, index) => (
              <tr>
                <td>{index + 1}</td>
                <td>after {duration(delay)}</td>
                <td>{current === 'max' ? 'at once' : `after ${duration(delay / current)}`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Form>
    </Section>
  );
}

function Deliveries({ settings, onChange }: { settings: SettingsView; onChange: Change }): VNode {
  const { scheme, envelope, honoursRetryAfter, raisesEvents } = settings;
  return (
    <Section title="Deliveries">
      <div class="card row add">
        <Select
          label="Signature scheme"
          value={scheme}
          options={[
            ['timestamped', 'timestamped: time and body'],
            ['body', 'body alone'],
          ]}
          onChange={(value) => void onChange({ scheme: value as SettingsView['scheme'] })}
        />
        <Select
          label="Envelope"
          value={envelope}
          options={[
            ['contract', 'contract'],
            ['data', 'data'],
          ]}
          onChange={(value) => void onChange({ envelope: value as SettingsView['envelope'] })}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={honoursRetryAfter}
            onChange={({ currentTarget }) => void onChange({ honoursRetryAfter: currentTarget.checked })}
          />
          <span>
            Wait for <code>Retry-After</code>, if it is later than the schedule <span class="tag">assumed</span>
          </span>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={raisesEvents}
            onChange={({ currentTarget }) => void onChange({ raisesEvents: currentTarget.checked })}
          />
          <span>Calls of the extension raise events, such as a comment</span>
        </label>
      </div>
    </Section>
  );
}

function Hooks({ settings: { hooks } }: { settings: SettingsView }): VNode {
  return (
    <Section title="Hooks">
      {hooks.length === 0 ? (
        <p class="muted">No manifest names any, so every event is delivered.</p>
      ) : (
        <div class="scrolls card" tabIndex={0} role="region" aria-label="Subscribed events">
          <table class="full">
            <thead>
              <tr>
                <th scope="col">Event</th>
                <th scope="col">Kind</th>
                <th scope="col">Endpoint</th>
                <th scope="col">Time limit</th>
                <th scope="col">Retries</th>
              </tr>
            </thead>
            <tbody>
              {hooks.map(({ event, isRequired, isGuard, endpoint, timeoutMs, retries }) => (
                <tr>
                  <th scope="row">
                    <Foreign text={event} />
                  </th>
                  <td>{isGuard ? 'guard' : isRequired ? 'required' : 'not required'}</td>
                  <td>{endpoint === undefined ? '' : <Foreign text={endpoint} />}</td>
                  <td>{timeoutMs === undefined ? '' : duration(timeoutMs)}</td>
                  <td>{retries ?? ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Secrets({ loaded, settings }: { loaded: Loaded<SettingsView>; settings: SettingsView }): VNode {
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const store = async (): Promise<void> => {
    try {
      await api.setSecret(key, value);
      confirm(`${key} is set`);
      setKey('');
      setValue('');
      loaded.reload();
    } catch (error) {
      await attempt(Promise.reject(error as Error));
    }
  };
  const remove = async (name: string): Promise<void> => {
    await attempt(api.deleteSecret(name), `${name} is removed`);
    loaded.reload();
  };
  return (
    <Section title="Secrets of the payload">
      <p class="muted">Values are kept in memory, and are never shown here again.</p>
      <ul class="faults card" aria-label="Secrets">
        {settings.secrets.length === 0 && <li class="muted">None.</li>}
        {settings.secrets.map(({ key: name, isSet, source }) => (
          <li class="row">
            <code>{name}</code>
            <span class={`mark ${isSet ? 'mark-signed' : ''}`}>{isSet ? 'set' : 'missing'}</span>
            {source !== undefined && (
              <span class="muted">
                from <Foreign text={source} />
              </span>
            )}
            {source === 'page' && (
              <button type="button" class="small end" aria-label={`Remove ${name}`} onClick={() => void remove(name)}>
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      <Form class="card row add" onSubmit={() => void store()}>
        <Field label="Key" value={key} list={settings.secrets.map((each) => each.key)} required onChange={setKey} />
        <Field label="Value" isSecret value={value} required onChange={setValue} />
        <button type="submit">Set</button>
      </Form>
    </Section>
  );
}

function DeliverySecret({ settings, onRotate }: { settings: SettingsView; onRotate: () => void }): VNode {
  const { isSet, source, previousUntil } = settings.deliverySecret;
  const [fresh, setFresh] = useState<string | undefined>(undefined);
  const rotate = async (): Promise<void> => {
    const rotated = await attempt(api.rotate());
    setFresh(rotated?.secret);
    onRotate();
  };
  return (
    <Section title="Delivery secret">
      <div class="card">
        <p class="row">
          <span>
            {isSet ? 'Set' : 'Missing: nothing is signed'}, from <Foreign text={source} />.
            {previousUntil !== undefined && ` The previous one is valid until ${preciseTime(previousUntil)}.`}
          </span>
          <button type="button" class="end" onClick={() => void rotate()}>
            Rotate
          </button>
        </p>
      </div>
      {fresh !== undefined && (
        <Dialog title="The new delivery secret" onClose={() => setFresh(undefined)}>
          <p>It is shown once. The old one stays valid for 24 hours.</p>
          <div class="command">
            <code class="wrap">{fresh}</code>
            <CopyButton text={fresh} what="The secret" />
          </div>
        </Dialog>
      )}
    </Section>
  );
}

function Clear(): VNode {
  const [isAsking, setAsking] = useState(false);
  const clear = async (): Promise<void> => {
    setAsking(false);
    await attempt(api.clear(), 'The deliveries are removed');
  };
  return (
    <Section title="State">
      <button type="button" onClick={() => setAsking(true)}>
        Remove deliveries…
      </button>
      {isAsking && (
        <Dialog title="Remove deliveries" onClose={() => setAsking(false)}>
          <p>All deliveries that have ended are removed, with their attempts. This cannot be undone.</p>
          <button type="button" class="danger" onClick={() => void clear()}>
            Remove
          </button>
        </Dialog>
      )}
    </Section>
  );
}
