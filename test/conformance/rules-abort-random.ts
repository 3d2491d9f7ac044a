import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Handler, HandlerAnswer } from '../support/apps/app.js'
import type { Rig } from './adapter.js'
import { binary, events } from './streams.js'

const policies = ['metered', 'ceiling', 'release'] as const

export function randomAbortRules(rig: Rig): void {
  describe('clients that leave at any moment', () => {
    it('each of 320 calls is settled exactly once', async () => {
      const random = seeded(20_260_303)
      const routes = Object.entries(handlers(random)).flatMap(([name, handler]) => policies.map((onAbort) => ({ name: `POST /${name}/${onAbort}`, handler, onAbort })))
      const api = await rig.open({
        routes: routes.map(({ name, handler }) => ({ route: name, handler })),
        prices: Object.fromEntries(routes.map(({ name, onAbort }) => [name, { product: 'runs', price: 5, charge: () => 2, onAbort }])), allowance: 10_000,
      })
      const agent = new Agent({ keepAlive: true })
      let left = 0
      const callAndLeave = async () => {
        const wire = api.wire(routes[Math.floor(random() * routes.length)]!.name, { agent })
        const moment = random()
        if (moment < 0.2) return wire.read()
        if (moment < 0.5) await wire.begun().catch(() => {})
        await pause(random() * 12)
        left++
        if (random() < 0.5) wire.leave()
        else await wire.reset()
      }
      await Promise.all(Array.from({ length: 32 }, async () => {
        for (let i = 0; i < 10; i++) await callAndLeave()
      }))
      await api.settled()
      agent.destroy()
      const charged = (await api.entries()).filter(({ kind }) => kind === 'charge').map(({ reference }) => reference)
      const ended = [...api.store.calls]
      const released = ended.flatMap(([reservation, endings]) => (endings[0] === 'release' ? reservation : []))
      expect(ended.filter(([, endings]) => endings.length !== 1)).toEqual([])
      expect([...charged, ...released].sort()).toEqual([...api.store.calls.keys()].sort())
      // It is a test only where many have left, and calls have ended in both ways.
      expect(left).toBeGreaterThan(200)
      expect(charged.length).toBeGreaterThan(50)
      expect(released.length).toBeGreaterThan(50)
    })
  })
}

/** Handlers of every kind that take a moment at each step, and sometimes fail. */
function handlers(random: () => number): Readonly<Record<string, Handler>> {
  async function* source() {
    for (let i = 0; i < 4; i++) {
      yield `data: ${'x'.repeat(1 + random() * 2_000)}\n\n`
      await pause(random() * 4)
      if (random() < 0.03) throw new Error('thrown in the middle')
    }
  }
  const after = (answer: () => HandlerAnswer): Handler => async () => {
    await pause(random() * 8)
    return random() < 0.1 ? { status: 500, json: {} } : answer()
  }
  return {
    json: after(() => ({ json: { text: 'x'.repeat(random() * 2_000) } })),
    text: after(() => ({ text: 'x'.repeat(random() * 100_000) })),
    events: after(() => ({ chunks: source(), headers: events })),
    bytes: after(() => ({ chunks: source(), headers: binary })),
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms) })
}

/** Mulberry32: numbers from 0 to 1, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
