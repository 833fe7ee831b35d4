import { number, requireObject } from '../../options';
import { json } from './answer';
import { Credentials } from './credentials';
import { CustomData } from './custom-data';
import { ExtensionSecrets } from './extension-secrets';
import type { FakeKiket } from './fake-kiket';
import { FaultBoard } from './fault-board';
import { IntakeForms } from './intake-forms';
import { Issues } from './issues';
import { Journal } from './journal';
import { LoopbackServer } from './loopback-server';
import { settingsOf, stringsOption, type FakeKiketOptions } from './options';
import { RateLimit } from './rate-limit';
import type { FakeKiketRequest } from './request-log';
import { Router, type Route } from './router';
import { createService } from './service';
import { SlaEvents } from './sla-events';

const RATE_LIMIT: Route = {
  method: 'GET',
  path: '/api/v1/ext/rate_limit',
  handle: ({ window: { limit, remaining, resetSeconds, windowSeconds } }) =>
    json(200, { rate_limit: { limit, remaining, reset_in: resetSeconds, window_seconds: windowSeconds } }),
};

/** A century: what is added to now must still be a date. */
const LONGEST_SECONDS = 3_155_760_000;

/**
 * Starts a server on 127.0.0.1 that behaves as Kiket's API does (`contract.md` §5), in memory. Close it when the test is
 * done.
 *
 * Rejects with a `TypeError` when an option is invalid or unknown, and with the server's error when the port is taken.
 */
export async function startFakeKiket(options: Readonly<FakeKiketOptions> = {}): Promise<FakeKiket> {
  const settings = settingsOf(options);
  const { limit, windowSeconds, runtimeHeader, pagination, port, now } = settings;
  const timestamp = (): string => new Date(now()).toISOString();

  const credentials = new Credentials(settings, now);
  const rateLimit = new RateLimit(limit, windowSeconds, now);
  const faults = new FaultBoard();
  const customData = new CustomData(pagination, timestamp);
  const slaEvents = new SlaEvents(timestamp);
  const intakeForms = new IntakeForms(now, timestamp);
  const issues = new Issues(timestamp);
  const secrets = new ExtensionSecrets();
  const journal = new Journal();
  const resources = [customData, slaEvents, intakeForms, issues, secrets, journal];
  const router = new Router([RATE_LIMIT, ...resources.flatMap(({ routes }) => routes)]);

  const requests: FakeKiketRequest[] = [];
  const server = new LoopbackServer(createService({ credentials, rateLimit, faults, router, requests, now }));
  const url = await server.listen(port);

  return {
    url,
    requests,
    get connections() {
      return { accepted: server.accepted, open: server.open };
    },
    eventLog: journal.eventLog,
    telemetry: journal.telemetry,
    callback({ scopes = ['*'], expiresInSeconds = 3600 } = {}) {
      stringsOption.read(scopes, 'callback', 'scopes');
      number({ min: 0, max: LONGEST_SECONDS }).read(expiresInSeconds, 'callback', 'expiresInSeconds');
      const granted = [...scopes];
      const { token, expiresAtMs } = credentials.grant(granted, expiresInSeconds);
      const expires_at = new Date(expiresAtMs).toISOString();
      return {
        authentication: { token_type: 'runtime', runtime_token: token, expires_at, scopes: granted },
        api: { base_url: url, runtime_header: runtimeHeader },
      };
    },
    addSlaEvent: (event = {}) => slaEvents.add(event),
    addIntakeForm: (form) => intakeForms.add(form),
    addIssue: (issue = {}) => issues.add(issue),
    addRecord(module, table, record, { projectId = 1 } = {}) {
      requireObject('addRecord', 'record', record);
      return customData.add(projectId, module, table, record);
    },
    setSecret: (extensionId, key, value) => secrets.set(extensionId, key, value),
    records: (module, table, { projectId, withDeleted = false } = {}) =>
      customData.records(module, table, projectId, withDeleted),
    fail: (fault) => faults.switchOn(fault),
    resetRateLimit: () => rateLimit.reset(),
    close: () => server.close(),
  };
}
