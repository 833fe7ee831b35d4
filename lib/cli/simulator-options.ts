import type { SimulatorOptions } from '../simulator/simulator-options';
import type { Project } from './project';

/** Returns the options of a local Kiket for a project. */
export function simulatorOptionsOf(project: Project, url: string): SimulatorOptions {
  const secrets = project.deliverySecrets.value.map(({ value }) => value);
  return {
    url,
    secret: secrets.length === 0 ? undefined : secrets,
    // Its secrets are among those of the project, if they are used.
    manifest: project.manifest && { ...project.manifest, secret: undefined, fallbackSecrets: {} },
    hooks: project.events.source === 'kiket.json' ? project.events.value.map(hookOf) : undefined,
    secrets: project.secrets.value,
    scheme: project.scheme.value,
    eventVersion: project.eventVersion.value,
    projectId: project.project.value,
    organizationId: project.organization.value,
    scopes: project.scopes.value,
    headers: project.headers.value,
    // `send` makes one attempt by default.
    schedule: project.schedule.source === 'default' ? undefined : project.schedule.value,
    timeoutMs: project.timeoutMs.value,
  };
}

function hookOf({ event, isRequired, endpoint, timeoutMs, retries }: Project['events']['value'][number]) {
  return { event, required: isRequired, endpoint, timeoutMs, retries };
}
