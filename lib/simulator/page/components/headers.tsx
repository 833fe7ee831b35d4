import type { VNode } from 'preact';
import type { ShownMessage } from '../../model';
import { Foreign } from './foreign';

interface Props {
  readonly headers: ShownMessage['headers'];
  readonly caption: string;
  /** Returns how a header is marked, e.g. `not signed`. Default: there is no such column. */
  readonly markOf?: (name: string) => string;
}

/** Headers in their order and spelling. */
export function Headers({ headers, caption, markOf }: Props): VNode {
  if (headers.length === 0) return <p class="muted">No headers.</p>;
  return (
    <table class="headers">
      <caption>{caption}</caption>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
          {markOf !== undefined && <th scope="col">Signed</th>}
        </tr>
      </thead>
      <tbody>
        {headers.map(([name, value]) => (
          <tr>
            <th scope="row">
              <Foreign text={name} />
            </th>
            <td>
              <Foreign text={value} />
            </td>
            {markOf !== undefined && (
              <td>
                <SignedMark text={markOf(name)} />
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** `signed` or another word of the same kind. */
export function SignedMark({ text }: { text: string }): VNode {
  return <span class={`mark ${text === 'signed' ? 'mark-signed' : ''}`}>{text}</span>;
}
