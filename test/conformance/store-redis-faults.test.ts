import { isFareboxError, type Command, type ReadAccounts, type ReplyTo, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { freePort, startRedis } from '../support/redis.js'

let prefix: string
let redis: Redis
beforeEach(() => {
  prefix = crypto.randomUUID()
  redis = new Redis(inject('redisUrl'))
})
afterEach(() => redis.quit())

const grant = (account: string, amount = 5): Command => ({ kind: 'grant', account, grant: 'g', amount, reason: '', source: '', priority: 50, expiresAt: 0 })
const reserve = (account: string): Command => ({ kind: 'reserve', account, reservation: 'r', ceiling: 1, allowance: 1, ttlMs: 60_000, key: '', payload: '' })

function opened(store: Store): Store {
  onTestFinished(() => store.close())
  return store
}

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

describe('what it is opened with', () => {
  test.each([
    [undefined, 'undefined'], ['', 'an empty string'], ['localhost:6379', 'no such URL'], ['http://localhost', 'no such URL'],
    ['redis://', 'no such URL'], ['redis://:pa:ss@[', 'no such URL'], [null, 'null'], [{}, 'object'],
  ])('%j is refused, with what was expected', (connection, got) => {
    const error = thrownBy(() => redisStore(connection as never))
    expect(isFareboxError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID' })
    expect((error as Error).message).toContain('a redis:// or rediss:// URL')
    expect((error as Error).message).toContain(got)
    expect((error as Error).message).not.toContain('pa:ss')
  })

  test.each([{ prefix: '' }, { prefix: 'a{b}' }, { partitions: 0 }, { partitions: 1.5 }, { partitions: Number.NaN }, { partitions: 20_000 }])(
    'options %j are refused', (options) => {
      expect(thrownBy(() => redisStore(redis, options))).toMatchObject({ code: 'OPTIONS_INVALID' })
    })

  test('a client stays open when the store is closed, a URL does not', async () => {
    const mine = redisStore(redis, { prefix })
    await mine.send(grant('ada'))
    await mine.close()
    expect(await redis.ping()).toBe('PONG')

    const its = redisStore(inject('redisUrl'), { prefix })
    const last = its.send(grant('bob'))
    await its.close()
    expect(await last).toMatchObject({ kind: 'granted' })
    await expect(its.send(grant('ada'))).rejects.toThrow('closed')
    await expect(its.send({ kind: 'locate', operation: 'op' })).rejects.toThrow('closed')
  })

  test('a store that never sent anything can be closed, also where nothing listens', async () => {
    await redisStore(`redis://127.0.0.1:${await freePort()}`).close()
  })
})

describe('the number of partitions', () => {
  test('is recorded at first use, and a store with another one does nothing', async () => {
    await redisStore(redis, { prefix, partitions: 8 }).send(grant('ada'))
    const other = redisStore(redis, { prefix })
    const keys = async () => (await redis.keys(`${prefix}*`)).sort()
    const before = await keys()
    for (let again = 0; again < 2; again++) {
      await expect(other.send(grant('bob'))).rejects.toMatchObject({ code: 'STORE_MISMATCH', message: expect.stringContaining('partitions: 8') })
      await expect(other.send({ kind: 'register', operation: 'op', place: 'bob', keptMs: 1_000 })).rejects.toMatchObject({ code: 'STORE_MISMATCH' })
    }
    expect(await keys()).toEqual(before)
    expect(await redisStore(redis, { prefix, partitions: 8 }).send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 5 })
  })
})

describe('a script that the server forgot', () => {
  test('is sent again, and each command takes effect once', async () => {
    const store = redisStore(redis, { prefix })
    await store.send(reserve('ada'))
    for (let round = 0; round < 3; round++) {
      await redis.script('FLUSH')
      const accounts = Array.from({ length: 300 }, (_, i) => `${round} ${i}`)
      const replies = await Promise.all(accounts.map((account) => store.send(grant(account))))
      expect(replies.every((reply) => reply.kind === 'granted' && !reply.replayed && reply.balance === 5)).toBe(true)
    }
  })
})

describe('arguments that are none', () => {
  test.each([
    ['an ill-formed account', grant('\ud800')], ['an ill-formed id', { ...reserve('ada'), reservation: '\udfff' }],
    ['no number', grant('ada', Number.NaN)], ['half a micro-credit', grant('ada', 0.5)], ['more than 2^53 − 1', grant('ada', 2 ** 53)],
    ['an ill-formed response', { kind: 'settle', account: 'ada', reservation: 'r', ceiling: 1, charge: 1, product: '', firstSentAt: 0, key: 'k', payload: '', response: '\udfff' }],
  ])('%s rejects alone', async (_, command) => {
    const store = redisStore(redis, { prefix })
    const [bad, good] = await Promise.allSettled([store.send(command as Command), store.send(grant('bob'))])
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'ARGUMENT_INVALID' } })
    expect(good).toMatchObject({ status: 'fulfilled', value: { kind: 'granted' } })
  })
})

