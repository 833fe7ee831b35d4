import type { VNode } from 'preact';
import type { DeliveryOptions, SettingsView } from '../../../local-kiket';
import { Field } from '../../components/field';
import { Select } from '../../components/select';

interface Props {
  readonly options: DeliveryOptions;
  readonly settings: SettingsView;
  readonly tamper: string;
  readonly tamperings: readonly { readonly name: string; readonly imitates: string }[];
  readonly onChange: (options: DeliveryOptions) => void;
  readonly onTamper: (tamper: string) => void;
}

/** How the delivery is sent. Empty fields are as the settings say. */
export function SendOptions({ options, settings, tamper, tamperings, onChange, onTamper }: Props): VNode {
  const change = (part: DeliveryOptions): void => {
    const entries = Object.entries({ ...options, ...part }).filter(([, value]) => value !== undefined && value !== '');
    onChange(Object.fromEntries(entries));
  };
  const imitates = tamperings.find(({ name }) => name === tamper)?.imitates;
  const offset = options.timestampOffsetSeconds;
  return (
    <>
      <fieldset>
        <legend>Tampering</legend>
        <Select
          label="What goes wrong"
          value={tamper}
          options={[['', 'nothing'], ...tamperings.map(({ name }) => [name, name] as const)]}
          onChange={onTamper}
        />
        {imitates !== undefined && <p class="muted">Imitates {imitates}.</p>}
      </fieldset>
      <fieldset>
        <legend>Options</legend>
        <Select
          label="Signature scheme"
          value={options.scheme ?? ''}
          options={[
            ['', `as set: ${settings.scheme}`],
            ['timestamped', 'timestamped'],
            ['body', 'body'],
          ]}
          onChange={(value) => change({ scheme: value as DeliveryOptions['scheme'] })}
        />
        <Select
          label="Envelope"
          value={options.envelope ?? ''}
          options={[
            ['', `as set: ${settings.envelope}`],
            ['contract', 'contract'],
            ['data', 'data'],
          ]}
          onChange={(value) => change({ envelope: value as DeliveryOptions['envelope'] })}
        />
        <Select
          label="Time of the signature"
          value={offset === undefined ? '' : String(offset)}
          options={[
            ['', 'now'],
            ['-600', '10 minutes ago'],
            ['600', 'in 10 minutes'],
          ]}
          onChange={(value) => change({ timestampOffsetSeconds: value === '' ? undefined : Number(value) })}
        />
        <Select
          label="If it fails"
          value={options.required === undefined ? '' : String(options.required)}
          options={[
            ['', 'as the manifest says'],
            ['true', 'the workflow halts'],
            ['false', 'the workflow goes on'],
          ]}
          onChange={(value) => change({ required: value === '' ? undefined : value === 'true' })}
        />
        <details>
          <summary>More options</summary>
          <Field
            label="Prefix of the signature"
            value={options.prefix ?? ''}
            placeholder="sha256="
            onChange={(prefix) => change({ prefix })}
          />
          <Field
            label="Event version"
            value={options.eventVersion ?? ''}
            placeholder={settings.eventVersion}
            onChange={(eventVersion) => change({ eventVersion })}
          />
          <Field
            label="Project"
            value={String(options.projectId ?? '')}
            placeholder={String(settings.projectId ?? '')}
            onChange={(value) => change({ projectId: idOf(value) })}
          />
          <Field
            label="Organization"
            value={String(options.organizationId ?? '')}
            placeholder={String(settings.organizationId ?? '')}
            onChange={(value) => change({ organizationId: idOf(value) })}
          />
          <Field
            label="Invocation"
            value={options.invocationId ?? ''}
            placeholder="a new one"
            onChange={(invocationId) => change({ invocationId })}
          />
          <Field
            label="Endpoint"
            value={options.endpoint ?? ''}
            placeholder="path of the target"
            onChange={(endpoint) => change({ endpoint })}
          />
          <Field
            label="Missing secrets"
            value={(options.missing ?? []).join(' ')}
            placeholder="KEY OTHER_KEY"
            onChange={(value) => change({ missing: wordsOf(value) })}
          />
          <Field
            label="Scopes of the token"
            value={(options.scopes ?? []).join(' ')}
            placeholder={settings.scopes.join(' ')}
            onChange={(value) => change({ scopes: wordsOf(value) })}
          />
          <label class="check">
            <input
              type="checkbox"
              checked={options.minimalHeaders === true}
              onChange={({ currentTarget }) => change({ minimalHeaders: currentTarget.checked || undefined })}
            />
            Only the headers of the platform’s command line
          </label>
        </details>
      </fieldset>
    </>
  );
}

function wordsOf(text: string): readonly string[] | undefined {
  return text.trim() === '' ? undefined : text.trimStart().split(/\s+/);
}

/** Ids are numbers, or strings such as `org_7`. */
function idOf(text: string): string | number | undefined {
  if (text === '') return undefined;
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : text;
}
