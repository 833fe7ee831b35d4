import { objectOf, type Requests } from './requests';
import type { KiketId } from '../guards';

/** An attachment of an inbound e-mail, without its content. */
export interface KiketInboundAttachment {
  /** The name that the sender gave it. */
  readonly filename?: string | null | undefined;
  /** The media type. */
  readonly contentType?: string | null | undefined;
  /** Bytes. */
  readonly size?: number | null | undefined;
  /** The `Content-ID`, by which the HTML refers to it. */
  readonly contentId?: string | null | undefined;
}

/** An e-mail that has arrived at another system. */
export interface KiketInboundEmail {
  /** The address of the sender. */
  readonly fromEmail: string;
  /** The name of the sender. */
  readonly fromName?: string | null | undefined;
  /** The address that the e-mail was sent to. */
  readonly toEmail: string;
  /** Further addresses. */
  readonly ccEmails?: readonly string[] | undefined;
  /** The subject line. */
  readonly subject?: string | null | undefined;
  /** The body as plain text. */
  readonly textBody?: string | null | undefined;
  /** The body as HTML. */
  readonly htmlBody?: string | null | undefined;
  /** The `Message-ID`. */
  readonly messageId?: string | null | undefined;
  /** The `Message-ID` of the e-mail that it replies to. */
  readonly inReplyTo?: string | null | undefined;
  /** The `Message-ID` of each e-mail of the conversation. */
  readonly references?: readonly string[] | undefined;
  /** All headers, by name. */
  readonly headers?: object | undefined;
  /** Their descriptions. */
  readonly attachments?: readonly KiketInboundAttachment[] | undefined;
  /** The e-mail as the other system sent it. */
  readonly rawPayload?: unknown;
}

/** The response to an inbound e-mail. Its fields are not checked. */
export interface KiketInboundEmailResult {
  /** The id of the inbound e-mail. */
  readonly id?: KiketId;
  /** The status of its processing. */
  readonly status?: string;
  readonly [field: string]: unknown;
}

/** E-mails that other systems have received. Needs the scope `issues:write`. */
export interface KiketInboundEmails {
  /** Hands an e-mail to Kiket. */
  create(email: Readonly<KiketInboundEmail>): Promise<KiketInboundEmailResult>;
}

export function inboundEmails(api: Requests): KiketInboundEmails {
  return {
    async create(email) {
      const body = { inbound_email: toWire(email) };
      return objectOf('POST', await api.request('POST', '/api/v1/ext/inbound_emails', { body }));
    },
  };
}

function toWire(email: Readonly<KiketInboundEmail>): object {
  return {
    message_id: email.messageId,
    in_reply_to: email.inReplyTo,
    references: email.references,
    from_email: email.fromEmail,
    from_name: email.fromName,
    to_email: email.toEmail,
    cc_emails: email.ccEmails,
    subject: email.subject,
    text_body: email.textBody,
    html_body: email.htmlBody,
    headers: email.headers,
    attachments: email.attachments?.map(({ filename, contentType, size, contentId }) => ({
      filename,
      content_type: contentType,
      size,
      content_id: contentId,
    })),
    raw_payload: email.rawPayload,
  };
}