describe('a key that holds something else', () => {
  test.each([
    ['account', { entries: 1 }], ['journal', { balance: 5 }], ['grants', { balance: 5, entries: 1 }],
  ])('fails the commands of its account only, and moves nothing there: %s', async (what, left: { balance?: number, entries?: number }) => {
    const store = redisStore(redis, { prefix })
    await store.send(grant('broken'))
    const [key] = await redis.keys(`${prefix}:*:${what}:broken`)
    await redis.set(key!, 'something else')

    const others = Array.from({ length: 20 }, (_, i) => `account ${i}`)
    const [broken, ...replies] = await Promise.allSettled(['broken', ...others].map((account) =>
      store.send({ kind: 'grant', account, grant: 'another', amount: 7, reason: '', source: '', priority: 50, expiresAt: 0 })))
    expect(broken).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('WRONGTYPE') } })
    for (const reply of replies) expect(reply).toMatchObject({ status: 'fulfilled', value: { balance: 7 } })

    await redis.del(key!)
    const { balance } = await store.send({ kind: 'balance', account: 'broken' })
    const { entries } = await store.send({ kind: 'entries', account: 'broken', after: '', limit: 10 })
    expect({ balance, entries: entries.length }).toMatchObject(left)
  })
})

describe('a record that holds something else', () => {
  const call = { account: 'ada', reservation: 'r', ceiling: 5, key: 'k', payload: 'p' }
  const sendReserve = (store: Store) => store.send({ kind: 'reserve', ...call, allowance: 100, ttlMs: 60_000 })
  const hold = { kind: 'hold', ...call, operation: 'op', product: 'a', ttlMs: 60_000, response: 'r' } as const
  const finish = { kind: 'finish', ...call, operation: 'op', succeeded: 1, charge: 3, result: '' } as const
  const settle = { kind: 'settle', ...call, charge: 3, product: 'a', firstSentAt: Date.now(), response: 'r' } as const

  test.each([['call', 'settle', settle], ['call', 'finish', finish], ['operation', 'finish', finish]] as const)(
    'fails the commands of its account in that batch, and moves nothing: the %s of a %s', async (what, _, command) => {
    const store = redisStore(redis, { prefix })
    await sendReserve(store)
    if (command === finish) await store.send(hold)
    const [key] = await redis.keys(`${prefix}:*:${what}:ada:*`)
    await redis.del(key!)
    await redis.rpush(key!, 'something else')
    const before = await everything(key!)
    const replies = await Promise.allSettled([store.send({ ...reserve('ada'), reservation: 'r2' } as Command), store.send(command), store.send(grant('bob'))])
    expect(replies.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    expect(await everything(key!)).toEqual(before)
    await redis.del(key!)
    if (what === 'call') expect(await store.send(command)).toMatchObject({ charge: 3, balance: 97, reserved: 0 })
  })

  test('is left as it was when the journal does', async () => {
    const store = redisStore(redis, { prefix })
    await sendReserve(store)
    const [journal] = await redis.keys(`${prefix}:*:journal:ada`)
    await redis.set(journal!, 'something else')
    const before = await everything(journal!)
    await expect(store.send(settle)).rejects.toThrow('WRONGTYPE')
    expect(await everything(journal!)).toEqual(before)
  })

  test('leaves the sweep before it done as a whole, or not at all', async () => {
    let now = 1_000_000_000_000
    const store = redisStore(redis, { prefix, now: () => now })
    await store.send({ kind: 'reserve', ...call, allowance: 100, ttlMs: 10 })
    const [key] = await redis.keys(`${prefix}:*:call:ada:*`)
    await redis.rename(key!, `${prefix}:aside`)
    await redis.rpush(key!, 'something else')
    now += 10
    await expect(store.send({ ...settle, firstSentAt: now })).rejects.toThrow('WRONGTYPE')
    expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 100, reserved: 0 })
  })

  async function everything(except: string) {
    const keys = (await redis.keys(`${prefix}:*:ada*`)).filter((key) => key !== except).sort()
    return Promise.all(keys.map(async (key) => [key, await redis.dump(key)]))
  }
})

