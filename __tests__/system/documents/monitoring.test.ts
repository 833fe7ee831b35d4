import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { KIKET_ERRORS } from 'kiket-express';
import { parse, stringify } from 'yaml';
import { homepage } from '../../../package.json';
import { GUARD_EVENTS } from '../../../lib/delivery/reply';
import { describeWith } from '../../support/describe-with';
import { sectionsOf } from '../../support/markdown';
import { namesIn, recordedSeries, type Series } from '../../support/prometheus';

const repository = resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly runbook: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource: object;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly datasource: object; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
}

const rulesFile = 'examples/observability/alerts.yaml';
const { groups } = parse(read(rulesFile)) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.flatMap(({ alert, ...rule }) => (alert === undefined ? [] : [{ alert, ...rule }]));

const dashboard = JSON.parse(read('examples/observability/dashboard.json')) as Dashboard;
const targets = dashboard.panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target })));

const expressions: [name: string, expression: string][] = [
  ...rules.map(({ alert, record, expr }): [string, string] => [(alert ?? record)!, expr]),
  ...targets.map(({ title, expr }): [string, string] => [title, expr]),
];

describe.each(expressions)('the expression of %s', (_name, expression) => {
  let recorded: Series;
  beforeAll(async () => {
    recorded = await recordedSeries();
  });
  const named = namesIn(expression);

  it('should have series that the code records', () => {
    const known = [...recorded.keys(), ...rules.flatMap(({ record }) => record ?? [])];
    expect(named.series).not.toEqual([]);
    expect(named.series.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('should have labels that the series have', () => {
    const known = new Set(
      named.series.flatMap((name) => [...(recorded.get(name) ?? recorded.get('kiket_deliveries_total')!)]),
    );
    expect(named.labels.filter((label) => !known.has(label))).toEqual([]);
  });

  it('should compare labels with values that occur', () => {
    const values: Readonly<Record<string, readonly string[]>> = {
      kiket_outcome: ['success', 'retryable', 'final'],
      kiket_error_code: Object.keys(KIKET_ERRORS),
      kiket_event: GUARD_EVENTS,
      kiket_replayed: ['true'],
    };
    for (const [label, pattern] of named.values) {
      // Both guard events are one pattern, which is not a list of values.
      const alternatives = label === 'kiket_event' ? values[label]! : pattern.split('|');
      for (const value of alternatives) {
        expect(values[label]).toContain(value);
        expect(value).toMatch(new RegExp(`^(?:${pattern})$`));
      }
    }
  });
});

describe('the alerts', () => {
  const headings = sectionsOf(read('docs/operations/runbook.md'), 2).filter(({ heading }) =>
    /^Kiket\w+$/.test(heading),
  );

  it('should each have a section of the runbook, and each section an alert', () => {
    expect(headings.map(({ heading }) => heading).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  it('should be in the table of the page about observability', () => {
    const listed = [...read('docs/operations/observability.md').matchAll(/^\| (Kiket\w+) +\|/gm)].map(
      ([, name]) => name,
    );
    expect(listed).toEqual(alerts.map(({ alert }) => alert));
  });

  it.each(alerts)('should have a summary, an urgency and the address of its section: $alert', (rule) => {
    expect(rule.annotations!.summary).toMatch(/\w/);
    expect(['page', 'ticket']).toContain(rule.labels!.severity);
    expect(rule.annotations!.runbook).toBe(
      homepage.replace('#readme', `/blob/main/docs/operations/runbook.md#${rule.alert.toLowerCase()}`),
    );
  });

  it.each(headings)('should have the three parts of a section, in their order: $heading', ({ text }) => {
    const parts = ['**It means:**', '**Look at:**', '**Do:**'].map((part) => text.indexOf(part));
    expect(parts).not.toContain(-1);
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
  });
});

describe('dashboard.json', () => {
  const { panels, schemaVersion, templating } = dashboard;

  it('should have a schema that Grafana 10.4 and later read', () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
  });

  it('should read from the data source that a user selects', () => {
    expect(templating.list).toMatchObject([{ name: 'datasource', type: 'datasource', query: 'prometheus' }]);
    for (const { datasource } of [...panels, ...targets]) {
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
    }
  });

  it('should have panels with ids and titles of their own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });

  it('should have panels that do not overlap, in the 24 columns of Grafana', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++) {
        for (let row = y; row < y + h; row++) {
          expect([title, taken.get(`${column},${row}`)]).toEqual([title, undefined]);
          taken.set(`${column},${row}`, title);
        }
      }
    }
  });

  it('should name in each legend a label by which the expression groups', () => {
    for (const { expr, legendFormat } of targets) {
      const { labels } = namesIn(expr);
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(labels).toContain(label);
    }
  });
});

const promtool = {
  name: 'promtool',
  isThere: spawnSync('promtool', ['--version']).status === 0,
  remedy: 'put promtool on the PATH (apt-get install prometheus, brew install prometheus)',
};

describeWith(promtool, 'promtool', () => {
  const run = (...args: string[]): { status: number | null; output: string } => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', cwd: repository });
    return { status, output: stdout + stderr };
  };

  it('should accept the rules', () => {
    expect(run('check', 'rules', rulesFile)).toEqual({
      status: 0,
      output: expect.stringContaining(`${rules.length} rules found`) as string,
    });
  });

  it('should find that each alert fires for its series and for no other', () => {
    const file = '__tests__/system/documents/monitoring.promtool.yaml';
    const tested = new Set([...read(file).matchAll(/alertname: (\w+)/g)].map(([, name]) => name));
    expect([...tested].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
    expect(run('test', 'rules', file)).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') as string });
  });

  it('should accept the expressions of the dashboard', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kiket-dashboard-'));
    try {
      const expressions = targets.map(({ expr }, i) => ({
        record: `panel:${i}`,
        // Grafana replaces them.
        expr: expr.replaceAll(/\$__\w+/g, '5m'),
      }));
      writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'dashboard', rules: expressions }] }));
      expect(run('check', 'rules', join(folder, 'rules.yaml'))).toMatchObject({ status: 0 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
