const text = { type: ['string', 'null'] };
const texts = { type: ['array', 'null'], items: { type: 'string' } };
const anything = { type: ['object', 'null'] };

/** The delivery contract as JSON Schema, for the hand-written receivers. Unknown fields pass. */
export const CONTRACT_SCHEMA = {
  type: 'object',
  required: ['event'],
  properties: {
    event: { type: 'string' },
    event_version: text,
    issue: anything,
    definition: anything,
    metrics: anything,
    context: anything,
    authentication: {
      type: ['object', 'null'],
      properties: { token_type: text, runtime_token: text, expires_at: text, scopes: texts },
    },
    secrets: { type: ['object', 'null'], additionalProperties: { type: 'string' } },
    secret_status: { type: ['object', 'null'], properties: { missing: texts } },
    api: { type: ['object', 'null'], properties: { base_url: text, runtime_header: text } },
  },
};
