import { expect, it } from 'vitest'
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
])('refuses %s', async (_, account, credits, options) => {
  await expect(bill().grant(account, credits, options)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
})

it.each([['fails', () => Promise.reject(new Error('lost'))], ['hangs', () => never]])('says so when the store %s', async (_, answer) => {
  await expect(bill(scriptedStore(answer).store).grant('ada', 1, topUp)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('evt_1') as string })
})
