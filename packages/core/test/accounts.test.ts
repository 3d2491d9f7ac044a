import { describe, expect, it } from 'vitest'
import { createEngine } from '../src/engine.js'
import { MAX_CREDITS } from '../src/credits.js'
import { memoryStore } from '../src/store/memory.js'
import { never, scriptedStore } from './open-call.js'

const bill = (store = memoryStore()) => createEngine({ account: () => 'ada', store, storeTimeout: 5 }).billing
const topUp = { id: 'evt_1', reason: 'top-up' }

it('adds credits, once an id', async () => {
  const { grant } = bill()
  expect(await grant('ada', 2.5, topUp)).toEqual({ kind: 'granted', replayed: false, balance: 2.5, reserved: 0, available: 2.5 })
  expect(await grant('ada', 2.5, topUp)).toEqual({ kind: 'granted', replayed: true, balance: 2.5, reserved: 0, available: 2.5 })
  expect(await grant('ada', 3, topUp)).toMatchObject({ kind: 'grant_conflict', balance: 2.5 })
  expect(await grant('bob', 3, topUp)).toMatchObject({ kind: 'granted', replayed: false, balance: 3 })
})

it('adds nothing that would pass 2^53 − 1 micro-credits', async () => {
  const { grant } = bill()
  await grant('ada', MAX_CREDITS, topUp)
  expect(await grant('ada', 0.000001, { ...topUp, id: 'evt_2' })).toMatchObject({ kind: 'grant_overflow', replayed: false, balance: MAX_CREDITS })
})

it.each([
  ['an empty account', '', 1, topUp],
  ['nothing', 'ada', 0, topUp],
  ['less than nothing', 'ada', -1, topUp],
  ['no number', 'ada', NaN, topUp],
  ['too much', 'ada', MAX_CREDITS * 2, topUp],
  ['a text', 'ada', '5' as unknown as number, topUp],
  ['no id', 'ada', 1, { ...topUp, id: '' }],
  ['no reason', 'ada', 1, { id: 'evt_1' } as typeof topUp],
  ['a broken priority', 'ada', 1, { ...topUp, priority: 1.5 }],
  ['a priority out of range', 'ada', 1, { ...topUp, priority: 1_001 }],
  ['an end that is no time', 'ada', 1, { ...topUp, expiresAt: new Date('never') }],
  ['a source that is no text', 'ada', 1, { ...topUp, source: 5 as unknown as string }],
])('refuses %s', async (_, account, credits, options) => {
  await expect(bill().grant(account, credits, options)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
})

it.each([['fails', () => Promise.reject(new Error('lost'))], ['hangs', () => never]])('says so when the store %s', async (_, answer) => {
  await expect(bill(scriptedStore(answer).store).grant('ada', 1, topUp)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('evt_1') as string })
})

/** Ada, who was charged 4 and then 6 credits of a promotion of 8 and a top-up of 20. */
async function charged(now = () => 1_000_000) {
  const store = memoryStore({ now })
  const { grant, refund, entries } = bill(store)
  await grant('ada', 20, topUp)
  await grant('ada', 8, { id: 'promo', reason: 'spring', source: 'promotion', expiresAt: new Date(2_000_000) })
  for (const [reservation, credits] of [['r1', 4], ['r2', 6]] as const) {
    const call = { account: 'ada', reservation, ceiling: credits * 1_000_000, key: '', payload: '' } as const
    await store.send({ ...call, kind: 'reserve', allowance: 0, ttlMs: 60_000 })
    await store.send({ ...call, kind: 'settle', charge: call.ceiling, product: 'runs', firstSentAt: now(), response: '' })
  }
  return { store, refund, entries }
}

describe('a refund', () => {
  const ticket = { id: 'ticket_7', reason: 'wrong answer' }

  it('gives back all of a charge, once an id', async () => {
    const { refund, entries } = await charged()
    const all = { kind: 'refunded', refunded: 6, balance: 24, reserved: 0, available: 24 }
    expect(await refund('ada', 'r2', ticket)).toEqual({ ...all, replayed: false })
    expect(await refund('ada', 'r2', ticket)).toEqual({ ...all, replayed: true })
    expect((await entries('ada')).at(-1)).toMatchObject({ kind: 'refund', reference: 'r2', label: 'wrong answer', refundId: 'ticket_7' })
  })

  it('gives back a part, and never more than was charged', async () => {
    const { refund } = await charged()
    expect(await refund('ada', 'r2', { ...ticket, credits: 2.5 })).toMatchObject({ kind: 'refunded', refunded: 2.5, balance: 20.5 })
    expect(await refund('ada', 'r2', { ...ticket, credits: 3 })).toMatchObject({ kind: 'refund_conflict', refunded: 0, balance: 20.5 })
    expect(await refund('ada', 'r2', { ...ticket, id: 'ticket_8', credits: 3.6 })).toMatchObject({ kind: 'refund_too_high', refunded: 0, balance: 20.5 })
    expect(await refund('ada', 'r2', { ...ticket, id: 'ticket_8' })).toMatchObject({ kind: 'refunded', refunded: 3.5, balance: 24 })
  })

  it('of what was never charged gives nothing back', async () => {
    const { refund } = await charged()
    expect(await refund('ada', 'r3', ticket)).toMatchObject({ kind: 'no_charge', refunded: 0, balance: 18 })
    expect(await refund('bob', 'r1', ticket)).toMatchObject({ kind: 'no_charge', balance: 0 })
  })

  it('goes back to the grants it came from: what a promotion paid ends with it, or not if it has ended', async () => {
    let now = 1_000_000
    const { refund, store } = await charged(() => now)
    await refund('ada', 'r1', ticket)
    now = 2_000_000
    expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 18_000_000 })
    await refund('ada', 'r2', { ...ticket, id: 'ticket_8' })
    now = 9_000_000
    expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 24_000_000 })
  })

  it.each([
    ['no account', '', 'r1', ticket],
    ['no id', 'ada', 'r1', { ...ticket, id: '' }],
    ['nothing', 'ada', 'r1', { ...ticket, credits: 0 }],
    ['no reservation', 'ada', 5 as unknown as string, ticket],
    ['no reason', 'ada', 'r1', { id: 'x' } as typeof ticket],
  ])('is refused: %s', async (_, account, reservation, options) => {
    const { refund } = await charged()
    await expect(refund(account, reservation, options)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('entries', () => {
  it('are told in credits, in order and by the page', async () => {
    const { entries } = await charged()
    const told = (page: Awaited<ReturnType<typeof entries>>) => page.map(({ id, kind, credits, balance, reference, label }) => [id, kind, credits, balance, reference, label])
    expect(told(await entries('ada', { limit: 2 }))).toEqual([['1', 'grant', 20, 20, 'evt_1', 'top-up'], ['2', 'grant', 8, 28, 'promo', 'spring']])
    expect(told(await entries('ada', { after: '2' }))).toEqual([['3', 'charge', -4, 24, 'r1', 'runs'], ['4', 'charge', -6, 18, 'r2', 'runs']])
    expect(await entries('nobody')).toEqual([])
  })

  it.each([[{ limit: 0 }], [{ limit: 1_001 }], [{ after: 'x' }]])('are refused with %j', async (options) => {
    await expect(bill().entries('ada', options)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})
