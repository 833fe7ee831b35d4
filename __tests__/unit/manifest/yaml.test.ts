import { parseManifest } from '../../../lib/manifest';

const parse = (path: string) => parseManifest('{ "id": "a" }', { path, env: {} });

/** Makes `require('yaml')` throw for one test. */
function failWith(code: string | undefined): void {
  jest.doMock('yaml', () => {
    throw Object.assign(new Error('Not loaded'), { code });
  });
}

afterEach(() => {
  jest.dontMock('yaml');
  jest.dontMock('yaml/package.json');
  jest.resetModules();
});

describe('yaml', () => {
  it('should be asked for where it is not installed', () => {
    failWith('MODULE_NOT_FOUND');
    expect(() => parse('m.yaml')).toThrow(TypeError);
    expect(() => parse('m.yaml')).toThrow(
      'loadManifest needs the package yaml, which is not installed; npm install yaml',
    );
  });

  it('should be asked for where it is too old', () => {
    jest.doMock('yaml/package.json', () => ({ version: '1.10.2' }));
    expect(() => parse('m.yaml')).toThrow(
      new TypeError('loadManifest needs yaml 2.0 or newer, but 1.10.2 is installed; npm install yaml@2'),
    );
  });

  it('should not be said to be missing when it is broken', () => {
    failWith(undefined);
    expect(() => parse('m.yaml')).toThrow('Not loaded');
  });

  it('should not be loaded for JSON', () => {
    failWith('MODULE_NOT_FOUND');
    expect(parse('m.json').id).toBe('a');
  });
});
