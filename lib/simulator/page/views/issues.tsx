import type { VNode } from 'preact';
import { deliveryHref } from '../router';
import { Form } from '../components/form';
import { useState } from 'preact/hooks';
import type { LocalIssue, TransitionResult } from '../../model';
import { api } from '../api';
import { Empty } from '../components/empty';
import { Field } from '../components/field';
import { Foreign } from '../components/foreign';
import { Problem } from '../components/problem';
import { attempt } from '../state/messages';
import { useEvents } from '../state/use-events';
import { useLoad } from '../state/use-load';
import type { Tone } from '../tone';

/** Statuses that are suggested beside those of the issues. */
const STATUSES = ['open', 'in_progress', 'review', 'done'];

/** The issues of the local project. */
export function Issues(): VNode {
  const { data, error, set, reload } = useLoad(() => api.issues());
  const update = (issue: LocalIssue): void => set((state) => state && { issues: replaced(state.issues, issue) });
  useEvents((events) => {
    for (const event of events) if (event.type === 'issue') update(event.data);
  });
  const issues = data?.issues ?? [];
  const statuses = [...new Set([...STATUSES, ...issues.map(({ status }) => status)])];
  return (
    <>
      <h1>Issues</h1>
      <p class="muted">
        The local project. A transition asks the guards, and then delivers its events; the outcome is shown as a user of
        Kiket would see it.
      </p>
      {error !== undefined && <Problem text={error} onRetry={reload} />}
      {data !== undefined && issues.length === 0 && <Empty title="No issue yet. Add the first one." />}
      <ul class="cards" aria-label="Issues">
        {issues.map((issue) => (
          <Issue key={issue.id} issue={issue} statuses={statuses} onChange={update} />
        ))}
      </ul>
      <AddIssue onAdd={update} />
    </>
  );
}

function replaced(issues: readonly LocalIssue[], issue: LocalIssue): LocalIssue[] {
  const isKnown = issues.some(({ id }) => id === issue.id);
  return isKnown ? issues.map((each) => (each.id === issue.id ? issue : each)) : [...issues, issue];
}

interface IssueProps {
  readonly issue: LocalIssue;
  readonly statuses: readonly string[];
  readonly onChange: (issue: LocalIssue) => void;
}

function Issue({ issue, statuses, onChange }: IssueProps): VNode {
  const { id, key, title, status, workflow } = issue;
  const [to, setTo] = useState('');
  const [result, setResult] = useState<TransitionResult | undefined>(undefined);
  const [isAsking, setAsking] = useState(false);
  const act = async (asked: Promise<TransitionResult>): Promise<void> => {
    setResult(undefined);
    setAsking(true);
    const outcome = await attempt(asked);
    setAsking(false);
    setResult(outcome);
    if (outcome !== undefined) onChange(outcome.issue);
  };
  const resume = async (): Promise<void> => {
    const resumed = await attempt(api.resume(id), 'The workflow goes on');
    if (resumed !== undefined) onChange(resumed);
  };
  return (
    <li class="card">
      <div class="row">
        <h2>
          <span class="muted">
            <Foreign text={key} />
          </span>{' '}
          <Foreign text={title} />
        </h2>
        <span class="tag end">
          <Foreign text={status} />
        </span>
      </div>
      <Workflow issue={issue} />
      {workflow.kind === 'pending' && (
        <div class="row">
          <button type="button" class="primary" onClick={() => void act(api.decide(id, 'approve'))}>
            Approve
          </button>
          <button type="button" onClick={() => void act(api.decide(id, 'reject'))}>
            Reject
          </button>
        </div>
      )}
      {workflow.kind === 'halted' && (
        <button type="button" class="primary" onClick={() => void resume()}>
          Resume
        </button>
      )}
      {workflow.kind !== 'pending' && workflow.kind !== 'halted' && (
        <Form class="row" onSubmit={() => void act(api.transition(id, to))}>
          <label class="field field-inline">
            <span>Move {key} to</span>
            <input
              type="text"
              list={`statuses-${id}`}
              value={to}
              required
              autocomplete="off"
              onInput={({ currentTarget }) => setTo(currentTarget.value)}
            />
          </label>
          <datalist id={`statuses-${id}`}>
            {statuses
              .filter((each) => each !== status)
              .map((each) => (
                <option value={each} />
              ))}
          </datalist>
          <button type="submit" disabled={isAsking}>
            {isAsking ? 'Asking the guards…' : 'Transition'}
          </button>
        </Form>
      )}
      <div role="status">{result !== undefined && <Result result={result} />}</div>
    </li>
  );
}

function Workflow({ issue: { workflow } }: { issue: LocalIssue }): VNode | null {
  if (workflow.kind === 'running') return null;
  const link = <a href={deliveryHref(workflow.deliveryId)}>the delivery</a>;
  if (workflow.kind === 'waiting') return <p class="muted">The workflow waits for {link}.</p>;
  if (workflow.kind === 'pending') {
    return (
      <p class="notice tone-pending">
        <span class="strong">
          Waits for an approval to move to <Foreign text={workflow.to} />.
        </span>{' '}
        {workflow.message !== undefined && <Foreign text={workflow.message} />} <span class="muted">({link})</span>
      </p>
    );
  }
  return (
    <p class="notice tone-bad">
      <span class="strong">The workflow is halted.</span> <Foreign text={workflow.reason} /> See {link}.
    </p>
  );
}

const WORDS: Readonly<Record<TransitionResult['outcome'], readonly [Tone, text: string]>> = {
  moved: ['good', 'Moved to'],
  denied: ['bad', 'Denied: it stays in'],
  pending: ['pending', 'Waits for an approval, and stays in'],
};

function Result({ result }: { result: TransitionResult }): VNode {
  const { outcome, message, deliveryId, issue } = result;
  const [tone, text] = WORDS[outcome];
  return (
    <p class={`notice tone-${tone}`}>
      <span class="strong">
        {text} <Foreign text={issue.status} />.
      </span>{' '}
      {message !== undefined && <Foreign text={message} />}{' '}
      {deliveryId !== undefined && <a href={deliveryHref(deliveryId)}>The guard’s delivery</a>}
    </p>
  );
}

function AddIssue({ onAdd }: { onAdd: (issue: LocalIssue) => void }): VNode {
  const [title, setTitle] = useState('');
  const [status, setStatus] = useState('');
  const add = async (): Promise<void> => {
    const fields = { title, ...(status !== '' && { status }) };
    const added = await attempt(api.addIssue(fields), ({ key }) => `Added ${key}`);
    if (added === undefined) return;
    onAdd(added);
    setTitle('');
    setStatus('');
  };
  return (
    <Form class="card row add" onSubmit={() => void add()}>
      <Field label="Title of a new issue" value={title} required onChange={setTitle} />
      <Field label="Status" value={status} placeholder="open" list={STATUSES} onChange={setStatus} />
      <button type="submit">Add</button>
    </Form>
  );
}
