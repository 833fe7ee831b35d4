import type { VNode } from 'preact';
import { path } from '../router';
import { faults, unreadAlerts } from '../state/overview';

const LINKS = [
  ['/', 'Activity'],
  ['/send', 'Send'],
  ['/issues', 'Issues'],
  ['/alerts', 'Alerts'],
  ['/api-calls', 'API calls'],
  ['/faults', 'Faults'],
  ['/check', 'Check'],
  ['/verify', 'Verify'],
  ['/settings', 'Settings'],
] as const;

/** The views. */
export function Navigation(): VNode {
  const counts: Readonly<Record<string, number>> = {
    '/alerts': unreadAlerts().length,
    '/faults': faults.value.length,
  };
  const current = path();
  const isInActivity = current.startsWith('/d/') || current === '/compare';
  return (
    <nav class="navigation" aria-label="Views">
      {LINKS.map(([href, title]) => {
        const count = counts[href] ?? 0;
        const isCurrent = href === current;
        return (
          <a
            href={href}
            class={isCurrent || (href === '/' && isInActivity) ? 'current' : ''}
            aria-current={isCurrent ? 'page' : undefined}
          >
            {title}
            {count > 0 && <span class="badge">{count}</span>}
          </a>
        );
      })}
    </nav>
  );
}
