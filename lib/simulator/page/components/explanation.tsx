import type { VNode } from 'preact';
import type { SignatureExplanation } from '../../../explain/explain';
import { count, size } from '../quantities';
import type { Tone } from '../tone';
import { Foreign } from './foreign';

const VERDICTS: Readonly<Record<SignatureExplanation['verdict'], string>> = {
  valid: 'The signature is valid.',
  refused: 'The signature is right, but a receiver refuses the request.',
  explained: 'The signature does not match, and this is why.',
  unexplained: 'The signature does not match, and no explanation was found.',
};

type Causes = SignatureExplanation['causes'];

/** The result of a verification: does the signature match, and why not? */
export function Explanation({ explanation }: { explanation: SignatureExplanation }): VNode {
  const { verdict, code, scheme, ageSeconds, causes, hints, alternatives, combinations, body } = explanation;
  const tone: Tone = verdict === 'valid' ? 'good' : 'bad';
  return (
    <div class={`notice tone-${tone} explanation`} role="status">
      <p class="strong">{VERDICTS[verdict]}</p>
      <CauseList causes={causes} />
      {alternatives.map((each) => (
        <>
          <p>Or else:</p>
          <CauseList causes={each} />
        </>
      ))}
      {hints.length > 0 && <CauseList causes={hints} />}
      <p class="muted">
        {scheme !== undefined && `Scheme ${scheme}. `}
        {ageSeconds !== undefined && `Signed ${count(Math.round(ageSeconds), 'second')} before it was received. `}
        {code !== undefined && (
          <>
            Code <code>{code}</code>.{' '}
          </>
        )}
        {combinations > 0 && `${count(combinations, 'combination')} tried. `}
        Body: {size(body.bytes)}, SHA-256 <code class="wrap">{body.sha256}</code>
      </p>
    </div>
  );
}

function CauseList({ causes }: { causes: Causes }): VNode | null {
  if (causes.length === 0) return null;
  return (
    <ul>
      {causes.map(({ condition, cause, mend }) => (
        <li>
          <p>
            <Foreign text={condition} />
          </p>
          <p>
            <Foreign text={cause} />
          </p>
          <p class="strong">
            <Foreign text={mend} />
          </p>
        </li>
      ))}
    </ul>
  );
}
