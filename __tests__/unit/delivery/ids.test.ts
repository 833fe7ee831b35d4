import type { ContractPayload } from '../../../lib/delivery/payload';
import {
  deliveryOrganizationId,
  deliveryProjectId,
  payloadOrganizationId,
  payloadProjectKey,
} from '../../../lib/delivery/ids';
import type { KiketId } from '../../../lib/guards';

const idOf = (payload: object, header?: string, token?: object): KiketId | undefined =>
  deliveryProjectId(
    payload as ContractPayload,
    token as never,
    header === undefined ? {} : { 'x-kiket-project': header },
  );

describe('deliveryProjectId', () => {
  it.each<[string, KiketId | undefined]>([
    ['27', 27],
    ['1', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', undefined],
    ['99999999999999999999', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1.0', undefined],
    ['1e3', '1e3'],
    ['027', undefined],
    ['27, 28', undefined],
    ['acme', 'acme'],
    ['7f9c24e8-3b12-4fef-91e0-56a2d5a7c0de', '7f9c24e8-3b12-4fef-91e0-56a2d5a7c0de'],
    ['acme corp', undefined],
    ['é', undefined],
    ['a'.repeat(201), undefined],
    ['', undefined],
  ])("should read '%s' in the header as %p", (header, id) => {
    expect(idOf({}, header)).toBe(id);
  });

  it.each<[object, string | undefined, KiketId | undefined]>([
    [{ issue: { project_id: 'proj-456' } }, '99', 'proj-456'],
    [{ issue: { project_id: '27' } }, '99', '27'],
    [{ case: { project_id: 27 } }, '99', 27],
    [{ type: 'issue.created', data: { issue: { project_id: 'p' } } }, '99', 'p'],
    [{ data: { case: { project_id: 'p' } } }, '99', 'p'],
    [{ data: { issue: {}, case: { project_id: 'p' } } }, '99', 'p'],
    [{ payload: { issue: { project_id: 27 } } }, '99', 27],
    [{ payload: { case: { project_id: 'p' } } }, '99', 'p'],
    [{ project_id: 27, issue_id: 3 }, '99', 27],
    [{ data: [{ project_id: 27 }] }, '99', 99],
    [{ issue: { project_id: 27 } }, undefined, 27],
    [{ issue: { project_id: 27 } }, '99', 27],
    [{ issue: { project_id: null } }, '99', 99],
    [{ issue: {} }, '99', 99],
    [{ issue: null }, '99', 99],
    [{}, '99', 99],
    [{}, undefined, undefined],
  ])('should prefer the signed %j to the header %s', (payload, header, id) => {
    expect(idOf(payload, header)).toBe(id);
  });

  it.each(['', 'two words', -1, 2.5, [], true, {}, 1e300])(
    'should not replace a signed project of %j by the header',
    (signed) => {
      expect(idOf({ issue: { project_id: signed } }, '99')).toBeUndefined();
    },
  );

  it('should prefer a verified token to the header, even one without a project', () => {
    expect(idOf({}, '99', { projectId: 7 })).toBe(7);
    expect(idOf({}, '99', { projectId: undefined })).toBeUndefined();
    expect(idOf({ issue: { project_id: 27 } }, '99', { projectId: 7 })).toBe(27);
  });
});

describe('payloadOrganizationId', () => {
  it.each<[object | undefined, KiketId | undefined]>([
    [undefined, undefined],
    [{}, undefined],
    [{ organizationId: 'org_7' }, 'org_7'],
    [{ organization_id: 42 }, 42],
    [{ organization_id: 'org-123' }, 'org-123'],
    [{ organizationId: 'org_7', organization_id: 42 }, 'org_7'],
    [{ issue: { organization_id: 42 } }, 42],
    [{ data: { case: { organization_id: 'org_7' } } }, 'org_7'],
    [{ organizationId: null }, undefined],
    [{ organizationId: { id: 7 } }, undefined],
  ])('should read it in %j as %j', (payload, id) => {
    expect(payloadOrganizationId(payload as never)).toBe(id);
  });
});

describe('deliveryOrganizationId', () => {
  const headers = { 'x-kiket-organization': '99' };

  it.each(['', 'two words', -1, 2.5, [], true, {}])(
    'should not replace a signed organization of %j by the header',
    (signed) => {
      for (const payload of [{ organizationId: signed }, { issue: { organization_id: signed } }]) {
        expect(deliveryOrganizationId(payload as never, undefined, headers)).toBeUndefined();
      }
    },
  );

  it('should prefer the payload to a verified token, and that to the header', () => {
    const token = { organizationId: 7 } as never;
    expect(deliveryOrganizationId({ organization_id: 42 }, token, headers)).toBe(42);
    expect(deliveryOrganizationId({}, token, headers)).toBe(7);
    expect(deliveryOrganizationId({}, {} as never, headers)).toBeUndefined();
    expect(deliveryOrganizationId({}, undefined, headers)).toBe(99);
    expect(deliveryOrganizationId(undefined, undefined, headers)).toBe(99);
  });
});

describe('payloadProjectKey', () => {
  it.each<[object | undefined, string | undefined]>([
    [undefined, undefined],
    [{ projectKey: 'ISS' }, 'ISS'],
    [{ project: { key: 'ISS' } }, 'ISS'],
    [{ projectKey: '', project: { key: 'ISS' } }, 'ISS'],
    [{ projectKey: 7 }, undefined],
    [{ project: null }, undefined],
    [{ project: 'ISS' }, undefined],
  ])('should read it in %j as %j', (payload, key) => {
    expect(payloadProjectKey(payload as never)).toBe(key);
  });
});
