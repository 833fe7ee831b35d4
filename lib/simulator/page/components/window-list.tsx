import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows that are rendered above and below what can be seen. */
const MARGIN = 6;

/** The window moves by this many rows at a time, so that most frames of a scroll render nothing. */
const STEP = 4;

interface Props {
  readonly label: string;
  readonly columns: readonly string[];
  readonly count: number;
  readonly rowHeight: number;
  /** The number of rows that were put in front of the one that was the first; a change of `version` says that there are some. */
  readonly added: { readonly version: number; readonly rows: number };
  /** The row that has the focus or is to have it. */
  readonly active: number | undefined;
  readonly renderRow: (index: number) => ComponentChildren;
  /** Called with the end of the rows that are rendered. */
  readonly onRange: (last: number) => void;
  /** Called with true when the first row can be seen, else with false. */
  readonly onTop: (isAtTop: boolean) => void;
  /** Changes when the list is to be scrolled to its top. */
  readonly toTop: number;
}

/** A table of which only the rows that can be seen are rendered. All of them have one height. */
export function WindowList(props: Props): VNode {
  const { label, columns, count, rowHeight, added, active, renderRow, onRange, onTop, toTop } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [visible, setVisible] = useState(20);

  const look = (): void => {
    const { scrollTop, clientHeight } = scroller.current!;
    setFirst(Math.floor(scrollTop / rowHeight / STEP) * STEP);
    setVisible(Math.ceil(clientHeight / rowHeight));
    onTop(scrollTop < rowHeight / 2);
  };

  // Who reads further down keeps the rows in front of them.
  useLayoutEffect(() => {
    const element = scroller.current!;
    if (added.rows > 0 && element.scrollTop >= rowHeight / 2) element.scrollTop += added.rows * rowHeight;
  }, [added.version]);

  useLayoutEffect(() => {
    const observer = new ResizeObserver(look);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [rowHeight]);

  useEffect(() => {
    if (toTop > 0) scroller.current!.scrollTop = 0;
  }, [toTop]);

  useLayoutEffect(() => {
    if (active === undefined) return;
    const element = scroller.current!;
    const [top, bottom] = [active * rowHeight, (active + 1) * rowHeight];
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  }, [active]);

  const start = Math.max(0, first - MARGIN);
  const end = Math.min(count, first + visible + STEP + MARGIN);
  useEffect(() => onRange(end), [end]);

  const indexes = Array.from({ length: Math.max(0, end - start) }, (_, index) => start + index);
  // The focus stays on its row when that is scrolled out of sight.
  if (active !== undefined && active < count && (active < start || active >= end)) indexes.push(active);
  return (
    <div class="list" role="table" aria-label={label} aria-rowcount={count + 1}>
      <div role="rowgroup" class="list-head">
        <div role="row" class="list-row" aria-rowindex={1}>
          {columns.map((column) => (
            <span role="columnheader">{column}</span>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="list-body" ref={scroller} onScroll={look}>
        <div role="presentation" class="list-space" style={{ height: `${count * rowHeight}px` }}>
          {indexes.map((index) => renderRow(index))}
        </div>
      </div>
    </div>
  );
}
