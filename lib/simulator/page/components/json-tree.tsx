import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { JsonNode } from '../json-text';
import { count } from '../quantities';
import { Segments } from './foreign';

/** Children that are shown at first, and with each press of the button. */
const PAGE = 100;

/** Levels that are open at first. */
const OPEN_LEVELS = 3;

/** JSON as a tree, as it is written: numbers keep their digits, and a key may occur twice. */
export function JsonTree({ text, root }: { text: string; root: JsonNode }): VNode {
  return (
    <ul class="json" aria-label="JSON">
      <Item text={text} node={root} level={0} label={undefined} />
    </ul>
  );
}

interface ItemProps {
  readonly text: string;
  readonly node: JsonNode;
  readonly level: number;
  readonly label: string | undefined;
}

function Item({ text, node, level, label }: ItemProps): VNode {
  const { type, children, offset, end } = node;
  const [isOpen, setOpen] = useState(level < OPEN_LEVELS);
  const [limit, setLimit] = useState(PAGE);
  const brackets = type === 'object' ? '{}' : '[]';
  if (children.length === 0) {
    return (
      <li>
        <Key label={label} />
        <span class={`json-${type}`}>
          <Segments text={text.slice(offset, end)} />
        </span>
      </li>
    );
  }
  return (
    <li>
      <button type="button" class="json-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Key label={label} />
        {isOpen ? (
          brackets[0]
        ) : (
          <>
            {brackets.split('').join(' … ')}{' '}
            <span class="muted">{count(children.length, type === 'object' ? 'key' : 'element')}</span>
          </>
        )}
      </button>
      {isOpen && (
        <>
          <ul>
            {children.slice(0, limit).map((child, index) => (
              <Item text={text} node={child} level={level + 1} label={child.key ?? String(index)} />
            ))}
            {children.length > limit && (
              <li>
                <button type="button" class="small" onClick={() => setLimit(limit + PAGE)}>
                  Show {Math.min(PAGE, children.length - limit)} more of {children.length}
                </button>
              </li>
            )}
          </ul>
          {brackets[1]}
        </>
      )}
    </li>
  );
}

function Key({ label }: { label: string | undefined }): VNode | null {
  if (label === undefined) return null;
  return (
    <>
      <bdi class="json-key">
        <Segments text={label} />
      </bdi>
      {': '}
    </>
  );
}
