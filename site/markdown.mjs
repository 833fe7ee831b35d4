// Pages are written for GitHub, and the site shows them as GitHub does.
import { existsSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { path, repository } from './package.mjs';

/** A rule of markdown-it. */
export function likeGitHub(md) {
  md.core.ruler.push('like-github', ({ tokens, env }) => {
    for (const token of tokens) {
      // The words after the language are for the tests. VitePress would take a number among them for a line to highlight.
      if (token.type === 'fence') token.info = token.info.split(' ', 1)[0];
      for (const child of token.children ?? []) {
        if (child.type === 'link_open') child.attrSet('href', addressOf(child.attrGet('href'), env.path));
      }
    }
  });
  // Vue would evaluate what stands between two braces.
  for (const name of ['text', 'code_inline']) {
    const render = md.renderer.rules[name];
    md.renderer.rules[name] = (...args) => render(...args).replaceAll('{{', '&#123;&#123;');
  }
}

/** Returns the address on GitHub of a file that is not a page of the site. Other links stay as they are. */
function addressOf(href, page) {
  if (/^([a-z]+:|#)/.test(href)) return href;
  const [, file, anchor] = /^([^#]*)(.*)$/.exec(href);
  const target = resolve(dirname(page), decodeURI(file));
  const isPage = target.startsWith(path('docs') + sep) && target.endsWith('.md');
  // The check of links finds the files that do not exist.
  if (isPage || !existsSync(target)) return href;
  return `${repository}/blob/main/${relative(path('.'), target).replaceAll(sep, '/')}${anchor}`;
}

/** Returns the anchor of a heading. */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
