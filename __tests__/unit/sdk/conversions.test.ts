import { publicUrl } from '../../../lib/sdk/intake-forms';
import { readSdkOptions, type SdkOptions } from '../../../lib/sdk/sdk-options';

const form = { id: 1, key: 'bugs', name: 'Bugs', active: true, public: true };
const url = 'https://kiket.example/f/bugs';

describe('publicUrl', () => {
  it.each<[object, string | null]>([
    [{ form_url: url }, url],
    [{ formUrl: url }, url],
    [{ form_url: url, formUrl: 'https://other.example' }, url],
    [{ form_url: '', formUrl: url }, url],
    [{ form_url: null }, null],
    [{}, null],
    [{ form_url: url, public: false }, null],
  ])('should read %j as %j', (fields, expected) => {
    expect(publicUrl({ ...form, ...fields })).toBe(expected);
  });
});

describe('readSdkOptions', () => {
  const manifest = { id: 'a', version: '1', settings: { limit: 1, region: 'eu' } };

  it.each<[SdkOptions, object]>([
    [{}, { settings: {}, extensionId: undefined, extensionVersion: undefined }],
    [{ manifest: {} }, { settings: {}, extensionId: undefined, extensionVersion: undefined }],
    [{ manifest }, { settings: manifest.settings, extensionId: 'a', extensionVersion: '1' }],
    [
      { manifest, settings: { limit: 2 }, extensionId: 'b', extensionVersion: '2' },
      { settings: { limit: 2, region: 'eu' }, extensionId: 'b', extensionVersion: '2' },
    ],
  ])('should read %j', (options, expected) => {
    expect(readSdkOptions('fromSdk', options)).toEqual(expected);
  });

  it('should copy the settings, and not let handlers change them', () => {
    const settings = { limit: 1 };
    const read = readSdkOptions('fromSdk', { settings });
    settings.limit = 2;
    expect(read.settings).toEqual({ limit: 1 });
    expect(Object.isFrozen(read.settings)).toBe(true);
  });
});
