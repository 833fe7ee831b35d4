import type { VNode } from 'preact';
import { Form } from '../components/form';
import { useState } from 'preact/hooks';
import type { SignatureExplanation } from '../../../explain/explain';
import { api } from '../api';
import { Explanation } from '../components/explanation';
import { attempt } from '../state/messages';

/** Explains the signature of a request from elsewhere. */
export function Verify(): VNode {
  const [capture, setCapture] = useState('');
  const [explanation, explain] = useState<SignatureExplanation | undefined>(undefined);
  const verify = async (): Promise<void> => {
    explain(undefined);
    explain(await attempt(api.verify(capture)));
  };
  return (
    <>
      <h1>Verify</h1>
      <p class="muted">
        Why does a signature not match? Paste the request as it was received: raw HTTP, a curl command, HAR, or a line
        of <code>kiket-express record</code>. It is compared with the delivery secret of this run, and not stored.
      </p>
      <Form onSubmit={() => void verify()}>
        <label class="field">
          <span>Request</span>
          <textarea
            class="editor"
            spellcheck={false}
            required
            value={capture}
            placeholder={
              'POST /kiket HTTP/1.1\nX-Kiket-Signature: …\nX-Kiket-Timestamp: …\n\n{"event":"issue.created"}'
            }
            onInput={({ currentTarget }) => setCapture(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') event.currentTarget.blur();
            }}
          />
        </label>
        <p>
          <button type="submit" class="primary">
            Verify
          </button>
        </p>
      </Form>
      {explanation !== undefined && <Explanation explanation={explanation} />}
    </>
  );
}
