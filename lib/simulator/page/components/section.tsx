import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';

interface Props {
  readonly title: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A part of a view, which its heading names. */
export function Section({ title, class: name, children }: Props): VNode {
  const id = useId();
  return (
    <section class={name} aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