describe('what a command names', () => {
  test('is its account and its journal only, where its call has no key', async () => {
    const calls: { keys: string[], args: string[] }[] = []
    const spy = {
      evalsha: (sha: string, count: number, ...rest: string[]) => {
        calls.push({ keys: rest.slice(0, count), args: rest.slice(count) })
        return redis.evalsha(sha, count, ...rest)
      },
      eval: (script: string, count: number, ...rest: string[]) => redis.eval(script, count, ...rest),
    }
    const store = redisStore(spy, { prefix })
    const call = { account: 'ada', reservation: 'r', key: '', payload: 'p', ceiling: 1 }
    await store.send({ kind: 'reserve', ...call, allowance: 1, ttlMs: 60_000 })
    await store.send({ kind: 'settle', ...call, charge: 1, product: 'a', firstSentAt: 0, response: 'long' })
    await store.send({ kind: 'release', ...call })
    const names = calls.slice(2).map(({ keys }) => keys.map((key) => key.split(':')[2]))
    expect(names).toEqual([['account', 'journal'], ['account', 'journal'], ['account', 'journal']])
    expect(calls.flatMap(({ args }) => args)).not.toContain('long')
    expect((await redis.keys(`${prefix}:{*`)).map((key) => key.split(':')[2]).sort()).toEqual(['account', 'journal'])
  })

  test('expires by itself, where it is not an account\'s for good', async () => {
    const [minute, day, week] = [60_000, 86_400_000, 7 * 86_400_000]
    const store = redisStore(redis, { prefix })
    const call = { account: 'ada', reservation: 'r', key: 'k', payload: 'p', ceiling: 1 }
    await store.send({ kind: 'reserve', ...call, allowance: 1, ttlMs: minute })
    await store.send({ kind: 'hold', ...call, operation: 'op', product: 'a', ttlMs: 10 * minute, response: '' })
    await store.send({ kind: 'register', operation: 'op', place: 'ada', keptMs: 2 * minute })
    await store.send({ kind: 'count', name: 'a', counts: { calls: 1 } })
    const expected = { '{*}:call:ada:k': day + 11 * minute, '{*}:operation:ada:op': day + 11 * minute, 'operation:op': 3 * minute, 'counts:a': 2 * week }
    for (const [pattern, ms] of Object.entries(expected)) {
      const [key] = await redis.keys(`${prefix}:${pattern}`)
      const left = await redis.pttl(key!)
      expect(left).toBeLessThanOrEqual(ms)
      expect(left).toBeGreaterThan(ms - 10_000)
    }
  })

  test('drops counters of which nobody can ask any more', async () => {
    let now = 20_000 * 86_400_000
    const store = redisStore(redis, { prefix, now: () => now })
    for (let week = 0; week < 4; week++, now += 7 * 86_400_000) await store.send({ kind: 'count', name: 'a', counts: { calls: 1 } })
    expect((await redis.hkeys(`${prefix}:counts:a`)).sort()).toEqual(['2859:calls', '2860:calls', 'week'])
  })

  test('that no account owns fails alone when it holds something else', async () => {
    const store = redisStore(redis, { prefix })
    await redis.rpush(`${prefix}:operation:op`, 'something else')
    await redis.set(`${prefix}:counts:a`, 'something else')
    await expect(store.send({ kind: 'register', operation: 'op', place: 'ada', keptMs: 1 })).rejects.toThrow('WRONGTYPE')
    await expect(store.send({ kind: 'count', name: 'a', counts: { calls: 1 } })).rejects.toThrow('WRONGTYPE')
    await expect(store.send({ kind: 'count', name: 'b', counts: { calls: 0.5 } })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
    await expect(store.send({ kind: 'register', operation: 'op2', place: '\ud800', keptMs: 1 })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
    expect(await store.send({ kind: 'counts', name: 'b' })).toEqual({ kind: 'counts', counts: {} })
  })
})

describe('that entries go on to a sink', () => {
  const waiting = async (store: Store) => (await store.send({ kind: 'waiting', limit: 10 })).accounts

  test('is known to every store that is opened later', async () => {
    const [first, before] = [redisStore(redis, { prefix }), redisStore(redis, { prefix })]
    await Promise.all([first, before].map((store) => store.send({ kind: 'balance', account: 'ada' })))
    await first.send({ kind: 'export_journal' })
    const after = redisStore(redis, { prefix })
    await before.send(grant('before'))
    await first.send(grant('first'))
    await after.send(grant('after'))
    expect((await waiting(before)).toSorted()).toEqual(['after', 'first'])
    await after.send({ kind: 'exported', account: 'before', upTo: 0 })
    expect((await waiting(before)).toSorted()).toEqual(['after', 'before', 'first'])
  })

  test('leaves nothing that concerns a sink in Redis where there is none', async () => {
    const store = redisStore(redis, { prefix })
    await store.send(grant('ada'))
    await store.send({ kind: 'waiting', limit: 10 })
    expect((await redis.keys(`${prefix}:*`)).map((key) => key.slice(prefix.length + 1).replace(/\d+/, '')).sort()).toEqual(['partitions', '{}:account:ada', '{}:grants:ada', '{}:journal:ada'])
  })

  test('posts nothing where it can not be marked', async () => {
    const store = redisStore(redis, { prefix, partitions: 1 })
    await store.send({ kind: 'export_journal' })
    await redis.set(`${prefix}:{0}:waiting`, 'something else')
    await expect(store.send(grant('ada'))).rejects.toThrow('WRONGTYPE')
    await redis.del(`${prefix}:{0}:waiting`)
    expect(await store.send(grant('ada'))).toMatchObject({ replayed: false, balance: 5 })
    expect(await store.send({ kind: 'exported', account: 'ada', upTo: 0 })).toMatchObject({ waiting: 1 })
  })

  test('leaves a mark where the entry could not be posted, which does no harm', async () => {
    const store = redisStore(redis, { prefix })
    await store.send({ kind: 'export_journal' })
    await store.send(grant('ada'))
    await store.send({ kind: 'exported', account: 'ada', upTo: 1 })
    const [journal] = await redis.keys(`${prefix}:*:journal:ada`)
    await redis.rename(journal!, `${prefix}:aside`)
    await redis.set(journal!, 'something else')
    await expect(store.send({ ...grant('ada'), grant: 'g2' } as Command)).rejects.toThrow('WRONGTYPE')
    await redis.rename(`${prefix}:aside`, journal!)
    expect(await waiting(store)).toEqual(['ada'])
    expect(await store.send({ kind: 'exported', account: 'ada', upTo: 0 })).toMatchObject({ exported: 1, waiting: 0 })
    expect(await waiting(store)).toEqual([])
  })

  test('does not keep accounts from being listed whose keys nobody can read', async () => {
    const store = redisStore(redis, { prefix })
    await store.send(grant('ada'))
    await redis.hset(`${prefix}:{0}:account:%`, 'a', 'b')
    const found = []
    for (let page: string | undefined = ''; page !== undefined;) {
      const { accounts, next } = await store.send({ kind: 'accounts', page }) as ReplyTo<ReadAccounts>
      found.push(...accounts)
      page = next === '' ? undefined : next
    }
    expect(found).toEqual(['ada'])
  })
})

describe('a server that is away', () => {
  test('rejects soon, from the start and between, and is found again when it is back', async () => {
    const port = await freePort()
    const store = opened(redisStore(`redis://127.0.0.1:${port}`, { prefix }))
    await rejectsSoon(store)

    const first = await startRedis({ port })
    await recovers(store)
    await first.stop()
    await rejectsSoon(store)

    const second = await startRedis({ port })
    onTestFinished(() => second.stop())
    await recovers(store)
  })

  test('gives up a connection that has gone silent, and is well again when the server answers', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const store = opened(redisStore(server.url, { prefix }))
    await store.send(grant('ada'))
    server.pause()
    await expect(store.send(grant('bob'))).rejects.toThrow('max retries')
    server.resume()
    await recovers(store)
  })

  test('is left where it has become a replica, once for all answers that say so', async () => {
    const server = await startRedis()
    const store = opened(redisStore(server.url, { prefix }))
    const admin = new Redis(server.url)
    const warnings: Error[] = []
    const hear = (warning: Error) => void warnings.push(warning)
    process.on('warning', hear)
    onTestFinished(async () => { process.off('warning', hear); admin.disconnect(); await server.stop() })
    await store.send(grant('ada'))
    await admin.replicaof('127.0.0.1', await freePort())
    await admin.call('CLIENT', 'PAUSE', '100', 'ALL')
    const batches = []
    for (let batch = 0; batch < 20; batch++) {
      batches.push(store.send(grant(`account ${batch}`)))
      await nextTurn()
    }
    const replies = await Promise.allSettled(batches)
    expect(replies.map((reply) => String((reply as PromiseRejectedResult).reason))).toEqual(Array(20).fill(expect.stringContaining('READONLY')))
    await admin.replicaof('NO', 'ONE')
    await recovers(store)
    expect(warnings).toEqual([])
  })

  async function rejectsSoon(store: Store): Promise<void> {
    const start = performance.now()
    const replies = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => store.send(grant(`account ${i}`))))
    expect(replies.every(({ status }) => status === 'rejected')).toBe(true)
    expect(performance.now() - start).toBeLessThan(1_000)
  }

  async function recovers(store: Store): Promise<void> {
    await expect.poll(() => store.send(grant('ada')).catch(() => undefined), { timeout: 3_000 }).toMatchObject({ kind: 'granted', balance: 5 })
  }
})

describe('a server that is full', () => {
  test('refuses with its own error before anything is written, and nothing is lost', async () => {
    const server = await startRedis()
    const store = opened(redisStore(server.url, { prefix }))
    const admin = new Redis(server.url)
    onTestFinished(async () => { admin.disconnect(); await server.stop() })
    await store.send(reserve('ada'))
    await admin.config('SET', 'maxmemory', '1')
    await expect(store.send(grant('ada'))).rejects.toThrow('OOM')
    await admin.config('SET', 'maxmemory', '0')
    expect(await store.send(grant('ada'))).toMatchObject({ replayed: false, balance: 6, reserved: 1 })
  })
})
