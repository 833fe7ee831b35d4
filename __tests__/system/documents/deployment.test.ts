import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KiketMemoryStore } from 'kiket-express';
import request from 'supertest';
import { parse, parseAllDocuments } from 'yaml';
import { createApp } from '../../../examples/deployment';
import { deliver, secret } from '../../support/deliver';
import { stagesOf, type Instruction } from '../../support/dockerfile';
import { blocksOf } from '../../support/markdown';
import { describeWithPostgres, startPostgres } from '../../support/postgres-server';
import { describeWithRedisServer, startRedis } from '../../support/redis-server';

const folder = resolve(__dirname, '../../../examples/deployment');
const read = (file: string): string => readFileSync(resolve(folder, file), 'utf8');

/** Seconds that kiketShutdown takes at most, with its default: `timeoutMs`, and 3 s more as its doc comment demands. */
const SHUTDOWN_SECONDS = 13;

/** Kiket's largest delivery. */
const LARGEST_BYTES = 500_000;

const sources = read('index.ts');
/** The environment variables that the example reads. */
const variables = /const \{ (.+) \} = process\.env/
  .exec(sources)![1]!
  .split(', ')
  .map((binding) => binding.split(' ')[0]!);
const required = variables.filter((name) => name !== 'PORT');

const createTestApp = () => createApp(secret, new KiketMemoryStore(), () => Promise.resolve(7));

describe('examples/deployment', () => {
  it('should handle a delivery once', async () => {
    let calls = 0;
    const app = createApp(secret, new KiketMemoryStore(), () => Promise.resolve(++calls));
    const payload = { event: 'issue.created', issue: { id: 7 } };
    await deliver(app, payload, { invocationId: 'one' }).expect(200, { ok: true, note: '1 issues so far' });
    await deliver(app, payload, { invocationId: 'one' }).expect(200).expect('Kiket-Replayed', 'true');
    expect(calls).toBe(1);
  });

  it('should be ready only while the store responds, and live without it', async () => {
    const store = new KiketMemoryStore();
    const app = createApp(secret, store, () => Promise.resolve(7));
    await request(app).get('/ready').expect(200);
    store.release = () => Promise.reject(new Error('unreachable'));
    await request(app).get('/ready').expect(503);
    await request(app).get('/live').expect(200);
  });

  it('should read the environment variables that its README lists', () => {
    const listed = [...read('README.md').matchAll(/^\| `(\w+)`/gm)].map((match) => match[1]);
    expect(listed).toEqual(variables);
  });

  it('should keep idle connections longer than nginx does', () => {
    const keptMs = Number(/keepAliveTimeout = ([\d_]+)/.exec(sources)![1]!.replaceAll('_', ''));
    expect(keptMs).toBeGreaterThan(60_000);
  });
});

