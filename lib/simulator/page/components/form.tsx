import type { ComponentChildren, VNode } from 'preact';

interface Props {
  readonly class?: string;
  readonly onSubmit: () => void;
  readonly children: ComponentChildren;
}

/** A form that a view sends by itself. */
export function Form({ class: name, onSubmit, children }: Props): VNode {
  return (
    <form
      class={name}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}
