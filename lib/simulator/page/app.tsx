import { Signal, useSignals } from './state/signal';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isLocked } from './api';
import { Bar } from './components/bar';
import { Keys } from './components/keys';
import { Messages } from './components/messages';
import { Navigation } from './components/navigation';
import { navigate, path } from './router';
import { followOverview } from './state/overview';
import { useShortcuts } from './state/shortcuts';
import { Activity } from './views/activity';
import { Alerts } from './views/alerts';
import { ApiCalls } from './views/api-calls';
import { Check } from './views/check';
import { Compare } from './views/compare';
import { DeliveryView } from './views/delivery';
import { Faults } from './views/faults';
import { Issues } from './views/issues';
import { Locked } from './views/locked';
import { Send } from './views/send';
import { Settings } from './views/settings';
import { Verify } from './views/verify';

const VIEWS: Readonly<Record<string, readonly [title: string, View: () => VNode]>> = {
  '/': ['Activity', Activity],
  '/compare': ['Compare', Compare],
  '/send': ['Send', Send],
  '/issues': ['Issues', Issues],
  '/alerts': ['Alerts', Alerts],
  '/api-calls': ['API calls', ApiCalls],
  '/faults': ['Faults', Faults],
  '/check': ['Check', Check],
  '/verify': ['Verify', Verify],
  '/settings': ['Settings', Settings],
};

const showsKeys = new Signal(false);

followOverview();

/** The page: the bar, the views, and one of them. */
export function App(): VNode {
  useSignals();
  useShortcuts({
    s: () => navigate('/send'),
    '/': search,
    '?': () => (showsKeys.value = true),
    Escape: () => {
      if (path() !== '/') navigate('/');
    },
  });
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Bar />
      <Navigation />
      <Main />
      <Messages />
      {showsKeys.value && <Keys onClose={() => (showsKeys.value = false)} />}
    </>
  );
}

/** Goes to the field in which deliveries are searched. */
function search(): void {
  if (path() !== '/') navigate('/');
  // It may be rendered only now.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main input[type=search]')?.focus());
}

function Main(): VNode {
  const element = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const current = path();
  const id = /^\/d\/([^/]+)$/.exec(current)?.[1];
  const [title, View] = VIEWS[current] ?? ['Not found', NotFound];
  useEffect(() => {
    document.title = `${id === undefined ? title : 'Delivery'} · Local Kiket`;
    // After a change of view, screen readers and the tabulator go on at its beginning.
    if (!isFirst.current && !element.current!.contains(document.activeElement)) element.current!.focus();
    isFirst.current = false;
    element.current!.scrollTop = 0;
  }, [current]);
  return (
    <main id="main" tabIndex={-1} ref={element}>
      {isLocked.value ? (
        <Locked />
      ) : id === undefined ? (
        <View key={current} />
      ) : (
        <DeliveryView key={id} id={idOf(id)} />
      )}
    </main>
  );
}

function idOf(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function NotFound(): VNode {
  return (
    <>
      <h1>Not found</h1>
      <p>
        There is no such view. <a href="/">Activity</a>
      </p>
    </>
  );
}
