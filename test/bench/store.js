// What the Redis store costs: commands a second, the server's own microseconds, and bytes.
import { redisStore } from '@farebox/redis'
import { batchSender } from '../../packages/redis/dist/batch.js'
import { encodeCommand } from '../../packages/redis/dist/codec.js'
import { keySpace } from '../../packages/redis/dist/keys.js'
import { forEach, summary, text } from './statistics.js'

const ACCOUNTS = 1_000
const PAIRS = Number(process.env.PAIRS ?? 3_000)
const ROUNDS = Number(process.env.ROUNDS ?? 11)

let prefixes = 0

export async function measureStore({ redis }) {
  const empty = await redis.script('LOAD', 'return 1')
  const senders = {
    batched: () => redisStore(redis, { prefix: `bench${prefixes++}` }).send,
    // The same program on the same connection, one EVALSHA for each command.
    alone: () => {
      const sendBatch = batchSender(redis, keySpace(`bench${prefixes++}`, 64), undefined, { on: false })
      return (command) => new Promise((resolve, reject) => void sendBatch([{ command, encoded: encodeCommand(command), resolve, reject }]))
    },
  }

  console.log('\nCommands a second, a reserve and a settle in turn; usage and journal on')
  console.table(await table(async (inFlight) => {
    const rounds = await repeat(async () => {
      const figures = {}
      for (const [name, sender] of Object.entries(senders)) figures[name] = (await timed(redis, () => pairs(sender(), inFlight), 2 * PAIRS)).perSecond
      await redis.flushall()
      return figures
    })
    const column = (name) => text(summary(rounds.map((figures) => figures[name])), 0)
    return {
      'batched': column('batched'), 'one EVALSHA a command': column('alone'),
      'times': text(summary(rounds.map(({ batched, alone }) => batched / alone)), 2),
    }
  }))

  console.log('\nMicroseconds of the server (commandstats) a command')
  console.table(await table(async (inFlight) => {
    const rounds = await repeat(() => serverRound(redis, senders.batched(), empty, inFlight))
    const column = (of) => text(summary(rounds.map(of)), 2)
    return {
      'reserve': column(({ reserve }) => reserve), 'settle': column(({ settle }) => settle),
      'empty EVALSHA': column(({ nothing }) => nothing), 'empty, same arguments': column(({ same }) => same),
      'pair / two empty': column(({ reserve, settle, nothing }) => (reserve + settle) / (2 * nothing)),
      'pair / two empty, same arguments': column(({ reserve, settle, same }) => (reserve + settle) / (2 * same)),
    }
  }))

  console.log('\nBytes (MEMORY USAGE)')
  console.table(await bytes(redis, senders.batched))
}

async function table(row) {
  const rows = {}
  for (const inFlight of [1, 64, 256]) rows[`${inFlight} in flight`] = await row(inFlight)
  return rows
}

async function repeat(round) {
  await round() // warm
  const rounds = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round())
  return rounds
}

async function serverRound(redis, send, empty, inFlight) {
  const same = ['bench:{12}:account:acct_100', 'bench:{12}:journal:acct_100', '', '1', reservationOf(1), 'reserve', '2000000', '1000000000000', '60000']
  await pairs(send, 256) // accounts past their first call of the day
  const micros = async (act) => (await timed(redis, () => forEach(inFlight, PAIRS, act), PAIRS)).serverMicros
  const figures = {
    nothing: await micros(() => redis.evalsha(empty, 0)),
    same: await micros(() => redis.evalsha(empty, 2, ...same)),
    reserve: await micros((i) => send(reserveOf(PAIRS + i))),
    settle: await micros((i) => send(settleOf(PAIRS + i))),
  }
  await redis.flushall()
  return figures
}

async function pairs(send, inFlight) {
  await forEach(inFlight, PAIRS, async (i) => {
    await send(reserveOf(i))
    await send(settleOf(i))
  })
}

export async function timed(redis, act, count) {
  await redis.config('RESETSTAT')
  const start = performance.now()
  await act()
  const seconds = (performance.now() - start) / 1_000
  const stats = await redis.info('commandstats')
  const micros = [...stats.matchAll(/^cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/gm)].reduce((sum, [, usec]) => sum + Number(usec), 0)
  return { serverMicros: micros / count, perSecond: count / seconds }
}

export function reserveOf(i) {
  return { kind: 'reserve', account: accountOf(i), reservation: reservationOf(i), ceiling: 2_000_000, allowance: 1e12, ttlMs: 60_000, key: '', payload: '' }
}

export function settleOf(i) {
  return { kind: 'settle', account: accountOf(i), reservation: reservationOf(i), ceiling: 2_000_000, charge: 1_500_000, product: `product-${i % 3}`, firstSentAt: Date.now(), key: '', payload: '', response: '' }
}

/** As long as billing's own. */
function reservationOf(i) {
  return `Vq3mXy7RtB2k${i.toString(36).padStart(4, '0')}`
}

export function accountOf(i) {
  return `acct_${(i * 7919) % ACCOUNTS}`
}

/** What one account's keys weigh, and what each open or settled reservation adds to them. */
async function bytes(redis, makeSender) {
  const prefix = `bench${prefixes}`
  const send = makeSender()
  const size = async (what) => {
    const [key] = await redis.keys(`${prefix}:{*}:${what}:acct_0`)
    return key ? redis.memory('USAGE', key, 'SAMPLES', '0') : 0
  }
  const many = 10_000
  const mine = (command) => ({ ...command, account: 'acct_0' })
  await send({ ...mine(reserveOf(0)), ceiling: 0 })
  await send({ kind: 'release', account: 'acct_0', reservation: reservationOf(0), key: '' })
  const idle = { account: await size('account'), journal: await size('journal') }
  await forEach(256, many, (i) => send(mine(reserveOf(i + 1))))
  const open = await size('account')
  await forEach(256, many, (i) => send(mine(settleOf(i + 1))))
  const settled = { account: await size('account'), journal: await size('journal') }
  return {
    'an idle account': { bytes: idle.account + idle.journal },
    'an open reservation': { bytes: Math.round((open - idle.account) / many) },
    'a settled reservation, for two minutes': { bytes: Math.round((settled.account - idle.account) / many) },
    'a ledger entry': { bytes: Math.round((settled.journal - idle.journal) / many) },
  }
}
