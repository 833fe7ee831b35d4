import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { DeliveryState, DeliverySummary } from '../../model';
import { api } from '../api';
import { AttemptDots, resultOf } from '../components/attempt-dots';
import { Empty } from '../components/empty';
import { Foreign } from '../components/foreign';
import { Outcome } from '../components/outcome';
import { Problem } from '../components/problem';
import { WindowList } from '../components/window-list';
import { changeQuery, deliveryHref, navigate, query } from '../router';
import { count, duration, shortId, timeOfDay } from '../quantities';
import { announcement } from '../state/messages';
import { DeliveryList } from '../state/deliveries';
import { useShortcuts } from '../state/shortcuts';
import { useLoad } from '../state/use-load';
import { useMedia } from '../state/use-media';
import { replay } from './delivery/replay';

const STATES: readonly DeliveryState[] = [
  'queued',
  'sending',
  'retrying',
  'completed',
  'denied',
  'pending',
  'halted',
  'failed',
  'cancelled',
];

const COLUMNS = ['Time', 'Event', 'Project', 'Invocation', 'Outcome', 'Attempts', 'Status', 'Duration'];

/** Rows are counted for this long before screen readers are told of them. */
const QUIET_MS = 1000;

/** The deliveries. */
export function Activity(): VNode {
  const [event, outcome, q] = ['event', 'outcome', 'q'].map((name) => query().get(name) ?? '') as [
    string,
    string,
    string,
  ];
  const list = useMemo(() => new DeliveryList({ event, outcome, q }), [event, outcome, q]);
  useEffect(() => () => list.end(), [list]);
  const isFiltered = event !== '' || outcome !== '' || q !== '';
  const { error, total } = list;
  return (
    <div class="activity">
      <header class="row view-head">
        <h1>Activity</h1>
        <span class="muted" data-testid="total">
          {total.value !== undefined && count(total.value, 'delivery')}
        </span>
      </header>
      <Filters event={event} outcome={outcome} q={q} />
      {error.value !== undefined && <Problem text={error.value} />}
      {total.value === 0 ? <Nothing isFiltered={isFiltered} /> : <Rows list={list} />}
    </div>
  );
}

function Filters({ event, outcome, q }: { event: string; outcome: string; q: string }): VNode {
  const events = useLoad(() => api.events()).data?.events ?? [];
  const leave = (pressed: KeyboardEvent): void => {
    if (pressed.key === 'Escape' && pressed.target instanceof HTMLElement) pressed.target.blur();
  };
  return (
    <search class="filters" onKeyDown={leave}>
      <input
        type="search"
        aria-label="Search deliveries"
        placeholder="Search: issue 7 · status:5xx · event:issue.*"
        value={q}
        onInput={({ currentTarget }) => changeQuery({ q: currentTarget.value })}
      />
      <input
        type="text"
        aria-label="Event"
        placeholder="All events"
        list="activity-events"
        value={event}
        onInput={({ currentTarget }) => changeQuery({ event: currentTarget.value })}
      />
      <datalist id="activity-events">
        {events.map((each) => (
          <option value={each.event} />
        ))}
      </datalist>
      <select
        aria-label="Outcome"
        value={outcome}
        onChange={({ currentTarget }) => changeQuery({ outcome: currentTarget.value })}
      >
        <option value="">All outcomes</option>
        {STATES.map((state) => (
          <option value={state}>{state}</option>
        ))}
      </select>
      {(event !== '' || outcome !== '' || q !== '') && (
        <button type="button" onClick={() => changeQuery({ event: '', outcome: '', q: '' })}>
          Show all
        </button>
      )}
    </search>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }): VNode {
  if (isFiltered) return <Empty title="No delivery matches." />;
  return (
    <Empty title="No delivery yet." command="npx kiket-express send issue.created">
      <p>
        <a href="/send">Send one</a>, move an <a href="/issues">issue</a>, or run this in a terminal:
      </p>
    </Empty>
  );
}

