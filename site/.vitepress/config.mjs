import {readdirSync} from 'node:fs'
import path from 'node:path'
import {fileURLToPath} from 'node:url'
import {defineConfig} from 'vitepress'
import {anchor, files, repository, resolveLink, rewrites, root, sidebar, titles} from './pages.mjs'

const base = process.env.SITE_BASE ?? '/cdp-credential-operator/'
const here = fileURLToPath(import.meta.url)
const withPages = new Set(files.map(file => file.split('/')[0]))

export default defineConfig({
  title: 'cdp-credential-operator',
  description: 'Keeps short-lived API tokens fresh in Kubernetes Secrets',
  base,
  sitemap: {hostname: 'https://cdpcredentials.github.io' + base},
  srcDir: '..',
  // Only what pages.json names is a page.
  srcExclude: readdirSync(root).filter(name => !withPages.has(name)).flatMap(name => [name, name + '/**']).concat('examples/*/**'),
  rewrites,
  outDir: '../bin/site',
  cacheDir: '../bin/site-cache',
  cleanUrls: true,
  lastUpdated: false,
  head: [['link', {rel: 'icon', type: 'image/svg+xml', href: base + 'logo.svg'}]],
  vite: {
    publicDir: path.join(root, 'docs/images'),
    plugins: [{
      name: 'vue-for-pages', // which are outside of this folder, and would not find it
      enforce: 'pre',
      resolveId(name, importer, options) {
        if (/^vue(\/|$)/.test(name) && importer?.endsWith('.md')) return this.resolve(name, here, {...options, skipSelf: true})
      },
    }],
  },
  markdown: {
    anchor: {slugify: anchor},
    theme: {light: 'github-light-high-contrast', dark: 'github-dark-high-contrast'},
    languageAlias: {console: 'shellsession', promql: 'txt'},
    config(md) {
      // Pages are plain markdown: braces are not Vue's.
      for (const kind of ['text', 'code_inline']) {
        const rule = md.renderer.rules[kind]
        md.renderer.rules[kind] = (...args) => rule(...args).replaceAll('{{', '&#123;&#123;')
      }
      const render = md.renderer.rules.link_open
      md.renderer.rules.link_open = (tokens, index, options, env, self) => {
        const from = path.relative(root, env.realPath ?? env.path).split(path.sep).join('/')
        const href = resolveLink(from, tokens[index].attrGet('href'))
        tokens[index].attrSet('href', href)
        const shown = tokens[index + 1]
        if (/^[\w./-]+\.md$/.test(shown.content)) shown.content = titles[href.split('#')[0]] ?? shown.content // a page's name, not its file's
        return render(tokens, index, options, env, self)
      }
    },
  },
  themeConfig: {
    logo: '/logo.svg',
    sidebar,
    outline: 'deep',
    search: {provider: 'local'},
    socialLinks: [{icon: 'github', link: repository}],
    nav: [
      {text: 'Quick start', link: '/quickstart'},
      {text: 'Tasks', items: sidebar.find(group => group.text === 'Tasks').items},
      {text: 'API', link: '/api'},
      {text: 'Changelog', link: '/changelog'},
    ],
    editLink: {pattern: repository + '/edit/main/:path'},
  },
})
