// Prints what the key layout and the batching cost, against a redis-server of its own:
// `node scripts/measure.js [rounds]`.
// Times are the server's own (INFO commandstats). Of each figure the best of all rounds is printed: what else the
// machine does only makes it worse.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { batchSender } from '../dist/batch.js'
import { encodeCommand } from '../dist/codec.js'
import { redisStore } from '../dist/index.js'
import { keySpace } from '../dist/keys.js'

const ACCOUNTS = 1_000
const PAIRS = 1_500
const ROUNDS = Number(process.argv[2] ?? 20)
const port = await freePort()
const server = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
const redis = new Redis(port)
redis.on('error', () => {})
await redis.ping()
const empty = await redis.script('LOAD', 'return 1')

let prefixes = 0
const senders = {
  batched: () => redisStore(redis, { prefix: `m${prefixes++}` }).send,
  // The same program, a call for each command.
  'one a call': () => {
    const sendBatch = batchSender(redis, keySpace(`m${prefixes++}`, 64), undefined)
    return (command) => new Promise((resolve, reject) => void sendBatch([{ command, encoded: encodeCommand(command), resolve, reject }]))
  },
}

await round(256) // warm
const rows = []
for (const inFlight of [1, 64, 256]) rows.push(...await measure(inFlight))
console.table(rows)
console.table(await bytes())
redis.disconnect()
server.kill()

/** Rounds of everything in turn, because the machine is not equally fast all the time. */
async function measure(inFlight) {
  const rounds = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(inFlight))
  const least = (of) => Math.min(...rounds.map(of))
  const most = (of) => Math.max(...rounds.map(of))
  const empty = least((figures) => figures.empty)
  return Object.keys(senders).map((name) => {
    const reserve = least((figures) => figures[name].reserve)
    const settle = least((figures) => figures[name].settle)
    const perSecond = most((figures) => figures[name].perSecond)
    return {
      'in flight': inFlight, sent: name, 'reserve µs': tidy(reserve), 'settle µs': tidy(settle), 'pair µs': tidy(reserve + settle),
      'empty µs': tidy(empty), 'pair / 2 empty': tidy((reserve + settle) / 2 / empty),
      'calls/s': Math.round(perSecond), 'times one a call': tidy(perSecond / most((figures) => figures['one a call'].perSecond)),
    }
  })
}

async function round(inFlight) {
  const figures = { empty: (await timed(() => forEach(inFlight, PAIRS, () => redis.evalsha(empty, 0)), PAIRS)).serverMicros }
  for (const [name, sender] of Object.entries(senders)) {
    const send = sender()
    const reserve = await timed(() => forEach(inFlight, PAIRS, (i) => send(reserveOf(i))), PAIRS)
    const settle = await timed(() => forEach(inFlight, PAIRS, (i) => send(settleOf(i))), PAIRS)
    const { perSecond } = await timed(() => pairs(sender(), inFlight), 2 * PAIRS)
    figures[name] = { reserve: reserve.serverMicros, settle: settle.serverMicros, perSecond }
  }
  await redis.flushall()
  return figures
}

function reserveOf(i) {
  return { kind: 'reserve', account: accountOf(i), reservation: reservationOf(i), ceiling: 2_000_000, allowance: 1e12, ttlMs: 60_000 }
}

function settleOf(i) {
  return { kind: 'settle', account: accountOf(i), reservation: reservationOf(i), ceiling: 2_000_000, charge: 1_500_000, product: `product-${i % 3}`, firstSentAt: Date.now() }
}

/** 22 characters, like 16 random bytes in base64url. */
function reservationOf(i) {
  return `Vq3mXy7RtB2kLw9PzA${String(i).padStart(5, '0')}`.slice(-22)
}

function accountOf(i) {
  return `acct_${(i * 7919) % ACCOUNTS}`
}

async function pairs(send, inFlight) {
  await forEach(inFlight, PAIRS, async (i) => {
    await send(reserveOf(i))
    await send(settleOf(i))
  })
}

/** Runs `act(i)` for each i below `count`, `inFlight` at a time. */
async function forEach(inFlight, count, act) {
  let next = 0
  const worker = async () => { while (next < count) await act(next++) }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

async function timed(act, count) {
  await redis.config('RESETSTAT')
  const start = performance.now()
  await act()
  const seconds = (performance.now() - start) / 1_000
  const stats = await redis.info('commandstats')
  const total = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/gm)].reduce((sum, [, micros]) => sum + Number(micros), 0)
  return { serverMicros: total / count, perSecond: count / seconds }
}

/** What one account's keys weigh, and what each open or settled reservation adds to them. */
async function bytes() {
  const prefix = `m${prefixes++}`
  const { send } = redisStore(redis, { prefix })
  const size = async (what) => {
    const [key] = await redis.keys(`${prefix}:{*}:${what}:acct_0`)
    return key ? redis.memory('USAGE', key, 'SAMPLES', '0') : 0
  }
  const one = (command) => ({ ...command, account: 'acct_0' })
  await send({ ...one(reserveOf(0)), ceiling: 0 })
  await send({ kind: 'release', account: 'acct_0', reservation: reservationOf(0) })
  const idle = { account: await size('account'), journal: await size('journal') }
  const many = 10_000
  await forEach(256, many, (i) => send(one(reserveOf(i + 1))))
  const open = { account: await size('account') }
  await forEach(256, many, (i) => send(one(settleOf(i + 1))))
  const settled = { account: await size('account'), journal: await size('journal') }
  return [
    { what: 'an account after its first call', bytes: idle.account + idle.journal },
    { what: 'an open reservation', bytes: Math.round((open.account - idle.account) / many) },
    { what: 'a settled reservation (2 minutes)', bytes: Math.round((settled.account - idle.account) / many) },
    { what: 'a ledger entry', bytes: Math.round((settled.journal - idle.journal) / many) },
  ]
}

function tidy(number) {
  return Math.round(number * 100) / 100
}

async function freePort() {
  const probe = createServer().listen(0)
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
