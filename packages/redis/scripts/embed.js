// Embeds lua/*.lua into src/program.generated.ts, because an edge runtime has no files to read. First it holds
// each file's header against its code; what the headers say is then what the TypeScript side encodes and decodes by.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { assemble, filesOf, inline, untilAsked, whenAsked, within } from './assemble.js'
import { checkScript, contract } from './contract.js'

const lua = new URL('../lua/', import.meta.url)
const generated = new URL('../src/program.generated.ts', import.meta.url)

/** The files of each script, each behind those whose functions it calls. What most batches do without is made when it is asked for. */
const prelude = ['reader', 'clock']
const program = [
  ...prelude, 'state', within(
    'account', 'journal', 'reservation', 'flush',
    untilAsked(['lots', 'alerts', 'plan', 'rarely'],
      whenAsked('lots', 'lots'),
      whenAsked('alerts', 'alerts'),
      whenAsked('plan', 'calendar', 'allowance', 'budgets'),
      whenAsked('rarely', 'own', 'forget', 'all-reservations', 'sweep', 'frees-at', 'usage-days')),
    'count-usage', 'reserve', 'close', 'settle',
    untilAsked(['records', 'commands'],
      whenAsked('records', 'record', 'keyed-call'),
      whenAsked('commands', 'release', 'prolong', 'extend', 'grant', 'refund', 'balance', 'watch', 'entries', 'exported', 'usage', 'operation', 'hold', 'progress', 'finish')),
    'program',
  ),
]
const shared = {
  register: [...prelude, 'register'],
  locate: [...prelude, 'locate'],
  count: [...prelude, 'week', 'count'],
  counts: [...prelude, 'week', 'counts'],
  lease: [...prelude, 'lease'],
  export_journal: [...prelude, 'export-journal'],
  waiting: [...prelude, 'waiting'],
  accounts: [...prelude, 'accounts'],
}
const partitions = ['partitions']
const repair = ['reader', 'repair']

const scripts = [program, ...Object.values(shared), repair]
const files = new Map(readdirSync(lua).map((file) => [file.replace(/\.lua$/, ''), contract(readFileSync(new URL(file, lua), 'utf8'))]))
const used = new Set(['limits', ...filesOf([...scripts.flat(), ...partitions])])
const faults = [
  ...[...files.keys()].filter((name) => !used.has(name)).map((name) => `${name}.lua is in no script`),
  ...scripts.flatMap((parts) => checkScript(parts, files)),
]
if (faults.length > 0) {
  console.error([...new Set(faults)].join('\n'))
  process.exit(1)
}

const script = (parts) => {
  const text = inline(files.get('limits').code, assemble(parts, files))
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}
const each = (object, make) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, make(value, name)]))
const json = (value) => JSON.stringify(value, null, 2)
const commands = filesOf(program).flatMap((name) => (files.get(name).command ? [files.get(name)] : []))

writeFileSync(generated, `// Written by scripts/embed.js from lua/*.lua.
export const program = ${JSON.stringify(script(program))}
export const partitions = ${JSON.stringify(script(partitions))}
export const repair = ${JSON.stringify(script(repair))}
/** The scripts of the commands that no account owns. */
export const shared = ${json(each(shared, script))}
/** What each command takes, in this order. */
export const commands = ${json(Object.fromEntries(commands.map(({ command, keys, args }) => [command, { keys, args }])))} as const
/** The numbers of each reply, in this order; a question mark: 1 is yes. */
export const replies = ${json(Object.fromEntries(filesOf(scripts.flat()).flatMap((name) => files.get(name).replies)))} as const
`)
