import type { ComponentChildren, VNode } from 'preact';
import { CopyButton } from './copy-button';

interface Props {
  readonly title: string;
  /** A command that makes this different. */
  readonly command?: string;
  readonly children?: ComponentChildren;
}

/** A view without content, and what to do next. */
export function Empty({ title, command, children }: Props): VNode {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
      {command !== undefined && <Command text={command} />}
    </div>
  );
}

/** A command, with a button that copies it. */
export function Command({ text }: { text: string }): VNode {
  return (
    <div class="command">
      <code>
        <bdi>{text}</bdi>
      </code>
      <CopyButton text={text} what="The command" />
    </div>
  );
}
