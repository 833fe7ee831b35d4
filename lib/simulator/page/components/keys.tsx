import type { VNode } from 'preact';
import { Dialog } from './dialog';

const KEYS = [
  ['j', 'the next row; in a delivery, the next attempt'],
  ['k', 'the previous row or attempt'],
  ['Enter', 'open the row'],
  ['r', 'replay the delivery, signed again'],
  ['e', 'edit the delivery, and send it'],
  ['s', 'send a delivery'],
  ['/', 'search'],
  ['Escape', 'leave a field or a dialog, else go back to Activity'],
  ['?', 'these keys'],
] as const;

/** The keys of the page. */
export function Keys({ onClose }: { onClose: () => void }): VNode {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <div>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">Keys do nothing while you type.</p>
    </Dialog>
  );
}
