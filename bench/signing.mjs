import { createHmac, randomUUID } from 'node:crypto';

/** One key for all schemes. Standard Webhooks and svix take it in base64. */
export const SECRET = 'a delivery secret for the bench';
export const SECRET_BASE64 = Buffer.from(SECRET).toString('base64');

/** The headers that each scheme adds to a delivery. */
const SCHEMES = {
  none: () => ({}),

  kiket: (body) => ({ 'X-Kiket-Signature': hmac(body, 'hex') }),

  github: (body) => ({
    'X-GitHub-Event': 'issues',
    'X-GitHub-Delivery': randomUUID(),
    'X-Hub-Signature-256': `sha256=${hmac(body, 'hex')}`,
  }),

  line: (body) => ({ 'X-Line-Signature': hmac(body, 'base64') }),

  stripe: (body, seconds) => ({ 'Stripe-Signature': `t=${seconds},v1=${hmac(`${seconds}.${body}`, 'hex')}` }),

  standardwebhooks: (body, seconds) => standardHeaders('webhook', body, seconds),

  svix: (body, seconds) => standardHeaders('svix', body, seconds),

  slack: (body, seconds) => ({
    'X-Slack-Request-Timestamp': `${seconds}`,
    'X-Slack-Signature': `v0=${hmac(`v0:${seconds}:${body}`, 'hex')}`,
  }),
};

export function signatureHeaders(scheme, body) {
  return SCHEMES[scheme](body, Math.floor(Date.now() / 1000));
}

function standardHeaders(prefix, body, seconds) {
  const id = `msg_${randomUUID()}`;
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: `${seconds}`,
    [`${prefix}-signature`]: `v1,${hmac(`${id}.${seconds}.${body}`, 'base64')}`,
  };
}

function hmac(text, encoding) {
  return createHmac('sha256', SECRET).update(text).digest(encoding);
}
