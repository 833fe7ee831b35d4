import { Signal } from '../state/signal';
import type { VNode } from 'preact';
import { Section } from '../components/section';
import { Form } from '../components/form';
import { useEffect, useState } from 'preact/hooks';
import type { CheckedCase, CheckReport } from '../../../conformance/report';
import type { CheckProgress } from '../../control/messages';
import { api } from '../api';
import { Command } from '../components/empty';
import { Field } from '../components/field';
import { Foreign } from '../components/foreign';
import { Problem } from '../components/problem';
import { count, duration } from '../quantities';
import { attempt } from '../state/messages';
import { target } from '../state/overview';
import { useEvents } from '../state/use-events';
import { useLoad } from '../state/use-load';
import { onReload } from '../stream';
import type { Tone } from '../tone';

const SEVERITY_TONES: Readonly<Record<CheckedCase['severity'], Tone>> = {
  must: 'bad',
  should: 'warning',
  hint: 'info',
};

/** The newest run, which goes on while other views are open. */
const state = new Signal<Pick<CheckProgress, 'run' | 'isDone' | 'total' | 'report' | 'problem'> | undefined>(undefined);
/** How many cases have ended. */
const done = new Signal(0);

/** Runs the cases of the contract against the target. */
export function Check(): VNode {
  const events = useLoad(() => api.events()).data?.events ?? [];
  const [event, setEvent] = useState('');
  const [guard, setGuard] = useState('');
  const [only, setOnly] = useState('');
  const [skip, setSkip] = useState('');
  const [isFailuresOnly, setFailuresOnly] = useState(true);
  const isRunning = state.value?.isDone === false;

  const refresh = async (id: string): Promise<void> => {
    const progress = await attempt(api.check(id));
    // Another run may have begun.
    if (state.value?.run !== id) return;
    state.value = progress;
    done.value = progress?.cases.length ?? 0;
  };
  useEffect(
    () =>
      onReload(() => {
        if (state.value?.isDone === false) void refresh(state.value.run);
      }),
    [],
  );
  useEvents((events) => {
    for (const { type, data } of events) {
      if (type !== 'check' || data.run !== state.value?.run) continue;
      done.value = data.done;
      if (data.isDone) void refresh(data.run);
    }
  });
  const start = async (): Promise<void> => {
    const started = await attempt(
      api.startCheck({
        ...(event !== '' && { event }),
        ...(guard !== '' && { guard }),
        ...(only !== '' && { only: namesOf(only) }),
        ...(skip !== '' && { skip: namesOf(skip) }),
      }),
    );
    if (started === undefined) return;
    state.value = { run: started.run, isDone: false, total: 0 };
    done.value = 0;
    await refresh(started.run);
  };
  const report = state.value?.report;
  const names = events.map((each) => each.event);
  return (
    <>
      <h1>Check</h1>
      <p class="muted">
        Sends about 150 deliveries to <Foreign text={target.value?.url ?? 'the target'} />, and compares the responses
        with the contract. They have effects in the extension.
      </p>
      <Form class="card row add" onSubmit={() => void start()}>
        <Field label="Event" value={event} placeholder="found by itself" list={names} onChange={setEvent} />
        <Field
          label="Guard event"
          value={guard}
          placeholder="of the manifest"
          list={events.filter((each) => each.isGuard).map((each) => each.event)}
          onChange={setGuard}
        />
        <Field label="Only" value={only} placeholder="A, B3" onChange={setOnly} />
        <Field label="Skip" value={skip} placeholder="D4" onChange={setSkip} />
        <button type="submit" class="primary" disabled={isRunning}>
          {isRunning ? 'Running…' : 'Run'}
        </button>
      </Form>
      {isRunning && <Progress done={done.value} total={state.value?.total ?? 0} />}
      {state.value?.problem !== undefined && <Problem text={state.value.problem} />}
      {report !== undefined && (
        <>
          <Summary report={report} />
          <label class="check">
            <input
              type="checkbox"
              checked={isFailuresOnly}
              onChange={({ currentTarget }) => setFailuresOnly(currentTarget.checked)}
            />
            Only failures
          </label>
          <ul class="cards" aria-label="Cases">
            {report.cases
              .filter(({ outcome }) => !isFailuresOnly || outcome === 'failed')
              .map((each) => (
                <Case key={each.id} result={each} />
              ))}
          </ul>
        </>
      )}
      <Section title="The same on the command line">
        <Command text={`kiket-express check ${target.value?.url ?? ''}`} />
      </Section>
    </>
  );
}

function Progress({ done: ended, total }: { done: number; total: number }): VNode {
  return (
    <div class="row" role="status">
      <progress aria-label="Progress" max={Math.max(1, total)} value={ended} />
      <span>
        {ended} of {total} cases
      </span>
    </div>
  );
}

function Summary({ report }: { report: CheckReport }): VNode {
  const { passed, must, should, hint, notApplicable, skipped, notRun } = report.summary;
  const tone: Tone = must > 0 ? 'bad' : should > 0 ? 'warning' : 'good';
  return (
    <p class={`notice tone-${tone}`} role="status">
      <span class="strong">
        {passed} passed, {must} must, {should} should, {count(hint, 'hint')}
      </span>
      , {notApplicable} not applicable
      {skipped > 0 && `, ${skipped} skipped`}
      {notRun > 0 && `, ${notRun} not run`}.{' '}
      <span class="muted">
        {count(report.requests, 'request')} in {duration(report.durationMs)}, scheme {report.scheme}.
      </span>
    </p>
  );
}

function Case({ result }: { result: CheckedCase }): VNode {
  const { id, severity, section, requirement, sends, outcome, reason, findings, notes, advice } = result;
  return (
    <li class="card">
      <div class="row">
        <h3>
          {id} · {requirement}
        </h3>
        <span class={`tag end tone-${outcome === 'failed' ? SEVERITY_TONES[severity] : 'neutral'}`}>
          {outcome === 'failed' ? severity : outcome.replace('-', ' ')}
        </span>
      </div>
      <p class="muted">
        {section} · sends {sends}
        {reason !== '' && ` · ${reason}`}
      </p>
      {findings.map(({ problem, request, answer, consequence }) => (
        <div class="finding">
          <p>
            <Foreign text={problem} />
          </p>
          {answer !== '' && (
            <p>
              Response: <Foreign text={answer} />
            </p>
          )}
          {consequence !== '' && <p class="muted">On the platform: {consequence}.</p>}
          {request !== '' && <Command text={request} />}
        </div>
      ))}
      {outcome === 'failed' && <p class="strong">{advice}</p>}
      {notes.map((note) => (
        <p class="muted">
          <Foreign text={note} />
        </p>
      ))}
    </li>
  );
}

function namesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== '');
}
