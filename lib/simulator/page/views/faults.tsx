import type { VNode } from 'preact';
import { Form } from '../components/form';
import { useState } from 'preact/hooks';
import type { FaultKind } from '../../model';
import { api } from '../api';
import { Empty } from '../components/empty';
import { Field } from '../components/field';
import { count } from '../quantities';
import { attempt } from '../state/messages';
import { faultKinds, faults } from '../state/overview';

const SIDES = [
  ['delivery', 'Deliveries', 'What goes wrong between Kiket and the extension.'],
  ['api', 'API', 'What goes wrong when the extension calls Kiket.'],
] as const;

/** The fields that API faults of some kinds have. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'server-error': ['status'],
  latency: ['ms'],
  'rate-limit': ['retryAfter'],
};

/** Switches of what can go wrong. */
export function Faults(): VNode {
  const [words, setWords] = useState('');
  const shown = faultKinds.value.filter(({ kind, imitates }) => `${kind} ${imitates}`.includes(words.toLowerCase()));
  return (
    <>
      <h1>Faults</h1>
      <p class="muted">Each hits the next deliveries or calls, or all of them until it is switched off.</p>
      <Active />
      <search>
        <Field label="Find a fault" value={words} placeholder="duplicate, timeout, signature" onChange={setWords} />
      </search>
      {SIDES.map(([side, title, text]) => {
        const kinds = shown.filter((each) => each.side === side);
        return (
          <section aria-labelledby={`faults-${side}`}>
            <h2 id={`faults-${side}`}>{title}</h2>
            <p class="muted">{text}</p>
            {kinds.length === 0 ? (
              <p class="muted">None matches.</p>
            ) : (
              <ul class="faults">
                {kinds.map((kind) => (
                  <Fault key={`${kind.side} ${kind.kind}`} fault={kind} />
                ))}
              </ul>
            )}
          </section>
        );
      })}
    </>
  );
}

function Active(): VNode {
  if (faults.value.length === 0) return <Empty title="No fault is switched on." />;
  return (
    <section class="card" aria-labelledby="active-faults">
      <div class="row">
        <h2 id="active-faults">Switched on</h2>
        <button
          type="button"
          class="end"
          onClick={() => void attempt(api.clearFaults(), 'All faults are switched off')}
        >
          Switch all off
        </button>
      </div>
      <ul class="faults" aria-label="Faults that are switched on">
        {faults.value.map(({ id, side, kind, timesLeft, fields }) => (
          <li class="row">
            <span>
              <span class="strong">{kind}</span>{' '}
              <span class="muted">
                {side} · {timesLeft === undefined ? 'until it is switched off' : `${timesLeft} more`}
                {Object.entries(fields ?? {}).map(([name, value]) => ` · ${name} ${JSON.stringify(value)}`)}
              </span>
            </span>
            <button
              type="button"
              class="end"
              onClick={() => void attempt(api.switchOff(id), `${kind} is switched off`)}
            >
              Switch off <span class="visually-hidden">{kind}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Fault({ fault }: { fault: FaultKind }): VNode {
  const { side, kind, imitates } = fault;
  const [times, setTimes] = useState('1');
  const [fields, setFields] = useState<Readonly<Record<string, string>>>({});
  const names = side === 'api' ? [...(FIELDS[kind] ?? []), 'on'] : [];
  const switchOn = async (): Promise<void> => {
    const given = Object.entries(fields)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value] as const);
    await attempt(
      api.switchOn({
        side,
        kind,
        ...(times !== '' && { times: Number(times) }),
        ...(given.length > 0 && { fields: Object.fromEntries(given) }),
      }),
      times === ''
        ? `${kind} is switched on`
        : `${kind} hits the next ${count(Number(times), side === 'api' ? 'call' : 'delivery')}`,
    );
  };
  return (
    <li>
      <Form class="fault" onSubmit={() => void switchOn()}>
        <p class="fault-text">
          <span class="strong">{kind}</span> <span class="muted">{imitates}</span>
        </p>
        {names.map((name) => (
          <input
            class="fault-field"
            type="text"
            aria-label={`${name} of ${kind}`}
            placeholder={name === 'on' ? 'all paths' : name}
            onInput={({ currentTarget: { value } }) => setFields({ ...fields, [name]: value })}
          />
        ))}
        <label class="fault-times">
          next{' '}
          <input
            type="number"
            min={1}
            max={10000}
            aria-label={`How many times ${kind}; empty until it is switched off`}
            placeholder="∞"
            value={times}
            onInput={({ currentTarget }) => setTimes(currentTarget.value)}
          />
        </label>
        <button type="submit">
          Switch on <span class="visually-hidden">{kind}</span>
        </button>
      </Form>
    </li>
  );
}
