import { deny, NonRetryableError, RetryableError } from 'kiket-express';
import { sendSettled, type OpenedPage } from './page';
import { until } from './until';

/** Options of a local Kiket in which {@link useForAWhile} has an effect. */
export const USED = {
  schedule: 'contract',
  hooks: [
    { event: 'workflow.before_transition' },
    { event: 'issue.created' },
    { event: 'issue.transitioned' },
    { event: 'issue.commented', required: false },
    { event: 'comment.created' },
  ],
  secrets: { CRM_API_KEY: 'a value that nobody sees' },
  projectId: 27,
};

/** A morning of somebody who writes an extension: each state occurs. Returns the addresses of all views, by name. */
export async function useForAWhile({ kiket, extension }: OpenedPage): Promise<ReadonlyMap<string, string>> {
  const { deliveries, issues, faults } = kiket;
  issues.add({ id: 7, key: 'ISS-7', title: 'Invoices are sent twice', status: 'review', project_id: 27 });
  issues.add({ id: 8, key: 'ISS-8', title: 'Export is slow on Mondays', status: 'in_progress', project_id: 27 });
  issues.add({ id: 9, key: 'ISS-9', title: 'Write the release notes', status: 'open', project_id: 27 });

  extension.handle = async ({ api, event, payload: { issue } }) => {
    // A comment raises an event of its own.
    if (event === 'issue.created' && issue?.id === 7) await api.issues().comment(7, 'Added to the CRM');
    return { ok: true, issue: issue?.key };
  };
  for (const id of [7, 8, 9]) await sendSettled(kiket, { event: 'issue.created', set: { 'issue.id': id } });
  const accepted = await sendSettled(kiket, { event: 'issue.created', set: { 'issue.id': 7 } });
  await sendSettled(kiket, { event: 'issue.transitioned', set: { 'issue.id': 8 } });
  const forged = await sendSettled(kiket, {
    event: 'issue.created',
    set: { 'issue.id': 7 },
    options: { required: false },
    tamper: 'wrong-secret',
  });

  extension.handle = () => deny('Not before the review');
  await issues.transition(7, 'done');
  extension.handle = () => ({ status: 'pending', message: 'Ada has to approve it.' });
  await issues.transition(8, 'review');
  extension.handle = () => {
    throw new NonRetryableError('The contact has no e-mail address');
  };
  await sendSettled(kiket, { event: 'comment.created', set: { 'issue.id': 9 } });

  extension.handle = () => {
    throw new RetryableError('The CRM is busy');
  };
  const failing = deliveries.send({ event: 'issue.created', set: { 'issue.id': 9 } });
  deliveries.skipDelays(failing.id);
  await deliveries.wait(failing.id, 'settled', 20_000);
  faults.switchOn({ side: 'api', kind: 'rate-limit', times: 1 });
  const retrying = deliveries.send({ event: 'issue.created', set: { 'issue.id': 7 } });
  const waitsAfter = (attempts: number) => () => {
    const found = deliveries.find(retrying.id)!;
    return found.state === 'retrying' && found.attempts.length === attempts;
  };
  await until(waitsAfter(1), 'the first retry');
  deliveries.attemptNow(retrying.id);
  await until(waitsAfter(2), 'the second retry');

  return new Map([
    ['activity', '/'],
    ['delivery', `/d/${retrying.id}`],
    ['delivery-request', `/d/${accepted.id}?tab=request`],
    ['delivery-signature', `/d/${forged.id}?tab=signature`],
    ['delivery-calls', `/d/${accepted.id}?tab=calls`],
    ['delivery-diagnostics', `/d/${forged.id}?tab=diagnostics`],
    ['compare', `/compare?a=${accepted.id}&b=${forged.id}`],
    ['send', '/send'],
    ['issues', '/issues'],
    ['alerts', '/alerts'],
    ['api-calls', '/api-calls'],
    ['faults', '/faults'],
    ['check', '/check'],
    ['verify', '/verify'],
    ['settings', '/settings'],
  ]);
}

/** Opens a view, and waits until it has loaded all that it shows. */
export async function openView({ page, origin, isQuiet }: OpenedPage, path: string): Promise<void> {
  await page.goto(`${origin}${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.locator('.target').waitFor();
  await isQuiet();
}
