import { isId, isObject, isString, type KiketId } from '../guards';
import {
  boolean,
  checked,
  list,
  number,
  oneOf,
  optional,
  readOptions,
  string,
  type Option,
  type OptionTable,
} from '../options';
import { isEndpoint } from '../sending/endpoint';
import { findTampering } from '../sending/tamper';
import { InputError, type DeliveryInput, type DeliveryOptions } from './local-kiket';

const objectOption = optional(checked<Readonly<Record<string, unknown>>>('an object', isObject));
const stringOption = optional(checked<string>('a string', isString));

/** A century, in seconds. */
const MOST_SECONDS = 3_155_760_000;

const DELIVERY_OPTIONS = {
  envelope: optional(oneOf('contract', 'data')),
  eventVersion: optional(string()),
  projectId: optional(checked<KiketId>('an id', isId)),
  organizationId: optional(checked<KiketId>('an id', isId)),
  invocationId: optional(string()),
  scheme: optional(oneOf('timestamped', 'body')),
  prefix: stringOption,
  minimalHeaders: optional(boolean(false)),
  timestampOffsetSeconds: optional(number({ min: -MOST_SECONDS, max: MOST_SECONDS })),
  missing: optional(list(string())),
  scopes: optional(list(string())),
  /** It never leads to another host. */
  endpoint: optional(
    checked<string>('a path such as /kiket', (value) => typeof value === 'string' && isEndpoint(value)),
  ),
  required: optional(boolean(true)),
} satisfies OptionTable<DeliveryOptions>;

const deliveryOptions: Option<DeliveryOptions, DeliveryOptions> = {
  default: {},
  read: (value, who, name) => readOptions(who, value as object, DELIVERY_OPTIONS, `${name}.`),
};

const DELIVERY_INPUT = {
  event: optional(string()),
  payload: objectOption,
  bodyBase64: stringOption,
  set: objectOption,
  unset: optional(list(string())),
  options: deliveryOptions,
  tamper: optional(
    checked<string>(
      'the name of a tampering',
      (value) => typeof value === 'string' && findTampering(value) !== undefined,
    ),
  ),
} satisfies OptionTable<DeliveryInput>;

/** Returns a delivery to be made, with its options checked. @throws {InputError} when a member is invalid or unknown. */
export function readInput(input: DeliveryInput): DeliveryInput & { readonly options: DeliveryOptions } {
  try {
    return readOptions('send', input, DELIVERY_INPUT);
  } catch (error) {
    throw new InputError(400, (error as Error).message);
  }
}
