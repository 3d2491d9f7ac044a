// `npm run bench:features [-- <another checkout, installed and built>]`: the server's own microseconds of a reserve and a settle, for what an account
// uses; and, for comparison in the same run, of the other checkout's version.
import { pathToFileURL } from 'node:url'
import { redisStore } from '@farebox/redis'
import { startServer } from './server.js'
import { forEach, interleave, summary, text } from './statistics.js'
import { accountOf, reserveOf, settleOf, timed } from './store.js'

const PAIRS = Number(process.env.PAIRS ?? 3_000)
const ROUNDS = Number(process.env.ROUNDS ?? 11)
const ACCOUNTS = 1_000
const HOUR = 3_600_000

const scopes = (count) => Array.from({ length: count }, (_, i) => ({ scope: `key:${i}`, window: 'day' }))
const limited = (count) => scopes(count).map((scope) => ({ ...scope, limit: 1e15 }))
const thresholds = [{ kind: 'below', amount: 20 }, { kind: 'used', millionths: 800_000 }]
const grant = (i, grant, more) => ({ kind: 'grant', account: accountOf(i), grant, amount: 1e12, reason: '', source: 'promotion', priority: 50, expiresAt: 0, ...more })

/** What every account is given first, and what is different about its commands. */
const features = {
  'nothing of it': {},
  'an allowance each month': { reserve: { recurrence: { every: 'month', rollover: 0 } } },
  'three grants that end': { first: (i) => [1, 2, 3].map((n) => grant(i, `g${n}`, { expiresAt: Date.now() + n * HOUR })) },
  'one budget': { reserve: { budgets: limited(1) } },
  'three budgets': { reserve: { budgets: limited(3) } },
  'two thresholds (a watch with each settle)': { watch: true },
  'details of 100 characters': { settle: { details: JSON.stringify({ requestId: 'x'.repeat(84) }) } },
}

const [other] = process.argv.slice(2)
const server = await startServer()
const { redis } = server
let prefixes = 0

try {
  for (const inFlight of [1, 64]) {
    const variants = Object.fromEntries(Object.entries(features).map(([name, feature]) => [name, () => round(redisStore, feature, inFlight)]))
    if (other) {
      const { redisStore: ofOther } = await import(pathToFileURL(`${other}/packages/redis/dist/index.js`).href)
      variants['the other version'] = () => round(ofOther, {}, inFlight)
    }
    await interleave(1, variants) // warm
    const results = await interleave(ROUNDS, variants)
    const column = (rounds, of) => text(summary(rounds.map(of)), 2)
    console.log(`\nMicroseconds of the server, ${inFlight} in flight: medians (quartiles)`)
    console.table(Object.fromEntries(Object.entries(results).map(([name, rounds]) => [name, {
      reserve: column(rounds, ({ reserve }) => reserve), settle: column(rounds, ({ settle }) => settle),
      'both, times nothing of it': column(rounds.map((of, i) => (of.reserve + of.settle) / (results['nothing of it'][i].reserve + results['nothing of it'][i].settle)), (times) => times),
    }])))
  }
} finally {
  await server.stop()
}

async function round(makeStore, { first = () => [], reserve = {}, settle = {}, watch = false }, inFlight) {
  const { send } = makeStore(redis, { prefix: `bench${prefixes++}` })
  await forEach(64, ACCOUNTS, async (i) => {
    for (const command of first(i)) await send(command)
    await send({ ...reserveOf(i), reservation: `first${i}`, ...reserve })
    await send({ ...settleOf(i), reservation: `first${i}` })
  })
  const micros = async (act) => (await timed(redis, () => forEach(inFlight, PAIRS, act), PAIRS)).serverMicros
  const figures = {
    reserve: await micros((i) => send({ ...reserveOf(i), ...reserve })),
    settle: await micros(async (i) => {
      await send({ ...settleOf(i), ...settle })
      if (watch) await send({ kind: 'watch', account: accountOf(i), watch: `w${i}`, thresholds })
    }),
  }
  await redis.flushall()
  return figures
}
