/** Esbuild bundles style sheets. */
declare module '*.css';
