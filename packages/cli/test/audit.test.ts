import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { audit as auditIn } from '../dist/audit/audit.js'
import { repair as repairIn } from '../dist/audit/repair.js'
import { CREDIT, seed, START } from './books.js'
import { documents, farebox } from './farebox.js'

/** A database of its own: an audit goes through all of its keys. */
const REDIS_URL = `${inject('redisUrl')}/5`

const redis = new Redis(REDIS_URL)
afterAll(() => redis.quit())

let prefix = ''
let now = 0
/** A key of ada's. */
let key: (kind: string) => string = String
const audit = async () => documents(await farebox(['audit', '--json', '--prefix', prefix], { REDIS_URL }))
const repair = async () => {
  const ended = await farebox(['audit', '--repair', '--yes', '--json', '--prefix', prefix], { REDIS_URL })
  return { ...ended, documents: documents(ended) }
}
/** What is found now, without a process of its own. */
async function found() {
  const all = []
  for await (const { findings } of auditIn(redis, prefix, 16)) all.push(...findings)
  return all
}
const faults = async () => (await found()).map(({ finding }) => finding)
/** Where the store has an account, of 16. */
const partitionOf = (account: string) => [...account].reduce((hash, sign) => Math.imul(hash ^ sign.charCodeAt(0), 0x01000193), 0x811c9dc5 | 0) >>> 0 & 15
/** A call of ada's that costs a credit. @param details of its entry */
async function call(details = ''): Promise<void> {
  const store = redisStore(redis, { prefix, partitions: 16, now: () => now })
  const its = { account: 'ada', reservation: 'another', key: '', payload: '', ceiling: 2 * CREDIT }
  expect(await store.send({ kind: 'reserve', ...its, allowance: 20 * CREDIT, ttlMs: 60_000 })).toMatchObject({ kind: 'reserved' })
  expect(await store.send({ kind: 'settle', ...its, charge: CREDIT, product: 'a search', response: '', firstSentAt: now, details })).toMatchObject({ kind: 'settled', charge: CREDIT })
}
const summary = (findings: number, accounts = 2) => ({ summary: { accounts, findings, seconds: expect.any(Number) } })

beforeEach(async () => {
  ;({ prefix, now } = await seed(redis))
  const [account] = await redis.keys(`${prefix}:*:account:ada`)
  key = (kind) => account!.replace('account', kind)
})

it('finds nothing wrong with an account that has had every kind of movement', async () => {
  expect(await farebox(['audit', '--prefix', prefix, '--redis', REDIS_URL])).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^2 accounts checked in [\d.]+ s, 0 findings\n$/) })
  expect(await audit()).toEqual([summary(0)])
})

it('looks at no other prefix', async () => {
  await redis.hset(`${prefix}:more:{3}:account:eve`, ':balance', '7')
  await redis.hset(`x${prefix}:{3}:account:eve`, ':balance', '7')
  expect(await audit()).toEqual([summary(0)])
})

it('reads an entry that tells of line separators, which JSON leaves as they are', async () => {
  await call(JSON.stringify({ requestId: '\u2028\u2029' }))
  expect(await faults()).toEqual([])
})

it('says in words what is wrong, and ends with 1', async () => {
  await redis.hincrby(key('account'), ':balance', 2 * CREDIT)
  expect(await farebox(['audit', '--prefix', prefix, '--redis', REDIS_URL])).toEqual({
    code: 1, stderr: '', stdout: expect.stringMatching(/^ada {2}balance: expected 50, found 52 – the balance is the sum of the entries\n2 accounts checked in [\d.]+ s, 1 findings\n$/),
  })
})

const lots = async () => (await redis.hget(key('account'), ':lots'))!
const journal = () => redis.lrange(key('journal'), 0, -1)
const set = (field: string, value: string) => redis.hset(key('account'), field, value)

async function changeUsage(day: string, from: RegExp, to: string): Promise<void> {
  const used = (await redis.hget(key('account'), `:u${day}`))!
  expect(used).toMatch(from)
  await set(`:u${day}`, used.replace(from, to))
}

