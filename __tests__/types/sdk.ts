// Handlers as they are written for the platform's SDK: only the name of the package in the import is another one.

/* eslint-disable @typescript-eslint/require-await */

import express from 'express';
import { kiketEvents, kiketHandler } from 'kiket-express';
import {
  allow,
  deny,
  fromSdk,
  sdkRouter,
  type AuthenticationContext,
  type CustomDataClient,
  type ExtensionEndpoints,
  type ExtensionSecretManager,
  type HandlerContext,
  type Headers,
  type IntakeForm,
  type KiketClient,
  type RequestOptions,
  type ScopeChecker,
  type Settings,
  type WebhookHandler,
  type WebhookPayload,
} from 'kiket-express/sdk';
import { exactly } from './exactly';

interface Issue {
  id: number;
  title: string;
  project_id: number;
}

interface CreatedPayload extends WebhookPayload {
  issue: Issue;
}

const created = async (payload: WebhookPayload, context: HandlerContext) => {
  const issue = payload.issue as Issue;
  const headers: Readonly<Headers> = context.headers;
  const invocation: string = headers['x-kiket-invocation'] ?? '';
  const settings: Readonly<Settings> = context.settings;
  const limit = (settings.limit as number | undefined) ?? 10;
  const token: string | undefined = context.secret('CRM_TOKEN');
  const sent: Readonly<Record<string, string>> = context.payloadSecrets;
  const contacts: CustomDataClient = context.endpoints.customData(issue.project_id);
  const { data } = await contacts.list('com.acme.crm', 'contacts', { limit, filters: { active: true } });
  await contacts.update('com.acme.crm', 'contacts', 7, { email: data[0]?.email });
  await context.endpoints.logEvent('contact.updated', { invocation, hasToken: token !== undefined || 'A' in sent });
  return { ok: true, email: data[0]?.email };
};

const authorized: WebhookHandler = async (_payload, context) => {
  const auth: AuthenticationContext = context.auth;
  const check: ScopeChecker = context.requireScopes;
  check('issues.read', ...auth.scopes);
  const expires: string | null = auth.expiresAt;
  return { token: auth.runtimeToken.length, type: auth.tokenType.toUpperCase(), expires };
};

const calling: WebhookHandler<CreatedPayload, { title: string }> = async ({ issue }, { client }) => {
  const api: KiketClient = client;
  const options: RequestOptions = { headers: { 'X-Trace': 'a' }, timeout: 2_000, params: { include: 'labels' } };
  const found = await api.get<{ title: string }>(`/api/v1/ext/issues/${issue.id}`, options);
  await api.patch(`/api/v1/ext/issues/${issue.id}`, { issue: { title: found.title.trim() } });
  await api.post('/api/v1/ext/issues', { issue: { title: found.title } }, { timeout: 1_000 });
  await api.put('/api/v1/ext/issues/7', {});
  await api.delete('/api/v1/ext/issues/7');
  await api.close();
  return { title: found.title };
};

async function secretsOf({ secrets, endpoints }: HandlerContext): Promise<string[]> {
  const manager: ExtensionSecretManager = endpoints.secrets;
  const value: string | null = await secrets.get('CRM_TOKEN');
  if (value === null) await manager.set('CRM_TOKEN', 'a');
  await manager.rotate('CRM_TOKEN', 'b');
  await manager.delete('CRM_TOKEN');
  return manager.list();
}

async function formsOf(endpoints: ExtensionEndpoints): Promise<string | null> {
  const forms = endpoints.intakeForms('proj_27');
  const { data } = await forms.list({ active: true, publicOnly: true, limit: 5 });
  const form: IntakeForm = await forms.get(data[0]!.key);
  const submission = await forms.createSubmission(form.key, { name: 'Ann' }, { metadata: { source: 'mail' } });
  await forms.listSubmissions(form.key, { since: new Date(), status: 'pending' });
  await forms.approveSubmission(form.key, submission.id, 'ok');
  await forms.rejectSubmission(form.key, submission.id);
  await forms.stats(form.key, '30d');
  return forms.publicUrl(form);
}

const plain = (_payload: WebhookPayload, context: HandlerContext): void => {
  const versions: [string, string, string | undefined, string | undefined] = [
    context.event,
    context.eventVersion,
    context.extensionId,
    context.extensionVersion,
  ];
  void versions;
};

const limits = async (_payload: WebhookPayload, { endpoints }: HandlerContext) => {
  const { limit, remaining, windowSeconds, resetIn } = await endpoints.rateLimit();
  const { data } = await endpoints.slaEvents(27).list({ issueId: 7, state: 'breached', limit: 5 });
  await endpoints.slaEvents(27).list({ caseId: 'CASE-7' });
  await endpoints.notify('Limit', 'Almost reached', 'warning');
  exactly<unknown>()(await endpoints.getMetadata());
  return { left: remaining / limit, windowSeconds, resetIn, issues: data.map(({ issue_id: id }) => id) };
};

const guard = async (payload: WebhookPayload) =>
  payload.reason === undefined ? deny('A reason is missing') : allow({ data: { checked: true } });

// Unchanged handlers in each place.
kiketHandler('issue.created', fromSdk(created));
kiketHandler('issue.created', fromSdk(authorized, { settings: { limit: 1 }, extensionId: 'com.acme' }));
kiketEvents()
  .on('issue.created@v1', fromSdk(created))
  .on('issue.*', fromSdk(calling))
  .on('workflow.before_transition', fromSdk(guard))
  .on(['issue.updated', 'vendor.any'], { scopes: ['issues.read'] }, fromSdk(plain))
  .otherwise(fromSdk(limits));
kiketHandler(
  'issue.created',
  fromSdk((payload, context) => {
    exactly<WebhookPayload>()(payload);
    exactly<HandlerContext>()(context);
  }),
);

const sdk = sdkRouter({ manifest: { id: 'com.acme', version: '1.2.0', settings: { limit: 5 }, hooks: [] } as object });
const same: typeof calling = sdk.webhook('issue.created', 'v1', ['issues.read'])(calling);
void same;
sdk.webhook(
  'issue.updated',
  'v1',
)(async (payload, context) => {
  exactly<WebhookPayload>()(payload);
  return { secrets: await secretsOf(context), url: await formsOf(context.endpoints) };
});
sdk.register('workflow.before_transition', guard, 'v1').register('issue.assigned', authorized, '2', ['issues.read']);
sdk.load({ created });
express().post(['/webhooks/:event', '/v/:version/webhooks/:event'], sdk, (req) => void req.kiket?.event);

// @ts-expect-error a guard event needs a decision
kiketHandler('workflow.before_transition', fromSdk(created));
// @ts-expect-error also where the result is not known
kiketHandler('workflow.before_transition', fromSdk(authorized));
// @ts-expect-error it is a function
fromSdk({ created });
// @ts-expect-error an unknown option
fromSdk(created, { extensionID: 'com.acme' });
// @ts-expect-error the version is required
sdk.register('issue.created', created);
// @ts-expect-error a list
sdk.webhook('issue.created', 'v1', 'issues.read');
// @ts-expect-error a key of a project
sdk.register('issue.created', (_payload, { endpoints }) => endpoints.customData({ id: 27 }), 'v1');
// @ts-expect-error not to be changed
sdk.registered = [];
