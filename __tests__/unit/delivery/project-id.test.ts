import type { ContractPayload } from '../../../lib/delivery/payload';
import { deliveryProjectId } from '../../../lib/delivery/project-id';

const idOf = (payload: object, header?: string, token?: object): number | undefined =>
  deliveryProjectId(
    payload as ContractPayload,
    token as never,
    header === undefined ? {} : { 'x-kiket-project': header },
  );

describe('deliveryProjectId', () => {
  it.each<[string, number | undefined]>([
    ['27', 27],
    ['1', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', undefined],
    ['99999999999999999999', undefined],
    ['0', undefined],
    ['-1', undefined],
    ['+1', undefined],
    ['1.0', undefined],
    ['1e3', undefined],
    ['0x1b', undefined],
    ['027', undefined],
    ['27, 28', undefined],
    ['acme', undefined],
    ['', undefined],
  ])("should read '%s' in the header as %p", (header, id) => {
    expect(idOf({}, header)).toBe(id);
  });

  it.each<[object, string | undefined, number | undefined]>([
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

  it.each(['27', -1, 2.5, {}, 1e300])('should not replace a signed project of %j by the header', (signed) => {
    expect(idOf({ issue: { project_id: signed } }, '99')).toBeUndefined();
  });

  it('should prefer a verified token to the header, even one without a project', () => {
    expect(idOf({}, '99', { projectId: 7 })).toBe(7);
    expect(idOf({}, '99', { projectId: undefined })).toBeUndefined();
    expect(idOf({ issue: { project_id: 27 } }, '99', { projectId: 7 })).toBe(27);
  });
});
