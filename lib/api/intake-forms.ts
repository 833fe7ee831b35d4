import type { Requests } from './requests';
import { segment } from './target';
import type { KiketId } from '../guards';

/** Intake forms of a project. Results are the parsed body of the response, whose shape Kiket does not document. */
export interface KiketIntakeForms {
  /** Lists the forms. */
  list(options?: Readonly<KiketIntakeFormsOptions>): Promise<unknown>;
  /** One form. */
  get(key: string): Promise<unknown>;
  /** Counts the submissions of a form in a period. */
  stats(
    key: string,
    options?: {
      /** The period up to now, e.g. `30d`. Default that of the API. */
      readonly period?: string | undefined;
    },
  ): Promise<unknown>;
  /** The submissions of one form. */
  submissions(key: string): KiketIntakeSubmissions;
}

/** Filters of a list of forms. */
export interface KiketIntakeFormsOptions {
  /** Only active, or only inactive forms. Default both. */
  active?: boolean | undefined;
  /** Only public, or only internal forms. Default both. */
  public?: boolean | undefined;
  /** Largest number of forms in the response. Default that of the API. */
  limit?: number | undefined;
}

/** The submissions of one form. */
export interface KiketIntakeSubmissions {
  /** Lists the submissions. */
  list(options?: Readonly<KiketIntakeSubmissionsOptions>): Promise<unknown>;
  /** One submission. */
  get(id: string | number): Promise<unknown>;
  /** Submits the form. */
  create(submission: {
    /** The values of the form, by the key of the field. */
    readonly data: object;
    /** Facts about the submission that are not values of the form. Default none. */
    readonly metadata?: object | undefined;
  }): Promise<unknown>;
  /** Approves a submission. */
  approve(
    id: string | number,
    options?: {
      /** The reason, for the people who see the submission. Default none. */
      readonly notes?: string | undefined;
    },
  ): Promise<unknown>;
  /** Rejects a submission. */
  reject(
    id: string | number,
    options?: {
      /** The reason, for the people who see the submission. Default none. */
      readonly notes?: string | undefined;
    },
  ): Promise<unknown>;
}

/** Filters of a list of submissions. */
export interface KiketIntakeSubmissionsOptions {
  /** Only submissions with this status. Default all. */
  status?: string | undefined;
  /** Only submissions since then; a string is in ISO 8601. Default all. */
  since?: Date | string | undefined;
  /** Largest number of submissions in the response. Default that of the API. */
  limit?: number | undefined;
}

const FORMS = '/api/v1/ext/intake_forms';

export function intakeForms(api: Requests, projectId: KiketId | undefined): KiketIntakeForms {
  const project = { project_id: projectId };
  const pathOf = (key: string): string => `${FORMS}/${segment('the key of the form', key)}`;
  return {
    list: async (options) => api.request('GET', FORMS, { query: { ...project, ...options } }),
    get: async (key) => api.request('GET', pathOf(key), { query: project }),
    stats: async (key, options) => api.request('GET', `${pathOf(key)}/stats`, { query: { ...project, ...options } }),
    submissions: (key) => submissions(api, `${pathOf(key)}/submissions`, project),
  };
}

function submissions(
  api: Requests,
  path: string,
  project: { project_id: KiketId | undefined },
): KiketIntakeSubmissions {
  const pathOf = (id: string | number): string => `${path}/${segment('the id of the submission', id)}`;
  return {
    list: async (options) => api.request('GET', path, { query: { ...project, ...options } }),
    get: async (id) => api.request('GET', pathOf(id), { query: project }),
    create: async ({ data, metadata }) => api.request('POST', path, { body: { ...project, data, metadata } }),
    approve: async (id, options) => api.request('POST', `${pathOf(id)}/approve`, { body: { ...project, ...options } }),
    reject: async (id, options) => api.request('POST', `${pathOf(id)}/reject`, { body: { ...project, ...options } }),
  };
}