const grant = (id: string, credits: number) => redisStore(redis, { prefix, partitions: 16, now: () => now })
  .send({ kind: 'grant', account: 'ada', grant: id, amount: credits * CREDIT, reason: 'allowance', source: 'top-up', priority: 50, expiresAt: 0 })

/** Of ada. */
const wrong = (check: string, expected: unknown, found: unknown, at?: string) => ({ account: 'ada', check, ...(at !== undefined && { at }), expected, found })
const any = expect.anything() as unknown

describe('finds, and repairs', () => {
  it.each<[string, () => Promise<unknown>, object[]]>([
    ['a balance that is off', () => redis.hincrby(key('account'), ':balance', 1), [wrong('balance', 50, 50.000001)]],
    ['a balance that is gone', () => redis.hdel(key('account'), ':balance'), [wrong('balance', 50, 0), wrong('plain', 'at least 0', -50), wrong('available', 'at least 0', -8)]],
    ['a balance that is no number', () => set(':balance', '50 credits'), [wrong('readable', any, '50 credits', ':balance')]],
    ['credits that are reserved by nobody', () => redis.hincrby(key('account'), ':reserved', 1), [wrong('reserved', 8, 8.000001)]],
    ['a negative reserved', () => set(':reserved', '-5'), [wrong('reserved', 8, -0.000005)]],
    ['more reserved than there is', () => set(':reserved', String(60 * CREDIT)), [wrong('reserved', 8, 60), wrong('available', 'at least 0', -10)]],
    ['a reservation that is gone', () => redis.hdel(key('account'), 'open'), [wrong('held', 5, 8, 'grant again'), wrong('reserved', 5, 8), wrong('budgets', 0, 3, 'key: a, month'), wrong('budgets', 0, 3, 'all, total')]],
    ['a lot with too little', async () => set(':lots', (await lots()).replace('again=50000000', 'again=49000000')), [wrong('lots', 50, 49, 'grant again')]],
    ['a lot with more than the balance', async () => set(':lots', (await lots()).replace('again=50000000', 'again=70000000')), [wrong('plain', 'at least 0', any), wrong('lots', 50, 70, 'grant again')]],
    ['a lot that ends at another time', async () => set(':lots', (await lots()).replace(/(again=\S+):\d+:/, '$1:1:')), [wrong('lots', any, expect.stringContaining('1970'), 'terms and order')]],
    ['a lot that is gone', async () => set(':lots', (await lots()).replace(/ again=\S+/, '')), [wrong('lots', 50, 0, 'grant again'), wrong('held', 8, 0, 'grant again')]],
    ['lots that are gone', () => redis.hdel(key('account'), ':lots'), [wrong('lots', 50, 0, 'grant again'), wrong('held', 8, 0, 'grant again')]],
    ['lots that can\'t be read', () => set(':lots', ' again=many'), [wrong('readable', any, ' again=many', ':lots')]],
    ['usage that is off', () => changeUsage('20044', /=(\d+):(\d+)/, '=$1:1$2'), [wrong('usage', any, any, 'charged on 2024-11-17, a search')]],
    ['usage of nothing', () => changeUsage('20044', /$/, ' more=2:5000000'), [wrong('usage', 0, 5, 'charged on 2024-11-17, more')]],
    ['too few calls', () => changeUsage('20044', /=2:/, '=1:'), [wrong('usage', 'at least 2', 1, 'calls on 2024-11-17, a search')]],
    ['refunds that usage has not', () => changeUsage('20043', /:3000000\b/, ''), [wrong('usage', 3, 0, 'refunded on 2024-11-16, a search')]],
    ['a day that is gone', () => set(':days', '20040 20044'), [wrong('usage', 3, 0, 'refunded on 2024-11-16, a search')]],
    ['all days that are gone', () => redis.hdel(key('account'), ':days', ':u20043'), expect.arrayContaining([wrong('usage', 3, 0, 'refunded on 2024-11-16, a search')])],
    ['a grant that is not remembered', () => redis.hdel(key('grants'), 'last'), [wrong('grants', 30, 0, 'grant last')]],
    ['a grant that only has the name of an allowance', () => grant('allowance', 3).then(() => redis.hdel(key('grants'), 'allowance')), [wrong('grants', 3, 0, 'grant allowance')]],
    ['an allowance that is not remembered', () => redis.hdel(key('account'), ':provisioned'), [wrong('allowance', 'given', 'not given')]],
    ['a budget that holds too much', () => set(':wtotal:all', '0 0 4000000'), [wrong('budgets', 3, 4, 'all, total')]],
    ['several at once', () => redis.hset(key('account'), { ':balance': '1', ':reserved': 'x', ':lots': '' }), expect.arrayContaining([wrong('balance', 50, 0.000001), wrong('readable', any, 'x', ':reserved')])],
  ])('%s', async (_, corrupt, findings) => {
    await corrupt()
    const before = await found()
    expect(before.map(({ finding }) => finding)).toEqual(findings)
    expect(await repairIn(redis, before)).toEqual(before.map(({ finding }) => ({ ...finding, kind: 'repaired' })))
    expect(await faults()).toEqual([])
    await call()
    expect(await faults()).toEqual([])
  })

  it('an account that is gone', async () => {
    const before = await redis.hgetall(key('account'))
    await redis.del(key('account'))
    const orphans = ['journal', 'grants', 'refunds', 'call', 'operation'].map((kind) => ({ account: 'ada', check: 'orphan', expected: key('account'), found: expect.stringContaining(`:${kind}:ada`) }))
    const found = await audit()
    expect(found.slice(0, -1)).toHaveLength(orphans.length)
    expect(found.slice(0, -1)).toEqual(expect.arrayContaining(orphans))
    expect(found.at(-1)).toEqual(summary(orphans.length, 1))

    const { code, documents: told } = await repair()
    expect({ code, summary: told.at(-1) }).toEqual({ code: 0, summary: { summary: { accounts: 1, findings: 5, repaired: 5, left: 0, seconds: any } } })
    expect(await faults()).toEqual([])
    // Its reservations are gone: what they held is free again.
    expect(await redis.hgetall(key('account'))).toMatchObject({ ':balance': before[':balance'], ':lots': (before[':lots']!).replace(/:8000000:/, ':0:'), ':provisioned': '1', ':days': '20040 20043 20044' })
    expect(await redis.hget(key('account'), ':reserved')).toBeNull()
    await call()
    expect(await faults()).toEqual([])
  })
})

