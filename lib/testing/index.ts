export { signDelivery, type SignDeliveryOptions } from './sign-delivery';
export { startFakeKiket } from './fake-kiket/start-fake-kiket';
export type { FakeKiket, FakeKiketCallback, FakeKiketRequest } from './fake-kiket/fake-kiket';
export type { FakeKiketOptions } from './fake-kiket/fake-options';
export type { FakeKiketFault, FakeKiketFaultTarget } from './fake-kiket/faults';
export type { FakeKiketIntakeForm } from './fake-kiket/intake-store';
export type { FakeKiketIssue } from './fake-kiket/issue-store';
export type { FakeKiketRecord } from './fake-kiket/record-store';
export type { FakeKiketSlaEvent } from './fake-kiket/sla-event-store';
