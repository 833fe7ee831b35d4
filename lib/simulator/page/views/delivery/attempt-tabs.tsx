import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { SignatureExplanation } from '../../../../explain/explain';
import type { AttemptDetail, DeliveryDetail } from '../../../model';
import { api } from '../../api';
import { Assumed } from '../../components/assumed';
import { Body } from '../../components/body';
import { Calls, Status } from '../../components/calls';
import { Empty } from '../../components/empty';
import { Explanation } from '../../components/explanation';
import { Foreign } from '../../components/foreign';
import { Headers, SignedMark } from '../../components/headers';
import { Revealing } from '../../components/masked';
import { Tabs } from '../../components/tabs';
import { duration } from '../../quantities';
import { changeQuery, query } from '../../router';
import { attempt as carryOut } from '../../state/messages';
import { LEVEL_TONES } from '../../tone';

interface Props {
  readonly delivery: DeliveryDetail;
  readonly attempt: AttemptDetail;
}

/** The time limit of the contract. */
const LIMIT_MS = 10_000;

const PANELS: Readonly<Record<string, (props: Props) => VNode>> = {
  request: Request,
  response: Response,
  signature: Signature,
  calls: CallsOfAttempt,
  diagnostics: Diagnostics,
};

/** All that is known of an attempt. */
export function AttemptTabs({ delivery, attempt }: Props): VNode {
  const asked = query().get('tab') ?? '';
  const selected = Object.hasOwn(PANELS, asked) ? asked : 'response';
  const Panel = PANELS[selected]!;
  const { number, calls, diagnostics } = attempt;
  const tabs = [
    { id: 'request', title: 'Request' },
    { id: 'response', title: 'Response' },
    { id: 'signature', title: 'Signature' },
    { id: 'calls', title: <Counted title="Calls" count={calls.length} /> },
    { id: 'diagnostics', title: <Counted title="Diagnostics" count={diagnostics.length} /> },
  ];
  return (
    <Revealing.Provider value={{ id: delivery.id, attempt: number }}>
      <Tabs
        label={`Attempt ${number}`}
        tabs={tabs}
        selected={selected}
        onSelect={(tab) => changeQuery({ tab, attempt: String(number) })}
      >
        <Panel key={`${delivery.id} ${number} ${selected}`} delivery={delivery} attempt={attempt} />
      </Tabs>
    </Revealing.Provider>
  );
}

function Counted({ title, count }: { title: string; count: number }): ComponentChildren {
  return (
    <>
      {title}
      {count > 0 && <span class="badge">{count}</span>}
    </>
  );
}

function Request({ attempt }: Props): VNode {
  const { request, signature } = attempt;
  const { isSigned, scheme } = signature;
  const markOf = (name: string): string => {
    if (/^x-kiket-signature$/i.test(name)) return 'the signature';
    return isSigned && scheme === 'timestamped' && /^x-kiket-timestamp$/i.test(name) ? 'signed' : 'not signed';
  };
  return (
    <>
      <p class="request-line">
        <code class="wrap">
          <b>{request.method}</b> <Foreign text={request.url} />
        </code>
      </p>
      <p class="muted">
        {isSigned
          ? `Signed are ${scheme === 'timestamped' ? 'the timestamp and the body' : 'the body alone'}. No other header is: a forger may change it.`
          : 'Nothing of this request is signed.'}
      </p>
      <Headers headers={request.headers} caption="Headers" markOf={markOf} />
      <p class="row">
        <SignedMark text={isSigned ? 'signed' : 'not signed'} />
        <span class="muted">the body</span>
      </p>
      <Body message={request} name="Body" />
    </>
  );
}

function Response({ attempt }: Props): VNode {
  const { response, problem, failure, durationMs } = attempt;
  const share = `${Math.min(100, (durationMs / LIMIT_MS) * 100)}%`;
  return (
    <>
      <div class="row">
        {response === undefined ? (
          <span class="status tone-bad">
            <Foreign text={failure ?? 'no response'} />
          </span>
        ) : (
          <Status status={response.status} />
        )}
        <span>
          {duration(durationMs)} <span class="muted">of {duration(LIMIT_MS)}</span>
        </span>
        <span class="limit" aria-hidden="true">
          <span style={{ width: share }} />
        </span>
      </div>
      <p>
        <Foreign text={attempt.consequence} /> <span class="rule">{attempt.rule}</span>{' '}
        {attempt.isAssumed && <Assumed />}
      </p>
      {problem !== undefined && (
        <p class="notice tone-bad">
          <Foreign text={problem} />
        </p>
      )}
      {response !== undefined && (
        <>
          <Headers headers={response.headers} caption="Headers" />
          <Body message={response} name="Body" />
        </>
      )}
    </>
  );
}

function Signature({ delivery, attempt }: Props): VNode {
  const { scheme, isSigned, signedText, tamper } = attempt.signature;
  const [explanation, explain] = useState<SignatureExplanation | undefined>(undefined);
  const verify = async (): Promise<void> => explain(await carryOut(api.verifyAttempt(delivery.id, attempt.number)));
  return (
    <>
      <dl class="pairs">
        <div>
          <dt>Scheme</dt>
          <dd>{isSigned ? scheme : 'no signature'}</dd>
        </div>
        {isSigned && (
          <div>
            <dt>Signed text</dt>
            <dd>
              <code class="wrap">
                <Foreign text={signedText} />
              </code>
            </dd>
          </div>
        )}
        {tamper !== undefined && (
          <div>
            <dt>Tampering</dt>
            <dd>
              <span class="tag">{tamper}</span>
            </dd>
          </div>
        )}
      </dl>
      <p>
        <button type="button" onClick={() => void verify()}>
          Verify what was sent
        </button>
      </p>
      {explanation !== undefined && <Explanation explanation={explanation} />}
    </>
  );
}

function CallsOfAttempt({ attempt }: Props): VNode {
  if (attempt.calls.length > 0) return <Calls calls={attempt.calls} />;
  return (
    <Empty title="The extension has not called Kiket in this attempt.">
      <p class="muted">
        Calls are found by the runtime token of the attempt. See also all <a href="/api-calls">API calls</a>.
      </p>
    </Empty>
  );
}

function Diagnostics({ attempt }: Props): VNode {
  const { diagnostics, code } = attempt;
  if (diagnostics.length === 0 && code === undefined) return <Empty title="Nothing to note." />;
  return (
    <>
      {code !== undefined && (
        <p>
          Code in the response: <code>{<Foreign text={code} />}</code>
        </p>
      )}
      <ul class="diagnostics">
        {diagnostics.map(({ level, code: name, text }) => (
          <li class={`notice tone-${LEVEL_TONES[level]}`}>
            <p>
              <span class="strong">{level}</span> <code>{name}</code>
            </p>
            <p>
              <Foreign text={text} />
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
