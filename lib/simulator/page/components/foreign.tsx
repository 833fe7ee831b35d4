import type { VNode } from 'preact';
import { segmentsOf, type Segment } from '../visible-text';
import { Masked } from './masked';

/** Text from elsewhere: it cannot change the direction of what is around it, and its hidden characters are shown. */
export function Foreign({ text }: { text: string }): VNode {
  return (
    <bdi>
      <Segments text={text} />
    </bdi>
  );
}

/** The parts of a text from elsewhere, without an element around them. */
export function Segments({ text }: { text: string }): VNode {
  return <>{segmentsOf(text).map(shown)}</>;
}

function shown(segment: Segment): VNode | string {
  if (segment.kind === 'plain') return segment.text;
  if (segment.kind === 'masked') return <Masked name={segment.name} />;
  return (
    <span class="hidden-character" title={segment.name}>
      {segment.text}
    </span>
  );
}
