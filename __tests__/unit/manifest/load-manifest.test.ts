import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KiketManifestError, loadManifest } from 'kiket-express/manifest';
import { warningsOf } from '../../support/warnings';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kiket-manifest-'));
  jest.spyOn(process, 'cwd').mockReturnValue(directory);
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string | Buffer): string {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

function errorOf(path?: string): KiketManifestError {
  try {
    loadManifest(path);
  } catch (error) {
    if (error instanceof KiketManifestError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

const names = [
  '.kiket/manifest.yaml',
  '.kiket/manifest.yml',
  'extension.yaml',
  'manifest.yaml',
  'extension.yml',
  'manifest.yml',
  'kiket-extension.yaml',
  'manifest.json',
];

describe('loadManifest without a path', () => {
  it.each(names.map((name, i) => [name, names.slice(i)] as const))(
    'should find %s before those after it',
    (first, present) => {
      for (const name of present) write(name, `{ "id": ${JSON.stringify(name)} }`);
      expect(loadManifest()).toMatchObject({ id: first, path: join(directory, first) });
    },
  );

  it('should say where it looked when there is none', () => {
    const error = errorOf();
    expect(error.message).toBe(`loadManifest found no manifest in ${directory}; it looked for ${names.join(', ')}`);
    expect(error.file).toBeUndefined();
  });

  it('should fail for an invalid manifest, rather than go on to the next', () => {
    write('.kiket/manifest.yaml', 'extension: 1');
    write('extension.yaml', 'id: a');
    expect(errorOf().file).toBe(join(directory, '.kiket/manifest.yaml'));
  });

  it('should fail for a broken link, rather than go on to the next', () => {
    // Of this type, Windows allows it to everybody.
    symlinkSync(join(directory, 'nowhere'), join(directory, 'extension.yaml'), 'junction');
    write('manifest.yaml', 'id: a');
    expect(errorOf().file).toBe(join(directory, 'extension.yaml'));
  });
});

describe('loadManifest', () => {
  it('should read the environment of the process', () => {
    const file = write('m.yaml', 'id: a\ndelivery_secret: env:KIKET_TEST_MANIFEST_SECRET');
    process.env['KIKET_TEST_MANIFEST_SECRET'] = 'canary';
    try {
      expect(loadManifest(file).secret).toBe('canary');
    } finally {
      delete process.env['KIKET_TEST_MANIFEST_SECRET'];
    }
  });

  it('should warn of a secret in the file, and of a repeated key', async () => {
    const file = write('m.yaml', 'id: a\ndelivery_secret: canary-42\nassets: { a: 1, a: 2 }');
    const warnings = await warningsOf(() => Promise.resolve(loadManifest(file)));
    expect(warnings.map((warning) => (warning as NodeJS.ErrnoException).code)).toEqual([
      'KIKET_MANIFEST_SECRET',
      'KIKET_MANIFEST_DUPLICATE_KEY',
    ]);
    expect(warnings[0]!.message).toContain(`${file}:2:1: delivery_secret holds the secret itself`);
    expect(String(warnings)).not.toContain('canary');
  });

  it('should take a byte order mark, and line ends of Windows', () => {
    expect(loadManifest(write('m.json', '\uFEFF{ "id": "a" }')).id).toBe('a');
    expect(loadManifest(write('m.yaml', '\uFEFFid: a\r\nversion: "2"\r\n'))).toMatchObject({ id: 'a', version: '2' });
  });

  it.each<[string, string | Buffer, string]>([
    ['larger than 1 MB', `id: a\n#${'x'.repeat(1024 * 1024)}`, 'must have at most 1048576 bytes, but has 1048583'],
    ['not UTF-8', Buffer.from('id: "\xE4"', 'latin1'), 'must be UTF-8, but is not'],
    ['UTF-16', Buffer.from('\uFEFFid: a', 'utf16le'), 'must be UTF-8, but is not'],
  ])('should refuse a file that is %s', (_name, content, problem) => {
    const file = write('m.yaml', content);
    expect(errorOf(file).message).toBe(`${file}: ${problem}`);
  });

  it('should refuse a file that is missing', () => {
    const file = join(directory, 'none.yaml');
    const { message, cause } = errorOf(file);
    expect(message).toBe(`${file}: does not exist`);
    expect(cause).toMatchObject({ code: 'ENOENT' });
  });

  it('should refuse a directory', () => {
    expect(errorOf(directory).message).toBe(`${directory}: must be a file, but is a directory or a device`);
  });

  it.each([
    ['', '""'],
    [42, '42'],
    [null, 'null'],
    [{}, 'an object'],
  ])('should refuse a path that is %j', (path, shown) => {
    expect(() => loadManifest(path as string)).toThrow(
      new TypeError(`loadManifest: path must be a non-empty string, but is ${shown}`),
    );
  });
});