describe('finds, and says why it is left', () => {
  it.each<[string, () => Promise<unknown>, object[], (string | null)[]]>([
    ['an entry that is gone', async () => redis.lrem(key('journal'), 1, (await journal())[2]!),
      [wrong('balance', -50, 50), wrong('entries', any, any, 'entry 3'), wrong('grants', 0, 100, 'grant plain')], Array(3).fill('its entries add up to -50')],
    ['an entry that was changed', async () => redis.lset(key('journal'), 2, (await journal())[2]!.replace('100000000 ', '100000001 ')),
      [wrong('balance', 50.000001, 50), wrong('entries', 116.000001, 116, 'entry 3'), wrong('grants', 100.000001, 100, 'grant plain')],
      [null, 'entries are never changed', 'it is not what its entry says, or it has none']],
    ['a journal that is gone', () => redis.del(key('journal')), expect.arrayContaining([wrong('balance', 0, 50)]), Array(14).fill('there is no journal to rebuild it from')],
    ['the beginning of a journal that is gone', () => redis.lpop(key('journal')), expect.arrayContaining([wrong('balance', 30, 50), wrong('entries', -4, 16, 'entry 1')]), Array(2).fill('the beginning of its journal is gone')],
    ['refunds above the charge', () => redis.rpush(key('journal'), `refund ${START} 0 50000000 0 r1 `).then(() => redis.hset(key('refunds'), 'r1', String(13 * CREDIT))),
      [wrong('refunds', 12, 13, 'reservation r1'), wrong('refunds', 'at most 12', 13, 'reservation r1')], Array(2).fill(expect.stringContaining('stays so'))],
    ['refunds that are not remembered', () => redis.del(key('refunds')), [wrong('refunds', 12, 0, 'reservation r1'), wrong('refunds', 12, 0, 'reservation r1, one by one')], [null, expect.stringContaining('do not say which refund')]],
    ['a grant without an entry', () => redis.hset(key('grants'), 'more', '7'), [wrong('grants', 0, 0.000007, 'grant more')], ['it is not what its entry says, or it has none']],
    ['a reservation that can\'t be read', () => set('open', 'o1 many'), [wrong('readable', any, 'o1 many', 'open')], ['what the reservation open holds is not known']],
    ['a budget that can\'t be read', () => set(':wtotal:all', 'much'), [wrong('readable', any, 'much', ':wtotal:all')], ['what it was is not known']],
    ['an entry that can\'t be read', () => redis.lset(key('journal'), 0, 'nonsense'), [wrong('readable', any, 'can\'t be read: nonsense')], ['what it was is not known']],
    ['a key of another type', () => redis.del(key('journal')).then(() => redis.set(key('journal'), 'x')), [wrong('readable', any, expect.stringMatching(/^WRONGTYPE/))], ['what it was is not known']],
  ])('%s', async (_, corrupt, findings, why) => {
    await corrupt()
    const before = await found()
    expect(before.map(({ finding }) => finding)).toEqual(findings)

    const outcomes = await repairIn(redis, before)
    const left = outcomes.flatMap((outcome) => (outcome.kind === 'left' ? [outcome] : []))
    expect(outcomes.length - left.length).toBe(why.filter((reason) => reason === null).length)
    expect(left.map((outcome) => outcome.why)).toEqual(why.filter((reason) => reason !== null))
    expect(await faults()).toEqual(left.map(({ why, kind, ...finding }) => why && kind && finding))
  })

  it('keys without an account and a journal', async () => {
    await redis.del(key('account'), key('journal'))
    const { code, documents: told } = await repair()
    expect(code).toBe(1)
    expect(told.slice(4, -1)).toEqual(Array.from({ length: 4 }, () => ({ left: { account: 'ada', check: 'orphan', expected: key('account'), found: any, why: 'there is no journal to rebuild it from' } })))
    expect(await redis.exists(key('account'))).toBe(0)
  })

  it('an account where the store does not look for it', async () => {
    const elsewhere = key('account').replace(/\{\d+\}/, '{99}').replace('ada', 'eve')
    await redis.hset(elsewhere, ':reserved', '0')
    await redis.rpush(elsewhere.replace('account', 'journal').replace('eve', 'ida'), 'x')
    const misplaced = { account: 'eve', check: 'partition', at: elsewhere, expected: any, found: 99 }
    expect(await audit()).toEqual(expect.arrayContaining([misplaced, summary(3, 3)]))
    const { code, documents: told } = await repair()
    expect({ code, summary: told.at(-1) }).toEqual({ code: 1, summary: { summary: { accounts: 3, findings: 3, repaired: 0, left: 3, seconds: any } } })
    expect(told).toEqual(expect.arrayContaining([{ left: { ...misplaced, why: expect.stringContaining('by hand') } }]))
    expect(await redis.hgetall(elsewhere)).toEqual({ ':reserved': '0' })
  })
})

