import { apply, emptyAccount, type AccountState, type LedgerReply } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, expect, inject, test } from 'vitest'
import { sentAt, steps, type Step } from './commands.js'
import { forget, plain, type PlainAccount } from './plain.js'
import { forgetRecords, readAccounts } from './stored.js'

/** More for a longer search: `FAREBOX_MODEL_RUNS=5000 npx vitest run test/model` */
const RUNS = Number(process.env['FAREBOX_MODEL_RUNS'] ?? 100)
const START = 20_000 * 86_400_000
const UNUSED = plain(emptyAccount, 0, false)

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

async function run(given: readonly Step[], exporting: boolean): Promise<void> {
  const prefix = crypto.randomUUID()
  let now = START
  const store = redisStore(redis, { prefix, now: () => now })
  const model = new Map<string, AccountState>()
  if (exporting) await store.send({ kind: 'export_journal' })
  for (const { elapsedMs, commands } of given) {
    if (elapsedMs < 0) {
      // What is forgotten stays so when the clock is put back; only when it is thrown away differs between the two.
      await forgetRecords(redis, prefix, now)
      for (const [account, state] of model) model.set(account, forget(state, now))
    }
    now += elapsedMs
    // Who does not export asks nobody how far that is.
    const sent = commands.filter(({ kind }) => exporting || kind !== 'exported').map((command) => sentAt(command, now))
    const expected = sent.map((command): LedgerReply => {
      const [state, reply] = apply(model.get(command.account) ?? emptyAccount, command, now)
      if (state !== emptyAccount) model.set(command.account, state)
      return reply
    })
    expect((await Promise.all(sent.map((command) => store.send(command)))).map(sorted)).toEqual(expected.map(sorted))
    expect(used(await readAccounts(redis, prefix, now))).toEqual(used([...model].map(([account, state]) => [account, plain(state, now, exporting)])))
  }
  // Or each run would search the keys of all before it.
  const keys = await redis.keys(`${prefix}:*`)
  if (keys.length > 0) await redis.unlink(...keys)
}

/** Without the accounts of which nothing is left. */
function used(accounts: Iterable<[string, PlainAccount]>): Map<string, PlainAccount> {
  return new Map([...accounts].filter(([, account]) => !isDeepStrictEqual(account, UNUSED)))
}

/** Rows of usage come in no particular order. */
function sorted(reply: LedgerReply): LedgerReply {
  if (reply.kind !== 'usage') return reply
  return { ...reply, rows: [...reply.rows].sort((a, b) => a.day - b.day || (a.product < b.product ? -1 : 1)) }
}

test(`redisStore and the ledger agree on every reply and on the whole account, over ${RUNS} random runs`, async () => {
  // A failure prints the seed and the path that lead to the shortest such run.
  await fc.assert(fc.asyncProperty(steps, fc.boolean(), run), { numRuns: RUNS })
}, 60_000 + RUNS * 400)