function Rows({ list }: { list: DeliveryList }): VNode {
  const rows = list.rows.value;
  const isNarrow = useMedia('(max-width: 719px)');
  const [activeNumber, activate] = useState<number | undefined>(undefined);
  const active = activeNumber === undefined ? -1 : rows.findIndex(({ number }) => number === activeNumber);
  const [unseen, setUnseen] = useState(0);
  const isAtTop = useRef(true);
  const [toTop, setToTop] = useState(0);
  const added = useAdded(rows);
  useEffect(() => {
    if (added.rows > 0 && !isAtTop.current) setUnseen(unseen + added.rows);
  }, [added.version]);
  useAnnounced(rows, added);

  const focusRow = (index: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    activate(row.number);
    // The row may be rendered only now.
    requestAnimationFrame(() => document.getElementById(`row-${row.number}`)?.focus({ preventScroll: true }));
  };
  const selected = rows[active];
  useShortcuts({
    j: () => focusRow(active + 1),
    k: () => focusRow(active - 1),
    Enter: selected && (() => navigate(hrefOf(selected))),
    r: selected && (() => void replay(selected.id, 'resign')),
    e: selected && (() => navigate(`/send?from=${encodeURIComponent(selected.id)}`)),
  });
  const rowHeight = isNarrow ? 68 : 44;
  return (
    <div class="rows">
      {unseen > 0 && (
        <button type="button" class="unseen" onClick={() => setToTop(toTop + 1)}>
          {count(unseen, 'new delivery')} ↑
        </button>
      )}
      <WindowList
        label="Deliveries"
        columns={COLUMNS}
        count={list.total.value ?? 0}
        rowHeight={rowHeight}
        added={added}
        active={active === -1 ? undefined : active}
        toTop={toTop}
        onRange={(last) => list.want(last)}
        onTop={(atTop) => {
          isAtTop.current = atTop;
          if (atTop) setUnseen(0);
        }}
        renderRow={(index) => (
          <Row
            key={rows[index]?.number ?? `at-${index}`}
            delivery={rows[index]}
            index={index}
            top={index * rowHeight}
            isActive={index === active}
            onFocus={activate}
          />
        )}
      />
    </div>
  );
}

interface RowProps {
  readonly delivery: DeliverySummary | undefined;
  readonly index: number;
  readonly top: number;
  readonly isActive: boolean;
  readonly onFocus: (number: number) => void;
}

function Row({ delivery, index, top, isActive, onFocus }: RowProps): VNode {
  const place = { transform: `translateY(${top}px)` };
  if (delivery === undefined) {
    return (
      <div role="row" class="list-row list-placeholder" aria-rowindex={index + 2} style={place}>
        <span role="cell">…</span>
      </div>
    );
  }
  const { invocationId, number, createdAt, event, eventVersion, projectId, attempts, isGuard } = delivery;
  const last = attempts.at(-1);
  return (
    <div role="row" class={`list-row ${isActive ? 'list-active' : ''}`} aria-rowindex={index + 2} style={place}>
      <span role="cell" class="cell-time">
        <time dateTime={createdAt} title={createdAt}>
          {timeOfDay(createdAt)}
        </time>
      </span>
      <span role="cell" class="cell-event">
        <a id={`row-${number}`} href={hrefOf(delivery)} onFocus={() => onFocus(number)}>
          {event === undefined ? <span class="muted">no event</span> : <Foreign text={event} />}
        </a>
        {eventVersion !== undefined && (
          <span class="muted">
            @<Foreign text={eventVersion} />
          </span>
        )}
        {isGuard && <span class="tag">guard</span>}
      </span>
      <span role="cell" class="cell-project">
        {projectId !== undefined && <Foreign text={String(projectId)} />}
      </span>
      <span role="cell" class="cell-id" title={invocationId}>
        <Foreign text={shortId(invocationId)} />
      </span>
      <span role="cell" class="cell-outcome">
        <Outcome delivery={delivery} />
      </span>
      <span role="cell" class="cell-dots">
        <AttemptDots delivery={delivery} />
      </span>
      <span role="cell" class="cell-status">
        {last !== undefined && <Foreign text={resultOf(last)} />}
      </span>
      <span role="cell" class="cell-ms">
        {last !== undefined && duration(last.durationMs)}
      </span>
    </div>
  );
}

function hrefOf({ id }: DeliverySummary): string {
  return deliveryHref(id);
}

/** Returns how many rows were put in front of the one that was the first. */
function useAdded(rows: readonly DeliverySummary[]): { version: number; rows: number } {
  const state = useRef({ first: undefined as number | undefined, version: 0, rows: 0 });
  const first = rows[0]?.number;
  if (first !== state.current.first) {
    const before = state.current.first;
    const index = before === undefined ? -1 : rows.findIndex(({ number }) => number <= before);
    state.current = { first, version: state.current.version + 1, rows: Math.max(0, index) };
  }
  return state.current;
}

/** Tells screen readers of new rows: once for all that come within a second. */
function useAnnounced(rows: readonly DeliverySummary[], added: { version: number; rows: number }): void {
  const waiting = useRef({ rows: 0, timer: undefined as ReturnType<typeof setTimeout> | undefined });
  const latest = useRef(rows);
  latest.current = rows;
  useEffect(() => {
    if (added.rows === 0) return;
    waiting.current.rows += added.rows;
    waiting.current.timer ??= setTimeout(() => {
      const [newest] = latest.current;
      announcement.value = `${count(waiting.current.rows, 'new delivery')}, the last one ${newest?.event ?? ''} ${newest?.state ?? ''}`;
      waiting.current = { rows: 0, timer: undefined };
    }, QUIET_MS);
  }, [added.version]);
}
