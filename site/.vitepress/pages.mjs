// The pages of the site, and where each of the repository's files is to be found: on the site, or else in the repository.
import {readFileSync, statSync} from 'node:fs'
import path from 'node:path'
import {fileURLToPath} from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const repository = 'https://github.com/cdpcredentials/cdp-credential-operator'

const groups = JSON.parse(readFileSync(path.join(root, 'site/pages.json'), 'utf8'))
export const files = groups.flatMap(group => group.items.map(item => item.file))

// What is not in docs/ needs a short name of its own.
const names = {
  'docs/README.md': 'index.md',
  'examples/README.md': 'examples.md',
  'charts/cdp-credential-operator/README.md': 'chart.md',
  'CHANGELOG.md': 'changelog.md',
  'SECURITY.md': 'vulnerabilities.md', // docs/security.md is another page
  'CONTRIBUTING.md': 'contributing.md',
}

export const rewrites = Object.fromEntries(files.map(file => [file, names[file] ?? file.replace(/^docs\//, '')]))

// url is where a page is, below the site's base.
export const url = file => '/' + rewrites[file].replace(/(index)?\.md$/, '')

export const titles = Object.fromEntries(groups.flatMap(group => group.items.map(item => [url(item.file), item.text])))

export const sidebar = groups.map(group => ({
  text: group.text,
  items: group.items.map(item => ({text: item.text, link: url(item.file)})),
}))

// resolveLink turns a relative link of a file into one that works on the site.
export function resolveLink(from, href) {
  if (/^([a-z]+:|#|\/)/.test(href)) return href
  const [target, heading] = href.split('#')
  const file = path.posix.join(path.posix.dirname(from), target).replace(/\/$/, '')
  const hash = heading ? '#' + heading : ''
  for (const page of [file, file + '/README.md']) {
    if (page in rewrites) return url(page) + hash
  }
  const kind = statSync(path.join(root, file)).isDirectory() ? 'tree' : 'blob'
  return `${repository}/${kind}/main/${file}${hash}`
}

// anchor is what GitHub makes of a heading, so that a link to one works there and here.
export const anchor = heading => heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')
