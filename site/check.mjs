// Opens every page of bin/site in Chromium, and fails if a link or an anchor leads nowhere, a page loads something from elsewhere, prints an error,
// is wider than a phone or is hard to read, or if the search does not find what readers look for. Pictures are in bin/site-pictures.
import {createReadStream, existsSync, mkdirSync, statSync} from 'node:fs'
import {createServer} from 'node:http'
import path from 'node:path'
import {fileURLToPath} from 'node:url'
import axe from 'axe-core'
import {chromium} from 'playwright-core'
import {files, root, url} from './.vitepress/pages.mjs'

const base = '/cdp-credential-operator'
const site = path.join(root, 'bin/site')
const pictures = path.join(root, 'bin/site-pictures')
const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

// What a reader types, and the page that the search has to offer among the first.
const searches = {
  HostNotAllowed: '/operations',
  'allowed-hosts': '/providers',
  refreshPods: '/pods',
  'token-hosts-only': '/install',
  CDPCredentialNoLeader: '/runbooks',
  CDPCredentialNoLeader: '/runbooks',
  maxPerDay: '/api',
  'sealed secrets': '/gitops',
  rollback: '/tasks/upgrade',
  sandboxName: '/api',
}

const problems = []
const problem = (page, text) => problems.push(`${page}: ${text}`)

// serve does what a static host with clean URLs does: /page is page.html.
function serve() {
  const types = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json'}
  const server = createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname)
    const file = path.join(site, name.slice(base.length))
    const found = [file, file + '.html', path.join(file, 'index.html')].find(f => existsSync(f) && statSync(f).isFile())
    if (!name.startsWith(base + '/') || !found) return response.writeHead(404).end()
    response.writeHead(200, {'Content-Type': types[path.extname(found)] ?? 'application/octet-stream'})
    createReadStream(found).pipe(response)
  })
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server)))
}

// visit opens a page, looks at it, and returns its links and anchors.
async function visit(page, address) {
  await page.goto(address, {waitUntil: 'networkidle'})
  return page.evaluate(() => {
    const scrolls = e => e && !e.matches('.vp-doc') && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement))
    return {
      links: [...document.querySelectorAll('a[href]')].map(a => a.href),
      ids: [...document.querySelectorAll('[id]')].map(e => e.id),
      wide: [...document.querySelectorAll('.vp-doc *')].filter(e => e.getBoundingClientRect().right > innerWidth && !scrolls(e)).map(e => e.outerHTML),
      images: [...document.images].filter(i => i.complete && i.naturalWidth === 0).map(i => i.src),
    }
  })
}

async function contrast(page, name) {
  await page.evaluate(axe.source)
  const found = await page.evaluate(() => globalThis.axe.run(document, {runOnly: ['color-contrast', 'image-alt', 'link-name', 'button-name', 'duplicate-id']}))
  for (const {id, nodes} of found.violations) {
    problem(name, `${id}, ${nodes.length} times: ${nodes[0].html.slice(0, 200)} ${nodes[0].failureSummary.replace(/\s+/g, ' ')}`)
  }
}

async function search(page) {
  await page.goto(`${origin}${base}/`, {waitUntil: 'networkidle'})
  for (const [words, want] of Object.entries(searches)) {
    await page.keyboard.press('Control+k')
    await page.fill('#localsearch-input', words)
    const offered = page.locator(`#localsearch-list a[href*="${base}${want}"]`)
    await offered.first().waitFor({timeout: 10_000}).catch(() => problem('search', `${words} does not find ${want}`))
    if (words === 'HostNotAllowed') await page.screenshot({path: path.join(pictures, 'search.png')})
    await page.keyboard.press('Escape')
  }
}

if (!browser) {
  console.error('site: there is no Chromium: install the package chromium')
  process.exit(1)
}
mkdirSync(pictures, {recursive: true})
const server = await serve()
const origin = `http://127.0.0.1:${server.address().port}`
const chrome = await chromium.launch({
  executablePath: browser,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const seen = new Map()

// look goes through all pages on a screen of one size, in one colour.
async function look(size, viewport, colorScheme) {
  const context = await chrome.newContext({viewport, colorScheme})
  const page = await context.newPage()
  let name = ''
  page.on('console', message => message.type() === 'error' && problem(name, 'console: ' + message.text()))
  page.on('pageerror', error => problem(name, 'error: ' + error))
  page.on('response', response => response.status() >= 400 && problem(name, `${response.status()} ${response.url()}`))
  page.on('request', request => request.url().startsWith(origin) || request.url().startsWith('data:') || problem(name, 'loads ' + request.url()))
  for (const file of files) {
    name = `${file} (${size}, ${colorScheme})`
    const found = await visit(page, origin + base + url(file))
    seen.set(base + url(file), found)
    if (found.wide.length > 0) problem(name, 'wider than the screen: ' + found.wide[0].slice(0, 200))
    found.images.forEach(image => problem(name, 'broken image ' + image))
    if (size === 'desktop') await contrast(page, name)
    await page.screenshot({path: path.join(pictures, `${url(file).slice(1).replaceAll('/', '-') || 'index'}-${size}-${colorScheme}.png`)})
  }
  if (size === 'desktop' && colorScheme === 'light') await search(page)
  await context.close()
}

const [phone, desktop] = [{width: 390, height: 844}, {width: 1280, height: 900}]
await Promise.all([
  look('phone', phone, 'light'), look('phone', phone, 'dark'), look('desktop', desktop, 'light'), look('desktop', desktop, 'dark'),
])
for (const [from, {links}] of seen) {
  for (const link of new Set(links)) {
    const {origin: there, pathname, hash} = new URL(link)
    if (there !== origin) continue
    const page = seen.get(pathname)
    if (!page) problem(from, `the link ${pathname} leads nowhere`)
    else if (hash && !page.ids.includes(decodeURIComponent(hash.slice(1)))) problem(from, `there is no ${pathname}${hash}`)
  }
}
await chrome.close()
server.close()
problems.forEach(text => console.error('site: ' + text))
console.log(`site: ${files.length} pages in two sizes and two colours, ${Object.keys(searches).length} searches; pictures in bin/site-pictures`)
console.log(`${files.length * 4 + Object.keys(searches).length - problems.length} passed, ${problems.length} failed`)
process.exitCode = problems.length > 0 ? 1 : 0
