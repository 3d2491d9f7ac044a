import { describe, expect, it, vi } from 'vitest'
import { Emitter } from '../src/billing/events.js'
import { createEngine } from '../src/engine.js'
import { memoryStore } from '../src/store/memory.js'
import { openCall, recordingEvents, recordingLogger } from './open-call.js'

const unlisted = { url: '/x', refused: false }

it('a listener is told, and only of what it listens to', () => {
  const listener = vi.fn()
  const events = new Emitter({ unlisted: listener }, recordingLogger().logger)
  events.emit('unlisted', unlisted)
  events.emit('refused', { route: 'POST /run', code: 'PAYMENT_REQUIRED', enforced: true })
  expect(listener.mock.calls).toEqual([[unlisted]])
})

it.each<[string, () => void | Promise<void>]>([
  ['throws', () => { throw new Error('listener') }],
  ['rejects', () => Promise.reject(new Error('listener'))],
])('one that %s is logged by its event', async (_, unlistedListener) => {
  const { logger, errors } = recordingLogger()
  expect(new Emitter({ unlisted: unlistedListener }, logger).emit('unlisted', unlisted)).toBeUndefined()
  await Promise.resolve()
  expect(errors).toEqual([expect.stringContaining('"unlisted"')])
})

describe('a whole call', () => {
  const listed = { key: 'POST /run', terms: { product: 'runs', price: 5, charge: () => 2 } } as const

  async function run(on: object, logger = recordingLogger().logger) {
    const store = memoryStore()
    const engine = createEngine({ account: () => 'ada', store, prices: {}, allowance: 10, logger, on })
    const exchange = engine.exchange()
    const refused = await exchange.enter(listed, openCall().call, false)
    const closing = await exchange.close({ status: 200 })
    return { refused, closing, balance: await store.send({ kind: 'balance', account: 'ada' }) }
  }

  it('is told as it is admitted and settled', async () => {
    const { on, told } = recordingEvents()
    await run(on)
    const call = { route: 'POST /run', account: 'ada', reservation: expect.any(String) as string, ceiling: 5 }
    expect(told).toEqual([
      { name: 'admitted', ...call },
      { name: 'settled', ...call, product: 'runs', charge: 2, items: [], durationMs: expect.any(Number) as number, pending: false },
    ])
    expect(told[0]!['reservation']).toBe(told[1]!['reservation'])
  })

  it.each([
    ['throw', () => { throw new Error('listener') }],
    ['reject', () => Promise.reject(new Error('listener'))],
  ])('is the same where all listeners %s', async (_, fail) => {
    const { logger, errors } = recordingLogger()
    expect(await run({ admitted: fail, settled: fail }, logger)).toEqual(await run({}))
    expect(errors).toHaveLength(2)
  })
})
