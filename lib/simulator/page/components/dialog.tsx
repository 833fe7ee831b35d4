import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A dialog over the page. The browser keeps the focus inside, and closes it at Escape. */
export function Dialog({ title, onClose, children }: Props): VNode {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={element} aria-label={title} onClose={onClose}>
      <header class="row">
        <h2>{title}</h2>
        <button type="button" class="small end" onClick={onClose}>
          Close
        </button>
      </header>
      {children}
    </dialog>
  );
}
