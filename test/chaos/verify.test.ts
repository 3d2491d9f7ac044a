import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, expect, inject, it } from 'vitest'
import { Book } from './book.js'
import { untilNothingReserved, verify } from './verify.js'

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.disconnect())

const account = 'ada'
let prefix: string
let store: ReturnType<typeof redisStore>
let book: Book

/** A call of 10 that its client was told of, as the ledger has it. */
async function charge(reservation: string, id: string): Promise<void> {
  await store.send({ kind: 'reserve', account, reservation, ceiling: 20, allowance: 100, ttlMs: 60_000, key: '', payload: '' })
  const details = JSON.stringify({ requestId: id })
  await store.send({ kind: 'settle', account, reservation, ceiling: 20, charge: 10, product: 'work', firstSentAt: Date.now(), details, key: '', payload: '', response: '' })
  told(id)
}

function told(id: string, { cost = 10, amount = cost, pending = false }: { cost?: number, amount?: number, pending?: boolean } = {}): void {
  book.works.set(id, { id, account, price: 20, charge: cost, keyed: false })
  book.charged.set(id, { amount, pending })
}

async function key(kind: string): Promise<string> {
  return (await redis.keys(`${prefix}:*:${kind}:*`))[0]!
}

beforeEach(async () => {
  prefix = crypto.randomUUID()
  store = redisStore(redis, { prefix })
  book = new Book()
  book.accounts.add(account)
  await charge('r1', 'w1')
})

it('finds nothing where all is as it was told', async () => {
  expect(await verify(redis, prefix, book, [])).toEqual({ faults: [], lostCharges: 0, lostPending: 0, givenUp: 0, lostGrants: 0 })
})

it.each<[string, string | RegExp, () => unknown]>([
  ['an account that was overspent', 'ada was overspent', async () => {
    told('w2', { cost: 110 })
    await redis.rpush(await key('journal'), 'charge 1 -110 -20 0 r2 work  {"requestId":"w2"}')
    await redis.hset(await key('account'), ':balance', '-20')
  }],
  ['a balance that is not what its entries add up to', /^ada has 91, .* add up to 90$/, async () => redis.hincrby(await key('account'), ':balance', 1)],
  ['a call charged twice', 'charge w1 is there twice', () => charge('r2', 'w1')],
  ['a charge other than what the call cost', /^charge w1 of ada is 10, short 0; it cost 5/, () => told('w1', { cost: 5, amount: 10 })],
  ['a charge other than what was told', /^charge w1 of ada is 10, .* was told {"amount":11,"pending":false}$/, () => told('w1', { amount: 11 })],
  ['a charge of a call that nobody made', /^charge w1 of ada .* cost undefined/, () => book.works.clear()],
  ['a grant that nobody made', /^grant g1 of ada is 5 instead of undefined$/, () => grant('g1')],
  ['what the audit finds', /^audit: /, async () => redis.hset(await key('account'), ':reserved', '7')],
])('finds %s', async (_, fault, doctor) => {
  await doctor()
  const { faults } = await verify(redis, prefix, book, [])
  expect(faults).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault))
})

it('counts what was told and is not there', async () => {
  told('w2')
  told('w3', { pending: true })
  told('w4', { pending: true })
  book.granted.add('g1')
  expect(await verify(redis, prefix, book, ['farebox: given up the charge of w4'])).toEqual({ faults: [], lostCharges: 1, lostPending: 1, givenUp: 1, lostGrants: 1 })
})

it('sees how long credits stay set aside', async () => {
  expect(await untilNothingReserved(redis, prefix, book, 1_000)).toBeLessThan(1_000)
  await store.send({ kind: 'reserve', account, reservation: 'r2', ceiling: 20, allowance: 0, ttlMs: 60_000, key: '', payload: '' })
  expect(await untilNothingReserved(redis, prefix, book, 100)).toBe(Infinity)
})

function grant(id: string) {
  return store.send({ kind: 'grant', account, grant: id, amount: 5, reason: '', source: '', priority: 50, expiresAt: 0 })
}
