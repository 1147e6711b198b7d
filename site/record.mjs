// Records a real run of `make demo` and draws it as an animated SVG, docs/images/demo.svg: `make demo-recording`. While it runs, the endpoint of
// APSIS One fails for a while, as docs/quickstart.md shows. Needs Linux (script, of util-linux).
import {execFileSync, spawn} from 'node:child_process'
import {writeFileSync} from 'node:fs'
import {homedir} from 'node:os'
import path from 'node:path'
import xterm from '@xterm/headless'
import {root} from './.vitepress/pages.mjs'

const columns = 92
const rows = 33
const speed = 3 // of the picture, as a multiple of the run's
const every = 2 // seconds of the run from picture to picture
const colours = {1: '#f87171', 2: '#4ade80', 3: '#facc15'} // of the demo's table: red, green, yellow

const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true, convertEol: false})

// screen returns the terminal's lines, each a list of pieces of text of one colour.
function screen() {
  const buffer = terminal.buffer.active
  const lines = []
  for (let y = 0; y < rows; y++) {
    const line = buffer.getLine(buffer.viewportY + y)
    const pieces = []
    for (let x = 0; x < columns; x++) {
      const cell = line.getCell(x)
      const colour = cell.isFgPalette() ? cell.getFgColor() : -1
      const last = pieces.at(-1)
      if (last?.colour === colour) last.text += cell.getChars() || ' '
      else pieces.push({colour, text: cell.getChars() || ' '})
    }
    lines.push(pieces)
  }
  return lines
}

const escape = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const draw = pieces => pieces.map(({colour, text}, i) => {
  const shown = escape(i === pieces.length - 1 ? text.trimEnd() : text)
  return colours[colour] ? `<tspan fill="${colours[colour]}">${shown}</tspan>` : shown
}).join('').trimEnd()

// svg is a strip of pictures, of which one at a time is seen. Lines that occur in several are written once.
function svg(frames) {
  const [charWidth, lineHeight, margin] = [8.5, 18, 16]
  const used = Math.max(...frames.map(lines => lines.findLastIndex(line => line) + 1))
  const [width, height] = [Math.ceil(columns * charWidth + 2 * margin), used * lineHeight + 2 * margin]
  const ids = new Map()
  const id = text => {
    if (!ids.has(text)) ids.set(text, 'l' + ids.size.toString(36))
    return ids.get(text)
  }
  const pictures = frames.map((lines, n) => `<g transform="translate(0 ${n * height})">` + lines.map((text, y) =>
    text && `<use href="#${id(text)}" y="${(y + 0.8) * lineHeight + margin}"/>`).join('') + '</g>')
  const seconds = frames.length * every / speed
  const steps = frames.map((_, n) => `${(100 * n / frames.length).toFixed(3)}%{transform:translateY(-${n * height}px)}`)
  const last = -(frames.length - 1) * height
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>A terminal: make demo keeps credentials fresh</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e5e7eb;white-space:pre}
@keyframes play{${steps.join('')}100%{transform:translateY(${last}px)}}
.strip{animation:play ${seconds.toFixed(1)}s step-end infinite}
@media (prefers-reduced-motion:reduce){.strip{animation:none;transform:translateY(${last}px)}}
</style>
<clipPath id="window"><rect width="${width}" height="${height}"/></clipPath>
<rect width="${width}" height="${height}" rx="10" fill="#111827"/>
<defs>${[...ids].map(([text, name]) => `<text id="${name}" x="${margin}" xml:space="preserve">${text}</text>`).join('\n')}</defs>
<g clip-path="url(#window)"><g class="strip">
${pictures.join('\n')}
</g></g>
</svg>
`
}

const demo = spawn('script', ['-qefc', `stty cols ${columns} rows ${rows} && make --no-print-directory demo`, '/dev/null'], {
  cwd: root, stdio: ['pipe', 'pipe', 'inherit'], env: {...process.env, TERM: 'xterm-256color'},
})
const kubectl = (...args) => {
  const [, environment] = said.match(/^ *(export KUBECONFIG=.*?)\r?$/m)
  execFileSync('bash', ['-c', `${environment}\nkubectl "$@"`, 'bash', ...args], {stdio: ['ignore', 'ignore', 'inherit']})
}
const fault = value => kubectl('patch', 'configmap', 'faults', '-p', JSON.stringify({data: {apsis: value}}))

// What happens, and how many seconds after the table is first shown.
const story = [[24, () => fault('500')], [66, () => fault(null)], [100, () => demo.stdin.write('\x03')]]

let said = ''
let started = false
const frames = []
terminal.write('$ make demo\r\n')
demo.stdout.on('data', chunk => {
  terminal.write(chunk)
  said += chunk
  if (started || !said.includes('Ctrl-C ends it')) return
  started = true
  const camera = setInterval(() => frames.push(screen().map(draw)), every * 1000)
  for (const [seconds, act] of story) setTimeout(act, seconds * 1000)
  demo.on('exit', () => clearInterval(camera))
})
demo.on('close', code => {
  if (code !== 0 || frames.length === 0) {
    console.error(said.slice(-2000))
    throw new Error(`make demo ended with ${code}`)
  }
  const file = path.join(root, 'docs/images/demo.svg')
  const picture = svg(frames).replaceAll(homedir(), '~')
  writeFileSync(file, picture)
  console.log(`${file}: ${frames.length} pictures, ${Math.round(picture.length / 1024)} KiB`)
})