it('repairs what came of a wrong balance that calls have gone on with', async () => {
  await redis.hincrby(key('account'), ':balance', 7 * CREDIT)
  await call()
  const { code, documents: told } = await repair()
  expect(code).toBe(1)
  expect(told.slice(2, -1)).toEqual([
    { repaired: { account: 'ada', check: 'balance', before: 56, after: 49 } },
    { left: { account: 'ada', check: 'entries', at: expect.stringMatching(/^entry \d+$/), expected: 49, found: 56, why: 'entries are never changed' } },
  ])
})

it('counts no call less: those that cost nothing have no entry', async () => {
  await changeUsage('20044', /=2:/, '=7:1')
  expect(await repairIn(redis, await found())).toMatchObject([{ kind: 'repaired', check: 'usage' }])
  expect(await redis.hget(key('account'), ':u20044')).toMatch(/=7:\d+$/)
})

it('asks first, and not where there is nobody to ask', async () => {
  await redis.hincrby(key('account'), ':balance', 1)
  expect(await farebox(['audit', '--repair', '--prefix', prefix, '--redis', REDIS_URL])).toEqual({ code: 2, stdout: '', stderr: 'farebox: --repair: there is no terminal to ask on; add --yes\n' })
  expect(await redis.hget(key('account'), ':balance')).toBe('50000001')
  const { stdout } = await farebox(['audit', '--repair', '--yes', '--prefix', prefix, '--redis', REDIS_URL])
  expect(stdout.split('\n')).toEqual([
    'ada  balance: expected 50, found 50.000001 – the balance is the sum of the entries',
    'ada  balance: repaired, 50.000001 → 50',
    expect.stringMatching(/^2 accounts checked in [\d.]+ s, 1 findings, 1 repaired, 0 left$/), '',
  ])
})

