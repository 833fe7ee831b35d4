/**
 * What is mutated, part by part, and the test files that must notice. A name of a part stays when its files move, so that its
 * figures can be compared.
 *
 * `files` are below lib/, `tests` below __tests__/, without `.test.ts`; both may be patterns.
 */
export const parts = {
  signature: {
    files: ['signature/hmac.ts'],
    tests: ['unit/signature/*', 'http/middleware/verify', 'http/middleware/verify-secrets'],
  },
  verification: {
    files: [
      'middleware/verify.ts',
      'signature/{match-signature,signature-headers,verify-signature}.ts',
      'exchange/authenticity.ts',
    ],
    tests: [
      'unit/signature/*',
      'unit/exchange/authenticity',
      'http/middleware/verify*',
      'http/middleware/runtime-token-placement',
      'http/passed-on/{report-only,unsigned,other-routes}',
      'http/shutdown/late-deliveries',
      'http/wiring',
      'http/options',
    ],
  },
  manifest: {
    files: ['manifest/*.ts', 'events/check-manifest.ts', 'delivery/manifest-option.ts'],
    tests: ['unit/manifest/*', 'http/middleware/manifest'],
  },
  'body headers': {
    files: ['body/headers.ts', 'body/limit.ts'],
    tests: ['unit/body/*', 'http/middleware/{raw-body,verify}', 'http/options'],
  },
  parsing: {
    files: ['middleware/parse.ts', 'delivery/{check-payload,parse-payload}.ts', 'json.ts'],
    tests: [
      'unit/delivery/{check-payload,parse-payload}',
      'http/middleware/parse*',
      'http/passed-on/report-only',
      'http/wiring',
      'http/options',
    ],
  },
  envelopes: {
    files: ['delivery/{envelope,external-webhook,known-events,actions}.ts'],
    tests: ['unit/delivery/{envelope,external-webhook,actions}', 'http/middleware/envelopes'],
  },
  schemas: {
    files: ['delivery/schema.ts'],
    tests: ['unit/delivery/check-payload', 'http/middleware/parse-schemas'],
  },
  'unsigned claims': {
    files: ['delivery/unsigned-values.ts', 'text.ts'],
    tests: ['unit/text', 'unit/delivery/check-payload', 'http/middleware/parse-names'],
  },
  ids: {
    files: ['guards.ts', 'delivery/ids.ts'],
    tests: ['unit/guards', 'unit/delivery/ids', 'http/middleware/parse*', 'unit/runtime-token/token-verifier'],
  },
  'event patterns': {
    files: ['delivery/event-pattern.ts'],
    tests: ['unit/delivery/event-pattern', 'http/middleware/events-start-up'],
  },
  router: {
    files: ['events/router.ts'],
    tests: ['unit/events/router', 'http/middleware/events', 'http/middleware/events-start-up'],
  },
  events: {
    files: ['middleware/events.ts'],
    tests: ['http/middleware/events*'],
  },
  handler: {
    files: ['middleware/handler.ts', 'events/run-handler.ts'],
    tests: [
      'http/middleware/{handler,handler-failures,guard-decisions,respond,idempotency-outcomes}',
      'http/middleware/{respond-late,idempotency-late}',
      'http/options',
    ],
  },
  replies: {
    files: ['delivery/reply.ts'],
    tests: ['http/middleware/handler', 'http/middleware/guard-decisions', 'unit/idempotency/stored-response'],
  },
  sdk: {
    files: ['sdk/*.ts'],
    tests: ['http/sdk/*', 'unit/sdk/*'],
  },
  'error handler': {
    files: ['middleware/error-handler.ts', 'exchange/error-report.ts', 'response/error-body.ts'],
    tests: ['unit/response/error-body', 'http/middleware/error-handler', 'http/middleware/handler-failures'],
  },
  idempotency: {
    files: ['middleware/idempotency.ts', 'idempotency/attempt.ts'],
    tests: [
      'http/middleware/idempotency',
      'http/middleware/idempotency-{keys,bindings,answers,outcomes}',
      'http/options',
    ],
  },
  'delivery keys': {
    files: ['idempotency/{delivery-key,claim-keys,signed-content}.ts'],
    tests: ['unit/idempotency/{delivery-key,claim-keys,signed-content}', 'http/middleware/idempotency-{keys,bindings}'],
  },
  'stored responses': {
    files: ['idempotency/stored-response.ts'],
    tests: ['unit/idempotency/stored-response', 'http/middleware/idempotency-{answers,outcomes}'],
  },
  'token claims': {
    files: ['runtime-token/{claims,token-verifier}.ts'],
    tests: ['unit/runtime-token/token-verifier'],
  },
  'API retries': {
    files: ['api/{retry,rate-limit}.ts'],
    tests: ['unit/api/rate-limit', 'http/api/{retries,failures,resources}'],
  },
  'API targets': {
    files: ['api/target.ts'],
    tests: ['http/api/target'],
  },
};
