import type { Route } from '../route';
import { DELIVERY_ROUTES } from './deliveries';
import { SETTINGS_ROUTES } from './settings';
import { TOOL_ROUTES } from './tools';
import { VERIFY_ROUTES } from './verify';
import { WORKFLOW_ROUTES } from './workflow';

/** The control API, except for the stream. */
export const ROUTES: readonly Route[] = [
  ...DELIVERY_ROUTES,
  ...WORKFLOW_ROUTES,
  ...SETTINGS_ROUTES,
  ...TOOL_ROUTES,
  ...VERIFY_ROUTES,
];
