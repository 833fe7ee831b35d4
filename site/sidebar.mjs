// The groups and pages of the sidebar: those of docs/index.md, and the entry points below the API page.
import { readFileSync } from 'node:fs';
import { entryPoints, path } from './package.mjs';

export const sidebar = [...readFileSync(path('docs/index.md'), 'utf8').matchAll(/^### (.+)\n\n((?:- .+\n?)+)/gm)].map(
  ([, text, list]) => ({ text, collapsed: false, items: [...list.matchAll(/\[(.+)\]\((.+)\.md\)/g)].map(itemOf) }),
);

function itemOf([, text, page]) {
  const item = { text, link: `/${page}` };
  if (page !== 'reference/api') return item;
  const items = entryPoints.map(({ importPath }) => ({ text: importPath, link: `/reference/api/${importPath}` }));
  return { ...item, collapsed: true, items };
}
