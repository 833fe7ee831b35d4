import type { Requests } from './requests';
import { segment } from './target';

/** Results are the parsed body of the answer: the contract does not say its shape. */
export interface KiketIntakeForms {
  list(options?: Readonly<KiketIntakeFormsOptions>): Promise<unknown>;
  get(key: string): Promise<unknown>;
  /** Counts of a form's submissions. `period` as the API knows it, e.g. `30d`. */
  stats(key: string, options?: { readonly period?: string | undefined }): Promise<unknown>;
  submissions(key: string): KiketIntakeSubmissions;
}

export interface KiketIntakeFormsOptions {
  active?: boolean | undefined;
  public?: boolean | undefined;
  limit?: number | undefined;
}

/** The submissions of one form. */
export interface KiketIntakeSubmissions {
  list(options?: Readonly<KiketIntakeSubmissionsOptions>): Promise<unknown>;
  get(id: string | number): Promise<unknown>;
  create(submission: { readonly data: object; readonly metadata?: object | undefined }): Promise<unknown>;
  approve(id: string | number, options?: { readonly notes?: string | undefined }): Promise<unknown>;
  reject(id: string | number, options?: { readonly notes?: string | undefined }): Promise<unknown>;
}

export interface KiketIntakeSubmissionsOptions {
  status?: string | undefined;
  /** A text as the API knows it, in ISO 8601. */
  since?: Date | string | undefined;
  limit?: number | undefined;
}

const FORMS = '/api/v1/ext/intake_forms';

export function intakeForms(api: Requests, projectId: number | undefined): KiketIntakeForms {
  const project = { project_id: projectId };
  const pathOf = (key: string): string => `${FORMS}/${segment('the key of the form', key)}`;
  return {
    list: async (options) => api.request('GET', FORMS, { query: { ...project, ...options } }),
    get: async (key) => api.request('GET', pathOf(key), { query: project }),
    stats: async (key, options) => api.request('GET', `${pathOf(key)}/stats`, { query: { ...project, ...options } }),
    submissions: (key) => submissions(api, `${pathOf(key)}/submissions`, project),
  };
}

function submissions(api: Requests, path: string, project: { project_id: number | undefined }): KiketIntakeSubmissions {
  const pathOf = (id: string | number): string => `${path}/${segment('the id of the submission', id)}`;
  return {
    list: async (options) => api.request('GET', path, { query: { ...project, ...options } }),
    get: async (id) => api.request('GET', pathOf(id), { query: project }),
    create: async ({ data, metadata }) => api.request('POST', path, { body: { ...project, data, metadata } }),
    approve: async (id, options) => api.request('POST', `${pathOf(id)}/approve`, { body: { ...project, ...options } }),
    reject: async (id, options) => api.request('POST', `${pathOf(id)}/reject`, { body: { ...project, ...options } }),
  };
}
