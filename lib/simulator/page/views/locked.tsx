import type { VNode } from 'preact';

/** For a browser without the cookie. */
export function Locked(): VNode {
  return (
    <div class="empty">
      <h1>Open the address that the terminal shows</h1>
      <p>
        The local Kiket shows its state only to a browser that was opened with its token. Each start has a new one:
        follow the link <code>http://127.0.0.1:…/?token=…</code> in the terminal of <code>kiket-express dev</code>.
      </p>
    </div>
  );
}
