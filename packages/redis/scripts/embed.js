// Embeds lua/*.lua into src/program.generated.ts, because an edge runtime has no files to read. First it holds
// each file's header against its code; what the headers say is then what the TypeScript side encodes and decodes by.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { check, contract } from './contract.js'

const lua = new URL('../lua/', import.meta.url)
const generated = new URL('../src/program.generated.ts', import.meta.url)

/** The files of each script, each behind those whose functions it calls. */
const prelude = ['limits', 'reader', 'clock']
const program = [
  ...prelude, 'record', 'account', 'journal', 'reservation', 'when', 'lots', 'sweep', 'usage', 'keyed-call', 'reserve', 'close', 'settle', 'release',
  'extend', 'grant', 'refund', 'balance', 'entries', 'operation', 'hold', 'progress', 'finish', 'program',
]
const shared = {
  register: [...prelude, 'register'],
  locate: [...prelude, 'locate'],
  count: [...prelude, 'week', 'count'],
  counts: [...prelude, 'week', 'counts'],
}
const partitions = ['partitions']

const scripts = [program, ...Object.values(shared)]
const files = new Map(readdirSync(lua).map((file) => [file.replace(/\.lua$/, ''), contract(readFileSync(new URL(file, lua), 'utf8'))]))
const used = new Set([...scripts.flat(), ...partitions])
const faults = [
  ...[...files.keys()].filter((name) => !used.has(name)).map((name) => `${name}.lua is in no script`),
  ...scripts.flatMap((names) => {
    const known = new Set()
    return names.flatMap((name) => check(files.get(name), known).map((fault) => `${name}.lua: ${fault}`))
  }),
]
if (faults.length > 0) {
  console.error([...new Set(faults)].join('\n'))
  process.exit(1)
}

const script = (names) => {
  const text = names.map((name) => files.get(name).code).join('\n')
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
const each = (object, make) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, make(value, name)]))
const json = (value) => JSON.stringify(value, null, 2)
const commands = program.flatMap((name) => (files.get(name).command ? [files.get(name)] : []))

writeFileSync(generated, `// Written by scripts/embed.js from lua/*.lua.
export const program = ${JSON.stringify(script(program))}
export const partitions = ${JSON.stringify(script(partitions))}
/** The scripts of the commands that no account owns. */
export const shared = ${json(each(shared, script))}
/** What each command takes, in this order. */
export const commands = ${json(Object.fromEntries(commands.map(({ command, keys, args }) => [command, { keys, args }])))} as const
/** The numbers of each reply, in this order; a question mark: 1 is yes. */
export const replies = ${json(Object.fromEntries(scripts.flat().flatMap((name) => files.get(name).replies)))} as const
`)
