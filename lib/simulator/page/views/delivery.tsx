import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import type { AttemptDetail, DeliveryDetail } from '../../model';
import { api } from '../api';
import { Assumed } from '../components/assumed';
import { Empty } from '../components/empty';
import { Foreign } from '../components/foreign';
import { Outcome } from '../components/outcome';
import { Problem } from '../components/problem';
import { preciseTime, shortId } from '../quantities';
import { changeQuery, deliveryHref, navigate, query } from '../router';
import { useShortcuts } from '../state/shortcuts';
import { useEvents } from '../state/use-events';
import { useLoad } from '../state/use-load';
import type { StreamEvent } from '../stream';
import { STATE_TONES } from '../tone';
import { Actions } from './delivery/actions';
import { AttemptTabs } from './delivery/attempt-tabs';
import { replay } from './delivery/replay';
import { Timeline } from './delivery/timeline';

/** A delivery with its attempts. */
export function DeliveryView({ id }: { id: string }): VNode {
  const { data, error, set, reload } = useLoad(() => api.delivery(id), id);
  const isLatest = id === 'latest';
  useEffect(() => {
    // The address names the delivery that is shown, also when newer ones come.
    if (isLatest && data !== undefined) navigate(deliveryHref(data.id), true);
  }, [isLatest, data]);
  useEvents((events) => {
    if (isLatest && data === undefined && events.some(({ type }) => type === 'delivery')) reload();
    set((detail) => detail && events.reduce(changed, detail));
  });
  if (error !== undefined) {
    return (
      <>
        <h1>Delivery</h1>
        {isLatest ? (
          <Empty title="No delivery yet." command="npx kiket-express send issue.created" />
        ) : (
          <Problem text={error} onRetry={reload} />
        )}
      </>
    );
  }
  if (data === undefined) return <h1>Delivery</h1>;
  return <Detail delivery={data} />;
}

function Detail({ delivery }: { delivery: DeliveryDetail }): VNode {
  const { id, event, eventVersion, attempts } = delivery;
  const asked = Number(query().get('attempt'));
  const selected = attempts.find(({ number }) => number === asked) ?? attempts.at(-1);
  const select = (attempt: AttemptDetail | undefined): void => {
    if (attempt !== undefined) changeQuery({ attempt: String(attempt.number) });
  };
  const index = selected === undefined ? -1 : attempts.indexOf(selected);
  useShortcuts({
    j: () => select(attempts[index + 1]),
    k: () => select(attempts[index - 1]),
    r: () => void replay(id, 'resign'),
    e: () => navigate(`/send?from=${encodeURIComponent(id)}`),
  });
  return (
    <article class="delivery">
      <header class="view-head">
        <div class="row">
          <h1>
            {event === undefined ? 'Delivery without an event' : <Foreign text={event} />}
            {eventVersion !== undefined && (
              <span class="muted">
                @<Foreign text={eventVersion} />
              </span>
            )}
          </h1>
          <Outcome delivery={delivery} />
        </div>
        <Facts delivery={delivery} />
      </header>
      <Consequence delivery={delivery} attempt={attempts.at(-1)} />
      <Actions delivery={delivery} attempt={selected} />
      <div class="delivery-columns">
        <Timeline delivery={delivery} selected={selected?.number} onSelect={select} />
        {selected === undefined ? (
          <Empty title="No attempt yet. It waits for its turn." />
        ) : (
          <AttemptTabs delivery={delivery} attempt={selected} />
        )}
      </div>
    </article>
  );
}

/** The next step of Kiket, and the rule behind it. */
function Consequence({ delivery, attempt }: { delivery: DeliveryDetail; attempt: AttemptDetail | undefined }): VNode {
  const { sentence, state, alertId } = delivery;
  return (
    <section class={`consequence tone-${STATE_TONES[state]}`} aria-label="What happens now">
      <p class="consequence-sentence">
        <Foreign text={sentence} />
      </p>
      {attempt !== undefined && (
        <p class="muted">
          {attempt.consequence !== sentence && (
            <>
              Last attempt: <Foreign text={attempt.consequence} />{' '}
            </>
          )}
          <span class="rule">{attempt.rule}</span> {attempt.isAssumed && <Assumed />}
        </p>
      )}
      {alertId !== undefined && (
        <p>
          It has raised an <a href="/alerts">alert</a>.
        </p>
      )}
    </section>
  );
}

function Facts({ delivery }: { delivery: DeliveryDetail }): VNode {
  const { invocationId, number, createdAt, projectId, issueId, origin, isGuard, isRequired } = delivery;
  return (
    <p class="facts muted">
      <span>Delivery {number}</span>
      <time dateTime={createdAt} title={createdAt}>
        {preciseTime(createdAt)}
      </time>
      <span>
        invocation <code class="wrap">{<Foreign text={invocationId} />}</code>
      </span>
      {projectId !== undefined && (
        <span>
          project <Foreign text={String(projectId)} />
        </span>
      )}
      {issueId !== undefined && (
        <span>
          <a href="/issues">
            issue <Foreign text={String(issueId)} />
          </a>
        </span>
      )}
      <span>
        {ORIGINS[origin.kind]}
        {origin.deliveryId !== undefined && <a href={deliveryHref(origin.deliveryId)}> {shortId(origin.deliveryId)}</a>}
        {origin.depth > 0 && `, depth ${origin.depth}`}
      </span>
      <span>{isGuard ? 'guard' : isRequired ? 'required' : 'not required'}</span>
    </p>
  );
}

const ORIGINS: Readonly<Record<DeliveryDetail['origin']['kind'], string>> = {
  sent: 'sent by hand',
  replayed: 'replay of',
  transition: 'caused by a transition',
  call: 'caused by a call of',
  recorded: 'recorded',
};

/** Returns the delivery after a message of the stream. */
function changed(detail: DeliveryDetail, { type, data }: StreamEvent): DeliveryDetail {
  if (type === 'delivery' && data.id === detail.id) {
    // Absent members are not in the message.
    return { ...detail, nextAttempt: undefined, alertId: undefined, ...data, attempts: detail.attempts };
  }
  if (type === 'attempt' && data.deliveryId === detail.id) {
    const others = detail.attempts.filter(({ number }) => number !== data.attempt.number);
    return { ...detail, attempts: [...others, data.attempt].sort((one, other) => one.number - other.number) };
  }
  if (type === 'call' && data.deliveryId === detail.id) {
    const attempts = detail.attempts.map((attempt) => {
      if (attempt.number !== data.attempt) return attempt;
      return { ...attempt, calls: [...attempt.calls.filter(({ number }) => number !== data.number), data] };
    });
    return { ...detail, attempts };
  }
  return detail;
}