describe('the Dockerfile', () => {
  const stages = stagesOf(read('Dockerfile'));
  const final = stages.at(-1)!;
  const all = stages.flatMap(({ instructions }) => instructions);
  const valuesOf = (name: string, instructions: readonly Instruction[]): string[] =>
    instructions.filter((each) => each.name === name).map(({ value }) => value);
  const indexOf = (pattern: RegExp): number =>
    stages[0]!.instructions.findIndex(({ name, value }) => pattern.test(`${name} ${value}`));

  it('should have known instructions only', () => {
    const known = ['WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'CMD'];
    expect(all.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('should name a major version of each base image', () => {
    for (const { base } of stages) expect(base).toMatch(/^[a-z]+:\d+-slim$/);
    expect(new Set(stages.map(({ base }) => base)).size).toBe(1);
  });

  it('should start node itself, which gets the signals', () => {
    expect(valuesOf('CMD', final.instructions).map((value) => JSON.parse(value) as unknown)).toEqual([
      ['node', 'dist/index.js'],
    ]);
  });

  it('should not run as root', () => {
    const [user] = valuesOf('USER', final.instructions);
    expect(user).toBe('node');
    const names = final.instructions.map(({ name }) => name);
    expect(names.lastIndexOf('USER')).toBeLessThan(names.indexOf('CMD'));
  });

  it('should have absolute working directories, and no cd, sudo or ADD', () => {
    for (const directory of valuesOf('WORKDIR', all)) expect(directory).toMatch(/^\//);
    for (const command of valuesOf('RUN', all)) expect(command).not.toMatch(/\b(cd|sudo|npm install|npm i)\b/);
  });

  it('should install what the lock file says before it copies the sources', () => {
    const order = [/^COPY package\.json package-lock\.json /, /^RUN npm ci/, /^COPY .*\.ts /, /^RUN npm run build/];
    const found = order.map(indexOf);
    expect(found.every((index) => index >= 0)).toBe(true);
    expect(found).toEqual([...found].sort((a, b) => a - b));
  });

  it('should run in production without the packages of the build', () => {
    expect(valuesOf('ENV', final.instructions)).toEqual(['NODE_ENV=production']);
    expect(valuesOf('RUN', stages[0]!.instructions).join()).toContain('npm prune --omit=dev');
    for (const copied of valuesOf('COPY', final.instructions)) expect(copied).toMatch(/^--from=build /);
  });

  it('should contain no variable of the environment', () => {
    expect(required.filter((name) => read('Dockerfile').includes(name))).toEqual([]);
    expect(read('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['.env', '.git', 'node_modules']));
  });

  it('should have the Node of the types', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    expect(final.base).toBe(`node:${/\d+/.exec(devDependencies['@types/node']!)![0]}-slim`);
  });
});

interface Compose {
  readonly services: Record<string, ComposeService>;
  readonly volumes: Record<string, unknown>;
}

interface ComposeService {
  readonly image?: string;
  readonly command?: string;
  readonly ports?: string[];
  readonly environment?: Record<string, string>;
  readonly depends_on?: Record<string, { condition: string }>;
  readonly volumes?: string[];
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
}

describe('compose.yaml', () => {
  const { services, volumes } = parse(read('compose.yaml')) as Compose;
  const { extension, redis, postgres } = services;

  it('should start the extension once the services on which it depends are healthy', () => {
    const names = Object.keys(extension!.depends_on!);
    expect(names.sort()).toEqual(
      Object.keys(services)
        .filter((name) => name !== 'extension')
        .sort(),
    );
    for (const name of names) {
      expect(extension!.depends_on![name]).toEqual({ condition: 'service_healthy' });
      expect(services[name]!.healthcheck).toBeDefined();
    }
  });

  it('should set the variables that the extension reads, to services that exist', () => {
    const environment = extension!.environment!;
    expect(Object.keys(environment)).toEqual(required);
    const hosts = [environment['REDIS_URL']!, environment['DATABASE_URL']!.replace(/\$\{.*?\}/, 'password')].map(
      (url) => new URL(url).hostname,
    );
    expect(hosts).toEqual(['redis', 'postgres']);
    for (const name of hosts) expect(services).toHaveProperty(name);
  });

  it('should have one password, user and database for both sides', () => {
    const { POSTGRES_USER, POSTGRES_DB, POSTGRES_PASSWORD } = postgres!.environment!;
    expect(extension!.environment!['DATABASE_URL']).toBe(
      `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`,
    );
  });

  it('should have no secret in the file', () => {
    expect(extension!.environment!['KIKET_WEBHOOK_SECRET']).toMatch(/^\$\{KIKET_WEBHOOK_SECRET:\?/);
    expect(postgres!.environment!['POSTGRES_PASSWORD']).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
  });

  it('should give kiketShutdown its time', () => {
    expect(extension!.stop_grace_period).toMatch(/^\d+s$/);
    expect(parseInt(extension!.stop_grace_period!)).toBeGreaterThanOrEqual(SHUTDOWN_SECONDS);
  });

  it('should publish the port on which the extension listens', () => {
    const [, port] = /PORT = (\d+)/.exec(sources)!;
    expect(extension!.ports).toEqual([`${port}:${port}`]);
    expect(read('Dockerfile')).toContain(`EXPOSE ${port}\n`);
  });

  it('should name a major version of each image, and volumes that it declares', () => {
    for (const { image } of [redis!, postgres!]) expect(image).toMatch(/^[a-z]+:\d+-alpine$/);
    const mounted = Object.values(services).flatMap((service) =>
      (service.volumes ?? []).map((each) => each.split(':')[0]!),
    );
    expect(mounted.filter((name) => !name.startsWith('./'))).toEqual(Object.keys(volumes));
    for (const file of mounted.filter((name) => name.startsWith('./'))) expect(read(file)).not.toBe('');
  });

  describeWithRedisServer('the command of Redis', () => {
    it('should start one that evicts nothing and writes to disk', async () => {
      const [program, ...words] = redis!.command!.split(' ');
      expect(program).toBe('redis-server');
      const settings = Object.fromEntries(
        words.flatMap((word, i) => (word.startsWith('--') ? [[word.slice(2), words[i + 1]!]] : [])),
      );
      const server = await startRedis({ settings });
      expect(await server.send('CONFIG', 'GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      expect(await server.send('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    });
  });

  describeWithPostgres('schema.sql', () => {
    it('should create the tables that the extension uses', async () => {
      const server = await startPostgres();
      await server.query(read('schema.sql'));
      const [, insert] = /'(INSERT INTO [^']+)'/.exec(sources)!;
      const [, count] = /'(SELECT [^']+)'/.exec(sources)!;
      for (const id of ['7', '8', '7']) await server.query(insert!, [id]);
      expect(await server.query(count!)).toEqual([{ count: '2' }]);
    });
  });
});

/** The members that are used. */
interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number };
  readonly containers: {
    readonly image: string;
    readonly ports: { readonly name: string; readonly containerPort: number }[];
    readonly envFrom: { readonly secretRef: { readonly name: string } }[];
    readonly resources: Record<'requests' | 'limits', Record<string, string>>;
    readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: string[] } } };
    readonly startupProbe: Probe;
    readonly livenessProbe: Probe;
    readonly readinessProbe: Probe;
  }[];
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly timeoutSeconds?: number;
}

/** Members of a resource, for a test that names one by its kind. */
type Members<T> = { readonly spec: T };

