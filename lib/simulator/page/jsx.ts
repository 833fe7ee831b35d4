/** JSX is compiled to calls of these: scripts/build-page.mjs adds the import to each file. */
export { Fragment, h } from 'preact';
