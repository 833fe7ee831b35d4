import type { VNode } from 'preact';

interface Props {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChange: (value: string) => void;
}

/** One of several values, with its label. */
export function Select({ label, value, options, onChange }: Props): VNode {
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {options.map(([each, text]) => (
          <option value={each}>{text}</option>
        ))}
      </select>
    </label>
  );
}
