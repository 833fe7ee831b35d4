import type { KiketApi } from '../api/client';
import { nonEmptyString, type KiketId } from '../guards';

/** An intake form. Further fields have the names of the API, such as `form_url`. */
export interface IntakeForm {
  /** The id of the form. */
  id: KiketId;
  /** Unique in its project. */
  key: string;
  /** The name that users see. */
  name: string;
  /** An inactive form accepts no submissions. */
  active: boolean;
  /** True when the form can be opened without an account. */
  public: boolean;
  [field: string]: unknown;
}

/** A submission of an intake form. Further fields have the names of the API, such as `created_at`. */
export interface IntakeSubmission {
  /** The id of the submission. */
  id: KiketId;
  /** Such as `pending`. */
  status: string;
  /** The values, by field of the form. */
  data: Record<string, unknown>;
  [field: string]: unknown;
}

/** Counts of the submissions of an intake form, by the names of the API. */
export type IntakeFormStats = Record<string, unknown>;

/** Filters of a list of intake forms. */
export interface IntakeFormListOptions {
  /** Only active, or only inactive forms. Default both. */
  readonly active?: boolean | undefined;
  /** Only public, or only internal forms. Default both. */
  readonly publicOnly?: boolean | undefined;
  /** Largest number of forms in the response. Default that of the API. */
  readonly limit?: number | undefined;
}

/** Some intake forms. */
export interface IntakeFormListResponse {
  /** The forms. */
  data: IntakeForm[];
}

/** Filters of a list of submissions. */
export interface IntakeSubmissionListOptions {
  /** Only submissions with this status. Default all. */
  readonly status?: string | undefined;
  /** Largest number of submissions in the response. Default that of the API. */
  readonly limit?: number | undefined;
  /** Only submissions since then; a string is in ISO 8601. Default all. */
  readonly since?: Date | string | undefined;
}

/** Some submissions. */
export interface IntakeSubmissionListResponse {
  /** The submissions. */
  data: IntakeSubmission[];
}

/** Options of a new submission. */
export interface IntakeSubmissionCreateOptions {
  /** Facts about the submission, which are kept with it. Default none. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** `context.endpoints.intakeForms(projectId)`. Each call resolves to the parsed body, whose shape is not checked. */
export interface IntakeFormsClient {
  /** Lists the forms. */
  list(options?: IntakeFormListOptions): Promise<IntakeFormListResponse>;
  /** Fetches one form. */
  get(formKey: string): Promise<IntakeForm>;
  /** Returns the URL of a public form; `null` when the form is not public, or has no URL. */
  publicUrl(form: IntakeForm): string | null;
  /** Lists the submissions of a form. */
  listSubmissions(formKey: string, options?: IntakeSubmissionListOptions): Promise<IntakeSubmissionListResponse>;
  /** Fetches one submission. */
  getSubmission(formKey: string, submissionId: KiketId): Promise<IntakeSubmission>;
  /** Submits a form. */
  createSubmission(
    formKey: string,
    data: Readonly<Record<string, unknown>>,
    options?: IntakeSubmissionCreateOptions,
  ): Promise<IntakeSubmission>;
  /** Approves a submission. */
  approveSubmission(formKey: string, submissionId: KiketId, notes?: string): Promise<IntakeSubmission>;
  /** Rejects a submission. */
  rejectSubmission(formKey: string, submissionId: KiketId, notes?: string): Promise<IntakeSubmission>;
  /** Counts the submissions of a form in `period`, e.g. `30d`. */
  stats(formKey: string, period?: string): Promise<IntakeFormStats>;
}

export function createIntakeForms(api: KiketApi, projectId: KiketId): IntakeFormsClient {
  const forms = api.intakeForms(projectId);
  return {
    list: async ({ active, publicOnly, limit } = {}) =>
      (await forms.list({ active, public: publicOnly, limit })) as IntakeFormListResponse,
    get: async (key) => (await forms.get(key)) as IntakeForm,
    publicUrl,
    listSubmissions: async (key, { status, limit, since } = {}) =>
      (await forms.submissions(key).list({ status, limit, since })) as IntakeSubmissionListResponse,
    getSubmission: async (key, id) => (await forms.submissions(key).get(id)) as IntakeSubmission,
    createSubmission: async (key, data, { metadata } = {}) =>
      (await forms.submissions(key).create({ data, metadata })) as IntakeSubmission,
    approveSubmission: async (key, id, notes) =>
      (await forms.submissions(key).approve(id, { notes })) as IntakeSubmission,
    rejectSubmission: async (key, id, notes) =>
      (await forms.submissions(key).reject(id, { notes })) as IntakeSubmission,
    stats: async (key, period) => (await forms.stats(key, { period })) as IntakeFormStats,
  };
}

/** The API sends `form_url`, which the types of the SDK name `formUrl`. */
export function publicUrl(form: IntakeForm): string | null {
  if (!form.public) return null;
  return nonEmptyString(form['form_url']) ?? nonEmptyString(form['formUrl']) ?? null;
}
