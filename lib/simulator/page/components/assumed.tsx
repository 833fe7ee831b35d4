import type { VNode } from 'preact';

/** Marks what the contract does not say. */
export function Assumed(): VNode {
  return (
    <span class="tag" title="The contract does not say it">
      assumed
    </span>
  );
}