it.each([['no number', 'many', /is no number of partitions: many/], ['fewer', '8', /not spread over 8 partitions/], ['more', '64', /not spread over 64 partitions/]])(
  'does not run where the number of partitions is not what is recorded: %s', async (_, recorded, message) => {
    await Promise.all(Array.from({ length: 40 }, (_, i) => redis.hset(key('account').replace(/\{\d+\}.*/, `{${partitionOf(`a${i}`)}}:account:a${i}`), ':reserved', '0')))
    expect(await audit()).toEqual([summary(0, 42)])
    await redis.set(`${prefix}:partitions`, recorded)
    const { code, stdout, stderr } = await farebox(['audit', '--repair', '--yes', '--prefix', prefix], { REDIS_URL })
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(message) })
  })

it('tells programs what was and what is', async () => {
  await redis.hincrby(key('account'), ':balance', 1)
  await redis.hset(key('grants'), 'more', '7')
  const [balance, grant] = [wrong('balance', 50, 50.000001), wrong('grants', 0, 0.000007, 'grant more')]
  expect(await repair()).toMatchObject({
    code: 1, stderr: '', documents: [
      balance, grant, { repaired: { account: 'ada', check: 'balance', before: 50.000001, after: 50 } }, { left: { ...grant, why: 'it is not what its entry says, or it has none' } },
      { summary: { accounts: 2, findings: 2, repaired: 1, left: 1, seconds: any } },
    ],
  })
})

it('writes nothing where nothing is wrong', async () => {
  const before = await redis.hgetall(key('account'))
  expect((await repair()).documents).toEqual([{ summary: { accounts: 2, findings: 0, repaired: 0, left: 0, seconds: any } }])
  expect(await redis.hgetall(key('account'))).toEqual(before)
})

describe('many', () => {
  it('accounts, and entries of one account, are looked at page by page', async () => {
    const store = redisStore(redis, { prefix, partitions: 16 })
    await Promise.all(Array.from({ length: 1_700 }, (_, i) =>
      store.send({ kind: 'grant', account: i % 2 ? `a${i}` : 'eve', grant: `g${i}`, amount: 1, reason: '', source: '', priority: 50, expiresAt: 0 })))
    await store.close()
    expect(await audit()).toEqual([summary(0, 853)])
    const [eve] = await redis.keys(`${prefix}:*:journal:eve`)
    await redis.lset(eve!, 700, (await redis.lindex(eve!, 700))!.replace(/ 1 701 /, ' 2 702 '))
    expect(await audit()).toEqual([
      { account: 'eve', check: 'balance', expected: 0.000851, found: 0.00085 },
      { account: 'eve', check: 'entries', at: 'entry 702', expected: 0.000703, found: 0.000702 },
      { account: 'eve', check: 'grants', at: 'grant g1400', expected: 0.000002, found: 0.000001 }, summary(3, 853),
    ])
  })
})
