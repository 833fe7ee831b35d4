import { createContext, type VNode } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { api } from '../api';
import { attempt } from '../state/messages';

/** The attempt whose request is shown. Its values can be revealed. */
export const Revealing = createContext<{ readonly id: string; readonly attempt: number } | undefined>(undefined);

/** A value that was removed: its name, and a button that shows it. */
export function Masked({ name }: { name: string }): VNode {
  const source = useContext(Revealing);
  const [value, setValue] = useState<string | undefined>(undefined);
  useEffect(() => setValue(undefined), [source?.id, source?.attempt, name]);
  const label = name.replace(/^secret:/, 'secret ');
  if (source === undefined) return <span class="masked">{label}</span>;
  const toggle = async (): Promise<void> => {
    if (value !== undefined) return setValue(undefined);
    const revealed = await attempt(api.reveal(source.id, source.attempt, name));
    setValue(revealed?.value);
  };
  return (
    <button
      type="button"
      class="masked"
      aria-label={value === undefined ? `Reveal ${label}` : `Hide ${label}`}
      onClick={() => void toggle()}
    >
      {value === undefined ? (
        <>
          <span aria-hidden="true">•••• </span>
          {label}
        </>
      ) : (
        <bdi>{value}</bdi>
      )}
    </button>
  );
}
