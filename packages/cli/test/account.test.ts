import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { freePort, startRedis } from '../../../test/support/redis.js'
import { documents, farebox, inShell } from './farebox.js'

const REDIS_URL = inject('redisUrl')
let prefix = ''
let store = redisStore(REDIS_URL)
const run = (...args: string[]) => farebox([...args, '--prefix', prefix], { REDIS_URL })
const json = async (...args: string[]) => documents(await run(...args, '--json'))

beforeEach(async () => {
  await store.close()
  prefix = `cli-${randomUUID()}`
  store = redisStore(REDIS_URL, { prefix, partitions: 7 })
  await store.send({ kind: 'grant', account: 'ada', grant: 'first', amount: 10_000_000, reason: 'top-up', source: 'top-up', priority: 50, expiresAt: 0 })
})
afterAll(() => store.close())

/** A call that was charged this many micro-credits. */
async function charge(reservation: string, amount: number): Promise<void> {
  const call = { account: 'ada', reservation, key: '', payload: '', ceiling: amount }
  await store.send({ kind: 'reserve', ...call, allowance: 0, ttlMs: 60_000 })
  await store.send({ kind: 'settle', ...call, charge: amount, product: 'search', response: '', firstSentAt: Date.now() })
}

describe('account show', () => {
  it('says how an account stands', async () => {
    await store.send({ kind: 'reserve', account: 'ada', reservation: 'r1', ceiling: 2_500_000, allowance: 0, ttlMs: 60_000, key: '', payload: '' })
    expect(await run('account', 'show', 'ada')).toEqual({ code: 0, stderr: '', stdout: 'account    ada\nbalance    10\nreserved   2.5\navailable  7.5\n' })
    expect(await json('account', 'show', 'ada')).toEqual([{ account: 'ada', balance: 10, reserved: 2.5, available: 7.5 }])
  })

  it('shows zeros for an account that nobody has used', async () => {
    expect(await json('account', 'show', 'nobody')).toEqual([{ account: 'nobody', balance: 0, reserved: 0, available: 0 }])
  })

  it('says so when nothing is under the prefix, and writes nothing there', async () => {
    const other = `cli-${randomUUID()}`
    for (let i = 0; i < 2; i++) {
      expect(await farebox(['account', 'show', 'ada', '--prefix', other, '--redis', REDIS_URL]))
        .toEqual({ code: 2, stdout: '', stderr: `farebox: there is nothing of Farebox under the prefix "${other}"\n` })
    }
  })

  it('escapes what could steer a terminal', async () => {
    expect((await run('account', 'show', 'a\u001B[31m\nb')).stdout.split('\n')[0]).toBe(String.raw`account    "a\u001b[31m\nb"`)
  })
})

