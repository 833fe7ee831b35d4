/// <reference types="node" preserve="true" />
export { loadManifest } from './load-manifest';
export { parseManifest, type ParseManifestOptions } from './parse-manifest';
export { KiketManifestError } from './manifest-error';
export type * from '../delivery/manifest';
