import { isEventPattern } from '../../../delivery/event-pattern';
import { KIKET_EVENTS } from '../../../delivery/known-events';
import { isGuardEvent } from '../../../delivery/reply';
import { violationsBy } from '../../../delivery/schema';
import { validateContract } from '../../../delivery/validate-contract';
import { renderPayload } from '../../../sending/render';
import { TAMPERINGS } from '../../../sending/tamper';
import { InputError } from '../../local-kiket';
import type { EventList, StartedCheck, TamperingList, Template, Validation } from '../messages';
import { found, route, type Route } from '../route';

/** Help for writing a delivery, and the conformance cases. */
export const TOOL_ROUTES: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/events',
    summary: 'Lists the events: those of the manifest first, then all',
    status: 200,
    result: 'EventList',
    run(_call, { kiket }): EventList {
      const { hooks } = kiket.settings.read();
      const subscribed = hooks.map(({ event, isGuard }) => ({ event, isSubscribed: true, isGuard }));
      const others = KIKET_EVENTS.filter((event) => !hooks.some((hook) => hook.event === event));
      return {
        events: [
          ...subscribed,
          ...others.map((event) => ({ event, isSubscribed: false, isGuard: isGuardEvent(event) })),
        ],
      };
    },
  }),
  route({
    method: 'get',
    path: '/api/templates/:event',
    summary: 'Returns an example of an event',
    query: {
      envelope: {
        description: 'Where the fields of the event are. Default that of the settings.',
        schema: { type: 'string', enum: ['contract', 'data'] },
      },
    },
    status: 200,
    result: 'Template',
    failures: [404],
    run({ params, query }, { kiket }): Template {
      const event = params['event']!;
      if (!isEventPattern(event) || /[*@]/.test(event)) {
        throw new InputError(404, `${JSON.stringify(event)} is not the name of an event`);
      }
      const { eventVersion, projectId, organizationId, envelope } = kiket.settings.read();
      return {
        payload: renderPayload(event, {
          envelope: (query['envelope'] as 'contract' | 'data' | undefined) ?? envelope,
          eventVersion,
          projectId,
          organizationId,
          secrets: {},
          missing: [],
          callback: undefined,
        }),
      };
    },
  }),
  route({
    method: 'get',
    path: '/api/tamperings',
    summary: 'Lists the tamperings',
    status: 200,
    result: 'TamperingList',
    run: (): TamperingList => ({ tamperings: TAMPERINGS.map(({ name, imitates }) => ({ name, imitates })) }),
  }),
  route({
    method: 'post',
    path: '/api/validate',
    summary: "Compares a payload with the contract's schema",
    body: 'ValidationInput',
    status: 200,
    result: 'Validation',
    run: ({ body }): Validation => ({
      problems: violationsBy(validateContract, body.payload).map(({ pointer = '', reason }) => ({
        pointer,
        message: reason,
      })),
    }),
  }),
  route({
    method: 'post',
    path: '/api/check',
    summary: 'Runs the conformance cases against the receiver, where they have effects',
    body: 'CheckInput',
    status: 202,
    result: 'StartedCheck',
    failures: [409],
    run: ({ body }, { checks }): StartedCheck => ({ run: checks.start(body) }),
  }),
  route({
    method: 'get',
    path: '/api/check/:run',
    summary: 'Returns how far the newest run has come, and its result',
    status: 200,
    result: 'CheckProgress',
    failures: [404],
    run: ({ params }, { checks }) => found(checks.find(params['run']!), 'such run; only the newest is kept'),
  }),
];
