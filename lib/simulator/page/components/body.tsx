import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { ShownMessage } from '../../model';
import { hexDump } from '../hex';
import { readJson } from '../json-text';
import { size } from '../quantities';
import { Choice } from './choice';
import { Segments } from './foreign';
import { JsonTree } from './json-tree';

const FORMS = ['tree', 'raw', 'hex'] as const;

/** Characters that are shown at first, and with each press of the button: a browser needs seconds for a megabyte. */
const PAGE = 50_000;

/** Bytes of a page of the dump. */
const HEX_PAGE = 4096;

/** A body as a tree, as text and as bytes. */
export function Body({ message, name }: { message: ShownMessage; name: string }): VNode {
  const { body, isBase64, bytes } = message;
  const json = useMemo(() => (isBase64 || body === '' ? undefined : readJson(body)), [body, isBase64]);
  const root = json?.root;
  const [chosen, choose] = useState<(typeof FORMS)[number]>('tree');
  const forms = FORMS.filter((form) => (form === 'tree' ? root !== undefined : form === 'hex' || !isBase64));
  const form = forms.includes(chosen) ? chosen : forms[0]!;
  if (bytes === 0) return <p class="muted">{name} is empty.</p>;
  return (
    <section class="body">
      <header class="row">
        <h3>{name}</h3>
        <span class="muted">
          {size(bytes)}
          {isBase64 && ', not UTF-8'}
        </span>
        <Choice label={`Form of ${name.toLowerCase()}`} options={forms} value={form} onChange={choose} />
      </header>
      {form === 'tree' && root !== undefined && <JsonTree text={body} root={root} />}
      {form === 'raw' && <Raw text={body} />}
      {form === 'hex' && <Hex body={body} isBase64={isBase64} />}
    </section>
  );
}

function Raw({ text }: { text: string }): VNode {
  const [limit, setLimit] = useState(PAGE);
  return (
    <>
      <pre class="text" dir="ltr" tabIndex={0} aria-label="Text of the body">
        <Segments text={text.slice(0, limit)} />
      </pre>
      <More shown={limit} all={text.length} onMore={() => setLimit(limit + PAGE)} />
    </>
  );
}

function Hex({ body, isBase64 }: { body: string; isBase64: boolean }): VNode {
  const bytes = useMemo(() => bytesOf(body, isBase64), [body, isBase64]);
  const [limit, setLimit] = useState(HEX_PAGE);
  return (
    <>
      <pre class="text hex" tabIndex={0} aria-label="Bytes of the body">
        {hexDump(bytes.subarray(0, limit))}
      </pre>
      <More shown={limit} all={bytes.length} onMore={() => setLimit(limit + HEX_PAGE)} />
    </>
  );
}

function More({ shown, all, onMore }: { shown: number; all: number; onMore: () => void }): VNode | null {
  if (shown >= all) return null;
  return (
    <button type="button" class="small" onClick={onMore}>
      Show more: {size(shown)} of {size(all)}
    </button>
  );
}

function bytesOf(body: string, isBase64: boolean): Uint8Array {
  return isBase64
    ? Uint8Array.from(atob(body), (character) => character.charCodeAt(0))
    : new TextEncoder().encode(body);
}
