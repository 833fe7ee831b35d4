import type { VNode } from 'preact';
import type { AttemptDetail, DeliveryDetail, DeliverySummary } from '../../model';
import { api } from '../api';
import { Empty } from '../components/empty';
import { Foreign } from '../components/foreign';
import { Outcome } from '../components/outcome';
import { Problem } from '../components/problem';
import { bodyDifferences, headerDifferences, type Difference } from '../difference';
import { duration, shortId, timeOfDay } from '../quantities';
import { changeQuery, query } from '../router';
import { useLoad } from '../state/use-load';

/** Candidates that are offered. */
const CANDIDATES = 50;

/** Two attempts, and only what differs. */
export function Compare(): VNode {
  const [a, b] = [query().get('a') ?? '', query().get('b') ?? ''];
  return (
    <>
      <h1>Compare</h1>
      <p class="muted">Two attempts, of one delivery or of two. Only what differs is shown.</p>
      <div class="compare-sides">
        <Pick side="a" value={a} />
        <Pick side="b" value={b} other={a} />
      </div>
      {a !== '' && b !== '' && <Differences key={`${a} ${b}`} a={a} b={b} />}
    </>
  );
}

function Pick({ side, value, other }: { side: 'a' | 'b'; value: string; other?: string }): VNode {
  const [id, attempt] = referenceOf(value);
  const recent = useLoad(() => api.deliveries({ limit: CANDIDATES }));
  const chosen = useLoad(async () => (id === '' ? undefined : await api.delivery(id)), id);
  const deliveries = recent.data?.deliveries ?? [];
  const attempts = chosen.data?.attempts ?? [];
  const isListed = id === '' || deliveries.some((each) => each.id === id);
  const event = other === undefined ? undefined : deliveries.find((each) => each.id === referenceOf(other)[0])?.event;
  const likely = event === undefined ? [] : deliveries.filter((each) => each.event === event);
  const rest = deliveries.filter((each) => !likely.includes(each));
  const pick = (next: string): void => changeQuery({ [side]: next });
  return (
    <fieldset class="compare-side">
      <legend>{side.toUpperCase()}</legend>
      <label class="field">
        <span>Delivery</span>
        <select value={id} onChange={({ currentTarget }) => pick(currentTarget.value)}>
          <option value="">Choose…</option>
          {!isListed && <option value={id}>{shortId(id)}</option>}
          {likely.length > 0 && <optgroup label="The same event">{likely.map(optionOf)}</optgroup>}
          {rest.length > 0 && <optgroup label="Recent">{rest.map(optionOf)}</optgroup>}
        </select>
      </label>
      {attempts.length > 0 && (
        <label class="field">
          <span>Attempt</span>
          <select
            value={String(attempt ?? attempts.at(-1)!.number)}
            onChange={({ currentTarget }) => pick(`${id}:${currentTarget.value}`)}
          >
            {attempts.map(({ number, status, failure }) => (
              <option value={String(number)}>
                {number} · {status ?? failure}
              </option>
            ))}
          </select>
        </label>
      )}
    </fieldset>
  );
}

function optionOf({ id, number, event, createdAt }: DeliverySummary): VNode {
  return <option value={id}>{`${number} · ${timeOfDay(createdAt)} · ${event ?? 'no event'} · ${shortId(id)}`}</option>;
}

function Differences({ a, b }: { a: string; b: string }): VNode {
  const one = useLoad(() => api.delivery(referenceOf(a)[0]), a);
  const other = useLoad(() => api.delivery(referenceOf(b)[0]), b);
  const error = one.error ?? other.error;
  if (error !== undefined) return <Problem text={error} />;
  if (one.data === undefined || other.data === undefined) return <p class="muted">Loading…</p>;
  const [first, second] = [attemptOf(one.data, a), attemptOf(other.data, b)];
  if (first === undefined || second === undefined) return <Empty title="One of them has no attempt yet." />;
  return (
    <>
      <div class="compare-sides">
        <Side delivery={one.data} attempt={first} />
        <Side delivery={other.data} attempt={second} />
      </div>
      <Section title="Result" rows={resultDifferences(first, second)} />
      <Section title="Request: headers" rows={headerDifferences(first.request.headers, second.request.headers)} />
      <Section title="Request: body" rows={bodyDifferences(first.request.body, second.request.body)} />
      <Section
        title="Response: headers"
        rows={headerDifferences(first.response?.headers ?? [], second.response?.headers ?? [])}
      />
      <Section title="Response: body" rows={bodyDifferences(first.response?.body ?? '', second.response?.body ?? '')} />
    </>
  );
}

function Side({ delivery, attempt }: { delivery: DeliveryDetail; attempt: AttemptDetail }): VNode {
  return (
    <p class="compare-title">
      <a href={`/d/${encodeURIComponent(delivery.id)}?attempt=${attempt.number}`}>
        {delivery.event === undefined ? shortId(delivery.id) : <Foreign text={delivery.event} />}
      </a>
      <span class="muted">
        {' '}
        attempt {attempt.number} · {duration(attempt.durationMs)}
      </span>{' '}
      <Outcome delivery={delivery} />
    </p>
  );
}

function Section({ title, rows }: { title: string; rows: readonly Difference[] }): VNode {
  return (
    <section>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="muted">No difference.</p>
      ) : (
        <table class="differences" aria-label={title}>
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ path, a, b }) => (
              <tr>
                <th scope="row">
                  <Foreign text={path} />
                </th>
                <Cell text={a} side="a" />
                <Cell text={b} side="b" />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Characters of a value that are shown. */
const LONGEST = 2000;

function Cell({ text, side }: { text: string | undefined; side: 'a' | 'b' }): VNode {
  return (
    <td class={`difference-${side}`}>
      {text === undefined ? (
        <span class="muted">absent</span>
      ) : (
        <>
          <Foreign text={text.slice(0, LONGEST)} />
          {text.length > LONGEST && <span class="muted"> … {text.length - LONGEST} characters more</span>}
        </>
      )}
    </td>
  );
}

function resultDifferences(a: AttemptDetail, b: AttemptDetail): Difference[] {
  const rows = (['kind', 'status', 'failure', 'code', 'consequence'] as const).map((name) => ({
    path: name,
    a: a[name] === undefined ? undefined : String(a[name]),
    b: b[name] === undefined ? undefined : String(b[name]),
  }));
  const tampers = { path: 'tampering', a: a.signature.tamper, b: b.signature.tamper };
  return [...rows, tampers].filter((row) => row.a !== row.b);
}

/** `ID` or `ID:ATTEMPT`. */
function referenceOf(value: string): readonly [id: string, attempt: number | undefined] {
  const [, id = value, attempt] = /^(.*):(\d+)$/.exec(value) ?? [];
  return [id, attempt === undefined ? undefined : Number(attempt)];
}

function attemptOf(delivery: DeliveryDetail, value: string): AttemptDetail | undefined {
  const number = referenceOf(value)[1];
  return delivery.attempts.find((attempt) => attempt.number === number) ?? delivery.attempts.at(-1);
}
