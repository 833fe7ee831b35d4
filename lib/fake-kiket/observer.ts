import type { FakeKiketRequest } from './fake-kiket';
import type { FakeKiketComment, FakeKiketIssue } from './issue-store';

/** Watches a fake, and carries out the transitions of its API. */
export interface FakeKiketObserver {
  /** Called when a request has got its response, or its client has left. */
  readonly onRequest: (request: FakeKiketRequest) => void;
  /** Called when a request has added a comment. */
  readonly onComment: (comment: FakeKiketComment, request: FakeKiketRequest) => void;
  /** Moves an issue to another state. Rejects with a RequestError, which is sent, where the issue must not move. */
  readonly transition: (issue: FakeKiketIssue, to: string, request: FakeKiketRequest) => Promise<FakeKiketIssue>;
}
