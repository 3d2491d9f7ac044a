// Embeds lua/*.lua into src/program.generated.ts, because an edge runtime has no files to read. First it holds
// each file's header against its code; what the headers say is then what the TypeScript side encodes and decodes by.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { check, contract } from './contract.js'

const lua = new URL('../lua/', import.meta.url)
const generated = new URL('../src/program.generated.ts', import.meta.url)

/** The files of the program, each behind those whose functions it calls. */
const order = [
  'limits', 'reader', 'clock', 'account', 'journal', 'reservation', 'sweep', 'usage',
  'reserve', 'close', 'settle', 'release', 'extend', 'grant', 'balance', 'entries', 'program',
]
/** Scripts of their own. */
const alone = ['partitions']

const source = (name) => readFileSync(new URL(`${name}.lua`, lua), 'utf8')
const onDisk = readdirSync(lua).map((file) => file.replace(/\.lua$/, ''))
const faults = onDisk.filter((name) => ![...order, ...alone].includes(name)).map((name) => `${name}.lua is in no script`)

const known = new Set()
const files = order.map((name) => ({ name, ...contract(source(name)) }))
for (const file of files) faults.push(...check(file, known).map((fault) => `${file.name}.lua: ${fault}`))
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}

const script = (names) => {
  const text = names.map((name) => contract(source(name)).code).join('\n')
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
const commands = files.flatMap(({ command, keys, args }) => (command ? [[command, { keys, args }]] : []))
const replies = files.flatMap((file) => file.replies)

writeFileSync(generated, `// Written by scripts/embed.js from lua/*.lua.
export const program = ${JSON.stringify(script(order))}
export const partitions = ${JSON.stringify(script(alone))}
/** What each command takes, in this order. */
export const commands = ${JSON.stringify(Object.fromEntries(commands), null, 2)} as const
/** The numbers of each reply, in this order; a question mark: 1 is yes. */
export const replies = ${JSON.stringify(Object.fromEntries(replies), null, 2)} as const
`)
