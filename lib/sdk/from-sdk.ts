import type { IncomingMessage } from 'node:http';
import type { KiketGuardReply } from '../delivery/reply';
import { functionOption } from '../options';
import {
  createContext,
  type HandlerResult,
  type SdkDelivery,
  type WebhookHandler,
  type WebhookPayload,
} from './handler-context';
import { readSdkOptions, type SdkExtension, type SdkOptions } from './sdk-options';

/** The reply to a guard event when the handler returns only such; otherwise any object. */
type ReplyOf<TResult> = [TResult] extends [KiketGuardReply] ? KiketGuardReply : object;

/** A handler for kiketHandler and kiketEvents that runs one that was written for the SDK. */
export type SdkKiketHandler<TResult = HandlerResult> = (
  delivery: SdkDelivery,
  req: IncomingMessage,
) => Promise<ReplyOf<TResult>>;

/**
 * Returns a handler for kiketHandler and kiketEvents that runs `(payload, context) => result`, as the SDK does. A falsy result is
 * sent as `{ "ok": true }`, except for a guard event, which needs a decision.
 *
 * @throws {TypeError} at start-up, when `handler` is not a function, or an option is invalid or unknown.
 * @example kiketEvents().on('issue.created@v1', fromSdk(async (payload, context) => ({ key: context.settings.key })))
 */
export function fromSdk<TPayload = WebhookPayload, TResult = HandlerResult>(
  handler: WebhookHandler<TPayload, TResult>,
  options: Readonly<SdkOptions> = {},
): SdkKiketHandler<TResult> {
  functionOption.read(handler, 'fromSdk', 'handler');
  return adaptHandler(handler, readSdkOptions('fromSdk', options));
}

/** @internal {@link fromSdk} with options that have been checked. */
export function adaptHandler<TPayload, TResult>(
  handler: WebhookHandler<TPayload, TResult>,
  extension: SdkExtension,
): SdkKiketHandler<TResult> {
  return async function runSdkHandler(delivery, req) {
    const result = await handler(delivery.payload as TPayload, createContext(delivery, req, extension));
    // The reply is checked when it is serialised.
    return (result || { ok: true }) as ReplyOf<TResult>;
  };
}