describe('account grant', () => {
  const terms = ['--id', 'evt_1', '--reason', 'a gift']

  it('adds credits once an id', async () => {
    expect(await run('account', 'grant', 'ada', '2.5', ...terms)).toEqual({ code: 0, stderr: '', stdout: 'granted; available 12.5\n' })
    expect(await json('account', 'grant', 'ada', '2.5', ...terms)).toEqual([{ account: 'ada', kind: 'granted', replayed: true, balance: 12.5, reserved: 0, available: 12.5 }])
    const conflict = await run('account', 'grant', 'ada', '3', ...terms)
    expect(conflict).toEqual({ code: 1, stderr: '', stdout: 'not granted: another amount was granted under this id; available 12.5\n' })
  })

  it('passes on source, priority and end', async () => {
    await run('account', 'grant', 'ada', '5', ...terms, '--source', 'promotion', '--priority', '10', '--expires-at', '2999-01-31')
    await charge('r1', 1_000_000)
    const { entries } = await store.send({ kind: 'entries', account: 'ada', after: '', limit: 10 })
    expect(entries.at(-1)?.lots).toEqual([{ grant: 'evt_1', amount: 1_000_000, priority: 10, expiresAt: Date.UTC(2999, 0, 31), source: 'promotion' }])
  })

  it.each([
    ['credits', ['ada', '5x', ...terms]], ['credits', ['ada', '', ...terms]], ['credits', ['ada', '0', ...terms]], ['credits', ['ada', '-5', ...terms]],
    ['account', ['', '5', ...terms]], ['credits', ['ada', ...terms]], ['--reason', ['ada', '5', '--id', 'a']], ['--id', ['ada', '5', '--reason', 'a']], ['id', ['ada', '5', '--id', '', '--reason', 'a']],
    ['priority', ['ada', '5', ...terms, '--priority', '1.5']], ['expires-at', ['ada', '5', ...terms, '--expires-at', '2027-02-31T99:00']], ['--often', ['ada', '5', ...terms, '--often']],
  ])('names what is wrong: %s in %j', async (field, args) => {
    const { code, stdout, stderr } = await run('account', 'grant', ...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^farebox: .*${field}.*\n$`))
    expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 10_000_000 })
  })
})

describe('account refund', () => {
  const terms = ['--id', 'ticket_7', '--reason', 'wrong answer']

  it('gives back a part, then the rest, and no more', async () => {
    await charge('r1', 4_000_000)
    expect(await run('account', 'refund', 'ada', 'r1', ...terms, '--credits', '1.5')).toEqual({ code: 0, stderr: '', stdout: 'refunded 1.5; available 7.5\n' })
    expect(await json('account', 'refund', 'ada', 'r1', '--id', 'rest', '--reason', '')).toMatchObject([{ kind: 'refunded', refunded: 2.5, available: 10 }])
    expect(await run('account', 'refund', 'ada', 'r1', '--id', 'more', '--reason', '', '--credits', '1'))
      .toMatchObject({ code: 1, stdout: 'not refunded: that is more than what is left of the charge; available 10\n' })
    expect((await run('audit')).code).toBe(0)
  })

  it('says that nothing was charged', async () => {
    expect(await run('account', 'refund', 'ada', 'r9', ...terms)).toMatchObject({ code: 1, stdout: 'not refunded: this reservation was charged nothing; available 10\n' })
  })

  it('names a wrong amount', async () => {
    expect(await run('account', 'refund', 'ada', 'r1', ...terms, '--credits', 'all')).toEqual({ code: 2, stdout: '', stderr: 'farebox: credits: expected a number, got "all"\n' })
  })
})

describe('account entries', () => {
  it('lists them a page at a time', async () => {
    await charge('r1', 4_000_000)
    await charge('r2', 1)
    const all = await json('account', 'entries', 'ada')
    expect(all).toMatchObject([{ id: '1', kind: 'grant', credits: 10 }, { id: '2', kind: 'charge', credits: -4, reference: 'r1', label: 'search' }, { id: '3', credits: -0.000001, balance: 5.999999 }])
    expect(await json('account', 'entries', 'ada', '--after', '1', '--limit', '1')).toEqual([all[1]])
    expect((await run('account', 'entries', 'ada')).stdout).toMatch(/^id {2}at .*\n1 {3}\d{4}-.*grant.*\n2 .*charge {2}-4 .*\n3 .*\n$/)
    expect((await run('account', 'entries', 'nobody')).stdout).toBe('no entries\n')
  })

  it.each([['after', 'x'], ['limit', '0'], ['limit', 'ten']])('names a wrong --%s', async (field, value) => {
    const { code, stderr } = await run('account', 'entries', 'ada', `--${field}`, value)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(new RegExp(`^farebox: ${field}: .*\n$`)) })
  })
})

describe('Redis', () => {
  const commands = [[['account', 'show', 'ada']], [['account', 'grant', 'ada', '5', '--id', 'a', '--reason', '']], [['audit']]]

  it.each(commands)('is not there: %j', async (args) => {
    const port = await freePort()
    expect(await farebox([...args, '--redis', `redis://user:secret@127.0.0.1:${port}`]))
      .toEqual({ code: 2, stdout: '', stderr: `farebox: no answer from Redis at 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}\n` })
  })

  it.each([['no Redis named', undefined], ['--redis', 'localhost:6379'], ['--redis', 'redis://']])('is not named: %s', async (message, url) => {
    const { code, stderr } = await farebox(['audit', ...(url === undefined ? [] : ['--redis', url])])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(new RegExp(`^farebox: ${message}.*\n$`)) })
  })

  it('lets nobody in without a password', async () => {
    const locked = await startRedis()
    const admin = new Redis(locked.url)
    await admin.config('SET', 'requirepass', 'secret')
    admin.disconnect()
    try {
      expect(await farebox(['audit', '--redis', locked.url])).toMatchObject({ code: 2, stderr: expect.stringMatching(/^farebox: Redis at 127.0.0.1:\d+ refuses: NOAUTH.*\n$/) })
      expect(await farebox(['account', 'grant', 'ada', '5', '--id', 'a', '--reason', '', '--redis', locked.url.replace('//', '//:secret@')])).toMatchObject({ code: 0 })
    } finally {
      await locked.stop()
    }
  })
})

it('is what `npx farebox` runs', () => {
  expect(spawnSync('npx', ['farebox', '--help'], { encoding: 'utf8' }).stdout).toMatch(/^Usage: farebox /)
})

it.each([['help', ['--help'], 0], ['no command', [], 2], ['an unknown command', ['adit'], 2]])('%s', async (_, args, code) => {
  const ended = await inShell(args)
  expect(ended.code).toBe(code)
  expect(code === 0 ? ended.stdout : ended.stderr).toMatch(/account[^]*audit|unknown command 'adit'/)
})
