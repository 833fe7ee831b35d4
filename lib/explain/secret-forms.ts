import { isUtf8 } from 'node:buffer';
import { deviantForm, expectedForm, type Form } from './form';

/** A secret that may have signed, and where it comes from. */
export interface KnownSecret {
  /** Its bytes. */
  readonly value: Buffer;
  /** For people, such as `KIKET_WEBHOOK_SECRET`. Never the secret. */
  readonly source: string;
}

/** A key, and the secret of the list that it is made of. */
export interface SigningKey {
  readonly bytes: Buffer;
  /** `undefined` for a key that no secret of the list has to do with. */
  readonly secretIndex: number | undefined;
}

/** Names of variables that manifests and examples use. */
const VARIABLES = ['KIKET_WEBHOOK_SECRET', 'WEBHOOK_SECRET', 'KIKET_SECRET'];

const VARIABLE = /^[A-Za-z_]\w*$/;

/** Values of a variable that is not set, or of an example that was not filled in. */
const UNSET = [
  '',
  'undefined',
  'null',
  'None',
  'nil',
  'false',
  'changeme',
  'secret',
  '[object Object]',
  '[object Promise]',
];

const PREFIXES = ['whsec_', 'sk_', 'v1,'];

/**
 * Returns the keys that may have signed: the secrets as they are, forms of them, and keys that no secret has to do with.
 *
 * @param others further secrets of the user, one of which may have been taken by mistake.
 */
export function secretForms(
  secrets: readonly KnownSecret[],
  others: readonly KnownSecret[],
): readonly Form<SigningKey>[] {
  const forms: Form<SigningKey>[] = secrets.map(({ value }, i) => expectedForm({ bytes: value, secretIndex: i }));
  secrets.forEach(({ value }, secretIndex) => {
    const add: Add = (id, condition, weight, key) => {
      const bytes = typeof key === 'string' ? Buffer.from(key) : key;
      if (bytes !== undefined) forms.push(deviantForm(id, condition, weight, { bytes, secretIndex }));
    };
    addBytes(add, value);
    if (isUtf8(value)) addTexts(add, value.toString());
  });

  const addForeign: Add = (id, condition, weight, key) =>
    void forms.push(deviantForm(id, condition, weight, { bytes: Buffer.from(key!), secretIndex: undefined }));
  for (const name of new Set([
    ...secrets.map(({ source }) => source).filter((each) => VARIABLE.test(each)),
    ...VARIABLES,
  ])) {
    for (const text of [`env.${name}`, `\${${name}}`, `$${name}`, `env:${name}`, `process.env.${name}`, `{{${name}}}`])
      addForeign('secret-reference', `the secret is the text ${text}`, 1, text);
    addForeign('secret-unset', `the secret is the name of its variable, ${name}`, 2, name);
  }
  for (const text of UNSET) addForeign('secret-unset', `the secret is ${text === '' ? 'empty' : text}`, 1, text);
  for (const { value, source } of others) addForeign('secret-other', `the secret is that of ${source}`, 1, value);
  return distinct(forms);
}

type Add = (
  id: NonNullable<Form<unknown>['deviation']>['id'],
  condition: string,
  weight: number,
  key: Buffer | string | undefined,
) => void;

function addBytes(add: Add, value: Buffer): void {
  add('secret-encoded', 'the secret is encoded as hex', 2, value.toString('hex'));
  add('secret-encoded', 'the secret is encoded as base64', 2, value.toString('base64'));
  add('secret-encoded', 'the secret is encoded as base64url', 3, value.toString('base64url'));
}

function addTexts(add: Add, text: string): void {
  add('secret-white-space', 'the secret has a newline at its end', 1, `${text}\n`);
  add('secret-white-space', 'the secret has CR and LF at its end', 1, `${text}\r\n`);
  add('secret-white-space', 'the secret has a blank at its end', 2, `${text} `);
  add('secret-white-space', 'the secret has a blank at its start', 2, ` ${text}`);
  add('secret-white-space', 'the secret is trimmed', 1, text.trim());

  add('secret-quoted', 'the secret is in double quotes', 1, `"${text}"`);
  add('secret-quoted', 'the secret is in single quotes', 1, `'${text}'`);
  add('secret-quoted', 'the secret is without its quotes', 1, text.replace(/^(["'])(.*)\1$/s, '$2'));
  add('secret-quoted', 'the secret is escaped as in JSON', 2, JSON.stringify(text).slice(1, -1));
  add('secret-quoted', 'the secret is URL-encoded', 2, encodeURIComponent(text));
  add('secret-quoted', 'the secret is URL-decoded', 2, urlDecoded(text));
  add('secret-quoted', 'the secret ends before its first #', 2, /^[^#]+(?=#)/.exec(text)?.[0].trimEnd());
  add(
    'secret-quoted',
    'names after $ in the secret are replaced by nothing',
    2,
    text.replace(/\$(?:\w+|\{\w+\})/g, ''),
  );

  for (const prefix of PREFIXES) {
    const name = JSON.stringify(prefix);
    if (text.startsWith(prefix) && text.length > prefix.length) {
      const rest = text.slice(prefix.length);
      add('secret-encoded', `the secret is without its prefix ${name}`, 1, rest);
      add('secret-encoded', `the secret is without its prefix ${name}, and decoded from base64`, 1, fromBase64(rest));
    } else add('secret-encoded', `the secret has the prefix ${name}`, 2, prefix + text);
  }
  add('secret-encoded', 'the secret is decoded from hex', 1, fromHex(text));
  add('secret-encoded', 'the secret is decoded from base64', 1, fromBase64(text));

  add('secret-characters', 'the secret is encoded as latin-1', 1, Buffer.from(text, 'latin1'));
  add('secret-characters', 'the secret is read as latin-1', 1, Buffer.from(text).toString('latin1'));
  add('secret-characters', 'the secret is in Unicode form C', 1, text.normalize('NFC'));
  add('secret-characters', 'the secret is in Unicode form D', 1, text.normalize('NFD'));
  add('secret-characters', 'the secret is encoded as UTF-16', 2, Buffer.from(text, 'utf16le'));
}

function urlDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function fromHex(text: string): Buffer | undefined {
  return /^(?:[\da-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : undefined;
}

function fromBase64(text: string): Buffer | undefined {
  return /^[\w+/-]{2,}={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function distinct(forms: readonly Form<SigningKey>[]): Form<SigningKey>[] {
  const seen = new Set<string>();
  return forms.filter(({ value }) => {
    const content = value.bytes.toString('latin1');
    return !seen.has(content) && seen.add(content);
  });
}
