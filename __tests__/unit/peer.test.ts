import { requirePeer } from '../../lib/options';

const peer = { name: 'jose', since: '5.9', install: 'jose@6' };

describe('requirePeer', () => {
  it.each(['4.15.9', '5.8.99', '5.0.0', '0.1.0', '5'])('should refuse version %s', (version) => {
    expect(() => requirePeer('a test', peer, () => ({ version }))).toThrow(
      new TypeError(`a test needs jose 5.9 or newer, but ${version} is installed; npm install jose@6`),
    );
  });

  it.each(['5.9.0', '5.9.1', '5.10.0', '6.0.0', '6.0.0-beta.1', '10.0.0'])('should accept version %s', (version) => {
    expect(() => requirePeer('a test', peer, () => ({ version }))).not.toThrow();
  });

  it.each([undefined, null, {}, { version: 5 }])('should accept a manifest without a version: %p', (manifest) => {
    expect(() => requirePeer('a test', peer, () => manifest)).not.toThrow();
  });

  it('should accept a manifest that cannot be read', () => {
    const fail = (): never => {
      throw new Error('Not exported');
    };
    expect(() => requirePeer('a test', peer, fail)).not.toThrow();
  });
});
