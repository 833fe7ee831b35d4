import type { VNode } from 'preact';

interface Props {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  /** True for a value that nobody looking on should read. */
  readonly isSecret?: boolean;
  readonly required?: boolean;
  readonly list?: readonly string[];
}

/** One line of text with its label, and suggestions. */
export function Field({ label, value, onChange, placeholder, isSecret = false, required = false, list }: Props): VNode {
  const id = `list-${label.toLowerCase().replace(/\W+/g, '-')}`;
  const change = ({ currentTarget }: { currentTarget: HTMLInputElement }): void => onChange(currentTarget.value);
  return (
    <label class="field">
      <span>{label}</span>
      {isSecret ? (
        <input type="password" autocomplete="off" value={value} required={required} onInput={change} />
      ) : (
        <input
          type="text"
          autocomplete="off"
          value={value}
          placeholder={placeholder}
          required={required}
          list={list === undefined ? undefined : id}
          onInput={change}
        />
      )}
      {list !== undefined && (
        <datalist id={id}>
          {list.map((each) => (
            <option value={each} />
          ))}
        </datalist>
      )}
    </label>
  );
}
