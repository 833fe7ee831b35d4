import { Signal } from './state/signal';

const address = new Signal(new URL(window.location.href));

/** The path of the page, such as `/d/latest`. */
export function path(): string {
  return address.value.pathname;
}

/** The query of the page. */
export function query(): URLSearchParams {
  return address.value.searchParams;
}

/** Shows another view. The old one stays in the history, except when it is replaced. */
export function navigate(href: string, isReplaced = false): void {
  if (isReplaced) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  address.value = new URL(window.location.href);
}

/** Changes parameters of the query in place; `undefined` and empty ones are removed. */
export function changeQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const url = new URL(address.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  navigate(`${url.pathname}${url.search}`, true);
}

/** The address of a delivery. */
export function deliveryHref(id: string): string {
  return `/d/${encodeURIComponent(id)}`;
}

/** Opens links to views without loading the page again. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    address.value = new URL(window.location.href);
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (link === null || !isPlain || event.defaultPrevented) return;
    if (link.origin !== window.location.origin || link.target !== '' || link.hash !== '') return;
    event.preventDefault();
    navigate(`${link.pathname}${link.search}`);
  });
}
