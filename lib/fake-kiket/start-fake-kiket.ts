import { number, requireObject } from '../options';
import { Callers, INSTALLATION } from './callers';
import { ExtensionStore } from './extension-store';
import { createFakeApp } from './fake-app';
import type { FakeKiket, FakeKiketRequest } from './fake-kiket';
import { settingsOf, stringsOption, type FakeKiketOptions } from './fake-options';
import { ActiveFaults, type ActiveFault, type FakeKiketFault } from './faults';
import { InboundStore } from './inbound-store';
import { IntakeStore } from './intake-store';
import { IssueStore } from './issue-store';
import { LoopbackServer } from './loopback-server';
import { MemberStore } from './member-store';
import type { FakeKiketObserver } from './observer';
import { RateLimiter } from './rate-limiter';
import { RecordStore } from './record-store';
import type { Stores } from './routes';
import { SlaEventStore } from './sla-event-store';

/** A century: the sum with the current time must still be a date. */
const MAX_SECONDS = 3_155_760_000;

/**
 * Starts a server on 127.0.0.1 that behaves as Kiket's API does, in memory. Close it when the test is done.
 *
 * Rejects with a `TypeError` when an option is invalid or unknown, and with the server's error when the port is taken.
 *
 * @example const fake = await startFakeKiket(); app.post('/kiket', kiket({ secret, api: { baseUrl: fake.url } }), handler);
 */
export async function startFakeKiket(options: Readonly<FakeKiketOptions> = {}): Promise<FakeKiket> {
  return (await startObservedFake(options)).kiket;
}

/** A fake, with what only its owner may do. */
export interface ObservedFake {
  readonly kiket: FakeKiket;
  readonly stores: Stores;
  /** As `kiket.fail`, with the number of times that are left. */
  switchOn(fault: FakeKiketFault): ActiveFault;
  /** Of the installation. */
  rateLimit(): { readonly limit: number; readonly remaining: number; readonly resetSeconds: number };
}

/**
 * As {@link startFakeKiket}.
 *
 * @param observe returns the observer. Default: transitions are carried out.
 * @param mostRequests how many requests `kiket.requests` keeps, the newest ones. Default all.
 */
export async function startObservedFake(
  options: Readonly<FakeKiketOptions>,
  observe: (stores: Stores) => FakeKiketObserver = plainObserver,
  mostRequests = Infinity,
): Promise<ObservedFake> {
  const settings = settingsOf(options);
  const { limit, windowSeconds, runtimeHeader, port, now } = settings;
  const timestamp = (): string => new Date(now()).toISOString();

  const callers = new Callers(settings, now);
  const rateLimiter = new RateLimiter(limit, windowSeconds, now);
  const faults = new ActiveFaults();
  const stores = {
    records: new RecordStore(timestamp),
    slaEvents: new SlaEventStore(timestamp),
    intake: new IntakeStore(now, timestamp),
    issues: new IssueStore(timestamp),
    members: new MemberStore(),
    inbound: new InboundStore(),
    extensions: new ExtensionStore(),
  };
  const { records, slaEvents, intake, issues, members, inbound, extensions } = stores;
  const requests: FakeKiketRequest[] = [];
  const onArrival = (request: FakeKiketRequest): void => {
    requests.push(request);
    if (requests.length > mostRequests) requests.shift();
  };

  // Loaded here, because signDelivery stands in the same entry and needs no Express.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const express = require('express') as typeof import('express');
  const observer = observe(stores);
  const server = new LoopbackServer(
    createFakeApp(express, { callers, rateLimiter, faults, stores, onArrival, observer, now }),
  );
  const url = await server.listen(port);

  const kiket: FakeKiket = {
    url,
    requests,
    get connections() {
      return { accepted: server.accepted, open: server.open };
    },
    eventLog: extensions.eventLog,
    telemetry: extensions.telemetry,
    logs: extensions.logs,
    metrics: extensions.metrics,
    notifications: extensions.notifications,
    comments: issues.comments,
    inboundEmails: inbound.emails,
    callback({ scopes = ['*'], expiresInSeconds = 3600 } = {}) {
      stringsOption.read(scopes, 'callback', 'scopes');
      number({ min: 0, max: MAX_SECONDS }).read(expiresInSeconds, 'callback', 'expiresInSeconds');
      const granted = [...scopes];
      const { token, expiresAtMs } = callers.grant(granted, expiresInSeconds);
      const expires_at = new Date(expiresAtMs).toISOString();
      return {
        authentication: { token_type: 'runtime', runtime_token: token, expires_at, scopes: granted },
        api: { base_url: url, runtime_header: runtimeHeader },
      };
    },
    addSlaEvent: (event = {}) => slaEvents.add(event),
    addIntakeForm: (form) => intake.add(form),
    addIssue: (issue = {}) => issues.add(issue),
    addComment: (comment = {}) => issues.addComment(comment),
    addMember: (member = {}) => members.add(member),
    addRecord(module, table, record, { projectId = 1 } = {}) {
      requireObject('addRecord', 'record', record);
      return records.add(projectId, { module, table }, record);
    },
    setSecret: (extensionId, key, value) => extensions.setSecret(extensionId, key, value),
    records: (module, table, { projectId, withDeleted = false } = {}) =>
      records.records({ module, table }, projectId, withDeleted),
    fail: (fault) => faults.switchOn(fault).switchOff,
    resetRateLimit: () => rateLimiter.reset(),
    close: () => server.close(),
  };
  return {
    kiket,
    stores,
    switchOn: (fault) => faults.switchOn(fault),
    rateLimit: () => rateLimiter.peek(INSTALLATION),
  };
}

function plainObserver({ issues }: Stores): FakeKiketObserver {
  return {
    onRequest: () => {},
    onComment: () => {},
    transition: (issue, to) => Promise.resolve(issues.move(issue, to)),
  };
}
