import type { VNode } from 'preact';

interface Props<T extends string> {
  readonly label: string;
  readonly options: readonly T[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** One of a few words, side by side. */
export function Choice<T extends string>({ label, options, value, onChange }: Props<T>): VNode {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button type="button" aria-pressed={option === value} onClick={() => onChange(option)}>
          {option}
        </button>
      ))}
    </div>
  );
}
