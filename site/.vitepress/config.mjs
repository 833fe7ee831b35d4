import { defineConfig } from 'vitepress';
import { checkLinks } from '../check-links.mjs';
import { likeGitHub, slugOf } from '../markdown.mjs';
import { description, name, repository } from '../package.mjs';
import { sidebar } from '../sidebar.mjs';

/** The pages cannot resolve Vue: the node_modules of the site is not above docs/. In the browser VitePress resolves it. */
const vueOfSite = {
  name: 'vue-of-site',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) => (ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined),
};

export default defineConfig({
  title: name,
  description,
  srcDir: '../docs',
  outDir: 'dist',
  cacheDir: 'node_modules/.vitepress',
  ignoreDeadLinks: false,
  markdown: {
    attrs: { disable: true },
    // http://localhost:3000 in a text is an example.
    linkify: false,
    anchor: { slugify: slugOf },
    config: likeGitHub,
  },
  vite: { plugins: [vueOfSite] },
  themeConfig: {
    sidebar,
    search: { provider: 'local' },
    outline: [2, 3],
    socialLinks: [{ icon: 'github', link: repository }],
  },
  buildEnd: checkLinks,
});
