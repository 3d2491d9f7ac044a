import { isFareboxError, type Command, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest'
import { freePort, startRedis } from '../support/redis.js'

let prefix: string
let redis: Redis
beforeEach(() => {
  prefix = crypto.randomUUID()
  redis = new Redis(inject('redisUrl'))
})
afterEach(() => redis.quit())

const grant = (account: string, amount = 5): Command => ({ kind: 'grant', account, grant: 'g', amount, reason: '' })
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
      store.send({ kind: 'grant', account, grant: 'another', amount: 7, reason: '' })))
    expect(broken).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('WRONGTYPE') } })
    for (const reply of replies) expect(reply).toMatchObject({ status: 'fulfilled', value: { balance: 7 } })

    await redis.del(key!)
    const { balance } = await store.send({ kind: 'balance', account: 'broken' })
    const { entries } = await store.send({ kind: 'entries', account: 'broken', after: '', limit: 10 })
    expect({ balance, entries: entries.length }).toMatchObject(left)
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
