// npm run test:mutation: changes the ledger and its Lua line by line, and shows which changes no test sees.
//   FAREBOX_MUTANTS=40        how many, drawn by chance; `all` for each of them
//   FAREBOX_MUTATION_SEED=1   draws the same ones again
//   FAREBOX_MUTATION_FILE=f   keeps the verdicts there; what stands in it already is not tried again
//   FAREBOX_MUTATION_WORKERS  how many at once (2)
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compiled, Copy } from './copy.js'
import { equivalent } from './equivalent.js'
import { mutantsOf } from './mutants.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { FAREBOX_MUTANTS = '40', FAREBOX_MUTATION_SEED, FAREBOX_MUTATION_FILE, FAREBOX_MUTATION_WORKERS = '2' } = process.env
const seed = Number(FAREBOX_MUTATION_SEED ?? Math.floor(Math.random() * 1e9))

// What the audit and the opening of a store do is judged by other tests.
const others = new Set(['repair.lua', 'partitions.lua'])
const all = [...mutants('packages/core/src/ledger', 'ts'), ...mutants('packages/redis/lua', 'lua')]
const drawn = shuffle(all, seed).slice(0, FAREBOX_MUTANTS === 'all' ? all.length : Number(FAREBOX_MUTANTS))
const known = new Map(FAREBOX_MUTATION_FILE && existsSync(FAREBOX_MUTATION_FILE)
  ? readFileSync(FAREBOX_MUTATION_FILE, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).map(({ name, killer }) => [name, killer]) : [])
console.log(`${drawn.length} of ${all.length} mutants, seed ${seed}`)

const queue = drawn.filter(({ name }) => !known.has(name))
if (queue.length > 0) await unchanged()
await Promise.all(Array.from({ length: Number(FAREBOX_MUTATION_WORKERS) }, work))
report(drawn)

/** Every mutant of the files of a folder that is another program. */
function mutants(folder, language) {
  return readdirSync(join(root, folder)).filter((file) => file.endsWith(`.${language}`) && !others.has(file)).flatMap((name) => {
    const file = `${folder}/${name}`
    const text = readFileSync(join(root, file), 'utf8')
    return mutantsOf(text, language).map(({ at, from, to }) => {
      const line = text.slice(0, at + from.search(/\S/)).split('\n').length
      const code = text.split('\n')[line - 1].trim()
      const mutant = text.slice(0, at) + to + text.slice(at + from.length)
      const column = at - text.lastIndexOf('\n', at - 1)
      return { name: `${file}:${line}:${column} ${JSON.stringify(from.trim())} → ${JSON.stringify(to.trim())}`, file, language, code, from: from.trim(), to: to.trim(), mutant, text }
    }).filter(({ mutant }) => language !== 'ts' || isAnother(mutant, text))
  })
}

function isAnother(mutant, text) {
  try {
    return compiled(mutant) !== compiled(text)
  } catch {
    return false
  }
}

/** Tests that fail by themselves would kill everything. */
async function unchanged() {
  const copy = new Copy(root)
  for (const of of ['ts', 'lua']) {
    const one = all.find(({ language }) => language === of)
    if (await copy.try(one, one.text)) throw new Error('the tests fail without any change')
  }
  copy.close()
}

async function work() {
  const copy = new Copy(root)
  for (let next = queue.shift(); next; next = queue.shift()) {
    const killer = await copy.try(next, next.mutant) ?? null
    known.set(next.name, killer)
    if (FAREBOX_MUTATION_FILE) appendFileSync(FAREBOX_MUTATION_FILE, `${JSON.stringify({ name: next.name, killer })}\n`)
    if (!killer) console.log(`survived  ${next.name}\n          ${next.code}`)
  }
  copy.close()
}

function report(drawn) {
  const rows = { ts: {}, lua: {} }
  const open = []
  for (const { name, language, file, code, from, to } of drawn) {
    const why = known.get(name) ? undefined : equivalent.find((one) => one.file === basename(file) && one.code === code && one.change === `${from} → ${to}`)
    const verdict = known.get(name) ? `killed by ${basename(known.get(name), '.test.ts')}` : why ? 'equivalent' : 'survived'
    rows[language][verdict] = (rows[language][verdict] ?? 0) + 1
    if (verdict === 'survived') open.push(`${name}\n    ${code}`)
  }
  console.table(rows)
  if (open.length > 0) console.log(`no test sees these:\n${open.join('\n')}`)
  process.exit(open.length > 0 ? 1 : 0)
}

/** By chance, but a mutant more or less does not change the order of the others. */
function shuffle(mutants, seed) {
  const chance = ({ name }) => createHash('md5').update(`${seed} ${name}`).digest('hex')
  return mutants.map((mutant) => ({ mutant, at: chance(mutant) })).sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ mutant }) => mutant)
}
