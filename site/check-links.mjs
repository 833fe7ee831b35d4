import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';

/**
 * Checks the links of the pages that were built, those of the sidebar and anchors included: VitePress checks only links
 * in the text, without their anchors.
 *
 * @throws {Error} when a link of a page leads to a file or an anchor that does not exist.
 */
export function checkLinks({ outDir, site: { base } }) {
  const files = readdirSync(outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(outDir.length + 1)
        .replaceAll(sep, '/'),
    );
  const pages = files
    .filter((file) => file.endsWith('.html'))
    .map((file) => ({ file, html: readFileSync(join(outDir, file), 'utf8') }));
  const anchors = new Map(pages.map(({ file, html }) => [file, new Set(valuesOf(html, 'id'))]));
  const known = new Set(files);

  const dead = pages.flatMap(({ file, html }) =>
    [...new Set([...valuesOf(html, 'href'), ...valuesOf(html, 'src')])]
      .filter((link) => isDead(new URL(link, `site:${base}${file}`)))
      .map((link) => `${file}: ${link}`),
  );
  if (dead.length > 0) throw new Error(`dead links:\n${dead.join('\n')}`);

  function isDead({ protocol, pathname, hash }) {
    if (protocol !== 'site:') return false;
    const target = decodeURI(pathname)
      .slice(base.length)
      .replace(/(^|\/)$/, '$1index.html');
    return !known.has(target) || (hash !== '' && !anchors.get(target)?.has(decodeURIComponent(hash.slice(1))));
  }
}

function valuesOf(html, attribute) {
  return [...html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value]) =>
    value.replaceAll('&amp;', '&'),
  );
}
