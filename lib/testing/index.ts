export {
  deliver,
  type DeliverTestOptions,
  type DeliveryAttemptResult,
  type DeliveryResult,
  type SignedDelivery,
} from './deliver';
export { explainSignature, type ExplainedDelivery, type ExplainSignatureOptions } from './explain';
export type { BodyDifference, SignatureCause, SignatureExplanation } from '../explain/explain';
export { checkReceiver, type CheckReceiverOptions } from '../conformance/check-receiver';
export type { CheckedCase, CheckFinding, CheckOutcome, CheckReport, CheckSummary } from '../conformance/report';
export type { CheckGroup } from '../conformance/case';
export type { CheckSeverity } from '../conformance/severity';
export { describeStoreContract, type StoreContractOptions } from './store-contract/describe-store-contract';
export { signDelivery, type SignDeliveryOptions } from '../sending/sign-delivery';
export { startFakeKiket } from '../fake-kiket/start-fake-kiket';
export type { FakeKiket, FakeKiketCallback, FakeKiketRequest } from '../fake-kiket/fake-kiket';
export type { FakeKiketOptions } from '../fake-kiket/fake-options';
export type { FakeKiketFault, FakeKiketFaultTarget } from '../fake-kiket/faults';
export type { FakeKiketIntakeForm } from '../fake-kiket/intake-store';
export type { FakeKiketComment, FakeKiketIssue } from '../fake-kiket/issue-store';
export type { FakeKiketMember } from '../fake-kiket/member-store';
export type { FakeKiketRecord } from '../fake-kiket/record-store';
export type { FakeKiketSlaEvent } from '../fake-kiket/sla-event-store';
export { examplePayload, type ExamplePayloadOptions } from '../sending/example-payload';