describe('kubernetes.yaml', () => {
  const resources = parseAllDocuments(read('kubernetes.yaml')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Resource;
  });
  function specOf<T>(kind: string): T {
    return (resources.find((each) => each.kind === kind) as unknown as Members<T>).spec;
  }
  const deployment = specOf<{
    readonly replicas: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec };
  }>('Deployment');
  const service = specOf<{ selector: object; ports: { name: string; port: number; targetPort: string }[] }>('Service');
  const budget = specOf<{ minAvailable: number; selector: { matchLabels: object } }>('PodDisruptionBudget');
  const ingress = specOf<{
    tls: { hosts: string[] }[];
    rules: {
      host: string;
      http: { paths: { path: string; backend: { service: { name: string; port: { name: string } } } }[] };
    }[];
  }>('Ingress');
  const pod = deployment.template.spec;
  const container = pod.containers[0]!;

  it('should have the current version of each kind', () => {
    expect(resources.map(({ apiVersion, kind }) => [apiVersion, kind])).toEqual([
      ['apps/v1', 'Deployment'],
      ['v1', 'Service'],
      ['policy/v1', 'PodDisruptionBudget'],
      ['networking.k8s.io/v1', 'Ingress'],
    ]);
  });

  it('should select the pods of the Deployment', () => {
    const { labels } = deployment.template.metadata;
    for (const selector of [deployment.selector.matchLabels, service.selector, budget.selector.matchLabels]) {
      expect(labels).toMatchObject(selector);
      expect(Object.keys(selector)).not.toEqual([]);
    }
  });

  it('should lead from the Ingress over the Service to the port of the container', () => {
    const [rule] = ingress.rules;
    const { backend, path } = rule!.http.paths[0]!;
    const target = resources.find(({ kind, metadata }) => kind === 'Service' && metadata.name === backend.service.name);
    expect(target).toBeDefined();
    const port = service.ports.find(({ name }) => name === backend.service.port.name)!;
    const { containerPort } = container.ports.find(({ name }) => name === port.targetPort)!;
    expect(sources).toContain(`PORT = ${containerPort}`);
    expect(sources).toContain(`'${path}'`);
    expect(ingress.tls[0]!.hosts).toEqual([rule!.host]);
  });

  it.each(['startupProbe', 'livenessProbe', 'readinessProbe'] as const)(
    'should ask a route that exists: %s',
    async (name) => {
      const { path, port } = container[name].httpGet;
      expect(container.ports.map((each) => each.name)).toContain(port);
      await request(createTestApp()).get(path).expect(200);
    },
  );

  it('should not restart a process whose store is down', async () => {
    const store = new KiketMemoryStore();
    store.release = () => Promise.reject(new Error('unreachable'));
    const app = createApp(secret, store, () => Promise.resolve(7));
    for (const { httpGet } of [container.startupProbe, container.livenessProbe]) {
      await request(app).get(httpGet.path).expect(200);
    }
    await request(app).get(container.readinessProbe.httpGet.path).expect(503);
  });

  it('should wait for the readiness longer than kiketHealth waits for the store', () => {
    expect(container.readinessProbe.timeoutSeconds).toBeGreaterThan(2);
  });

  it('should give preStop and kiketShutdown their time', () => {
    const [program, seconds] = container.lifecycle.preStop.exec.command;
    expect(program).toBe('sleep');
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(Number(seconds) + SHUTDOWN_SECONDS);
  });

  it('should keep replicas available during an update and a drain', () => {
    expect(deployment).toMatchObject({ strategy: { rollingUpdate: { maxUnavailable: 0 } } });
    expect(budget.minAvailable).toBeLessThan(deployment.replicas);
  });

  it('should have requests and limits in the units of Kubernetes', () => {
    const { requests, limits } = container.resources;
    expect(requests['cpu']).toMatch(/^\d+m$/);
    const bytes = [requests['memory']!, limits['memory']!].map((quantity) => /^(\d+)Mi$/.exec(quantity)![1]!);
    expect(Number(bytes[0])).toBeLessThanOrEqual(Number(bytes[1]));
  });

  it('should run as the user of the image, without privileges', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    });
    expect(container.image).toMatch(/:\d+\.\d+\.\d+$/);
  });

  it('should let the largest delivery through', () => {
    const { metadata } = resources.find(({ kind }) => kind === 'Ingress')!;
    const size = metadata.annotations!['nginx.ingress.kubernetes.io/proxy-body-size']!;
    expect(Number(/^(\d+)m$/.exec(size)![1]) * 2 ** 20).toBeGreaterThanOrEqual(LARGEST_BYTES);
  });

  it('should read the variables of the extension from the secret that the README creates', () => {
    const { code } = blocksOf(read('README.md')).find(({ heading }) => heading === 'Kubernetes')!;
    const [, name] = /create secret generic (\S+)/.exec(code)!;
    expect(container.envFrom).toEqual([{ secretRef: { name } }]);
    expect([...code.matchAll(/--from-literal=(\w+)=/g)].map((match) => match[1])).toEqual(required);
  });
});
