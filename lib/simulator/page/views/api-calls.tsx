import type { VNode } from 'preact';
import { Section } from '../components/section';
import { Form } from '../components/form';
import { useMemo, useState } from 'preact/hooks';
import { api } from '../api';
import type { CallList } from '../../control/messages';
import { Calls } from '../components/calls';
import { Empty } from '../components/empty';
import { Field } from '../components/field';
import { JsonTree } from '../components/json-tree';
import { Problem } from '../components/problem';
import { Select } from '../components/select';
import { readJson } from '../json-text';
import { count } from '../quantities';
import { attempt } from '../state/messages';
import { once } from '../state/once';
import { useEvents } from '../state/use-events';
import { useLoad } from '../state/use-load';

/** Calls that are shown at first, and with each press of the button. */
const PAGE = 100;

/** The requests of the extension to the API, and what they have written. */
export function ApiCalls(): VNode {
  const { data, error, set, reload } = useLoad(() => api.calls());
  const [limit, setLimit] = useState(PAGE);
  const refresh = useMemo(
    () =>
      once(async () => {
        const fresh = await attempt(api.calls());
        if (fresh !== undefined) set(() => fresh);
      }),
    [],
  );
  useEvents((events) => {
    if (events.some(({ type }) => type === 'call')) refresh();
  });
  const reset = async (): Promise<void> => {
    await attempt(api.resetRateLimit(), 'The rate limit is reset');
    refresh();
  };
  const calls = useMemo(() => [...(data?.calls ?? [])].sort((one, other) => other.number - one.number), [data]);
  return (
    <>
      <h1>API calls</h1>
      <p class="muted">Requests of the extension to Kiket’s API, the newest first.</p>
      {error !== undefined && <Problem text={error} onRetry={reload} />}
      {data !== undefined && <Limit rateLimit={data.rateLimit} onReset={() => void reset()} />}
      <Section title="Calls">
        {data !== undefined && calls.length === 0 && (
          <Empty title="The extension has not called Kiket yet.">
            <p>
              It finds the API in the payload: <code>api.base_url</code>. See <a href="/settings">Settings</a> for its
              address.
            </p>
          </Empty>
        )}
        {calls.length > 0 && <Calls calls={calls.slice(0, limit)} withDelivery />}
        {calls.length > limit && (
          <button type="button" class="small" onClick={() => setLimit(limit + PAGE)}>
            Show more of {count(calls.length, 'call')}
          </button>
        )}
      </Section>
      <Section title="What it has written">{data !== undefined && <Written state={data.state} />}</Section>
      <SlaEvent onAdd={refresh} />
    </>
  );
}

function Limit({ rateLimit, onReset }: { rateLimit: CallList['rateLimit']; onReset: () => void }): VNode {
  const { limit, remaining, resetSeconds } = rateLimit;
  return (
    <div class="card row">
      <span class="strong" id="rate-limit">
        Rate limit
      </span>
      <meter aria-labelledby="rate-limit" min={0} max={limit} low={limit * 0.1} optimum={limit} value={remaining} />
      <span>
        {remaining} of {limit} left, for {count(Math.ceil(resetSeconds), 'second')}
      </span>
      <button type="button" class="end" onClick={onReset}>
        Reset
      </button>
    </div>
  );
}

/** The writes of the extension, by kind. */
function Written({ state }: { state: CallList['state'] }): VNode {
  const kinds = Object.entries(state).map(([name, value]) => ({ name: wordsOf(name), value, amount: amountOf(value) }));
  const empty = kinds.filter(({ amount }) => amount === 0).map(({ name }) => name);
  return (
    <div class="cards">
      {kinds.map(
        ({ name, value, amount }) => amount > 0 && <Kind key={name} name={name} value={value} amount={amount} />,
      )}
      {empty.length > 0 && <p class="muted">None: {empty.join(', ')}.</p>}
    </div>
  );
}

function Kind({ name, value, amount }: { name: string; value: unknown; amount: number }): VNode {
  const text = useMemo(() => JSON.stringify(value), [value]);
  const root = readJson(text).root;
  return (
    <details class="card">
      <summary>
        <span class="strong">{name}</span> {amount}
      </summary>
      {root !== undefined && <JsonTree text={text} root={root} />}
    </details>
  );
}

/** `slaEvents` becomes `sla events`. */
function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function amountOf(value: unknown): number {
  return Array.isArray(value) ? value.length : Object.keys(value ?? {}).length;
}

function SlaEvent({ onAdd }: { onAdd: () => void }): VNode {
  const [issue, setIssue] = useState('');
  const [state, setState] = useState('breached');
  const add = async (): Promise<void> => {
    const id = /^\d+$/.test(issue) ? Number(issue) : issue;
    if ((await attempt(api.addSlaEvent({ issue_id: id, state }), 'The SLA event is added')) !== undefined) onAdd();
  };
  return (
    <Section title="SLA event">
      <p class="muted">
        Is delivered as <code>workflow.sla_status</code>.
      </p>
      <Form class="card row add" onSubmit={() => void add()}>
        <Field label="Issue" value={issue} required onChange={setIssue} />
        <Select
          label="State"
          value={state}
          options={['imminent', 'breached', 'recovered'].map((each) => [each, each] as const)}
          onChange={setState}
        />
        <button type="submit">Add</button>
      </Form>
    </Section>
  );
}
