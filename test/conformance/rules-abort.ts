import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { metered, tokenUsage } from '@farebox/core'
import { meter } from '@farebox/core/meter'
import type { Handler, HandlerAnswer } from '../support/apps/app.js'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Wire } from './adapter-wire.js'
import { aborted, breaking, endless, events, kinds, talk } from './streams.js'

const policies = ['metered', 'ceiling', 'release'] as const
const cents = metered({ rates: { lookup: 1 }, ceiling: () => ({ lookup: 5 }), used: ({ counts }) => ({ lookup: counts['lookup'] ?? 0 }) })

export function abortRules(rig: Rig): void {
  const open = (handler: Handler, terms: object = {}, options: Partial<OpenOptions> = {}) =>
    rig.open({ routes: [{ route: 'POST /run', handler }, { route: 'POST /other', handler: () => ({ json: {} }) }], allowance: 50,
      prices: { 'POST /run': { product: 'runs', price: 5, charge: () => 2, ...terms }, 'POST /other': { product: 'others', price: 1 } }, ...options })

  /** Makes a call whose client leaves before its handler answers. */
  async function leaveBefore(answer: HandlerAnswer, terms: object, leave = (wire: Wire): Promise<void> | void => wire.leave()) {
    const [reached, left, finish] = [latch(), latch(), latch()]
    const api = await open(async ({ signal }) => {
      signal.addEventListener('abort', left.open)
      reached.open()
      await finish.opened
      return answer
    }, terms)
    const wire = api.wire('POST /run')
    await reached.opened
    await leave(wire)
    await left.opened
    return { api, finish: finish.open }
  }

  describe('the client leaves before the first byte', () => {
    it.each([['JSON', { json: {} }, 2], ['text', { text: 'late' }, 2], ['a stream', { chunks: talk(Promise.resolve()), headers: events }, 2], ['a failure', { status: 500, json: {} }, 0]] as const)(
      'metered: the handler goes on, and what it ends with counts: %s', async (_, answer, charge) => {
        const { api, finish } = await leaveBefore(answer, {})
        expect(await api.standing()).toMatchObject({ reserved: 5 })
        finish()
        expect(await api.settled()).toEqual(charge ? [charge] : [])
        expect([...api.store.calls.values()]).toEqual([[charge ? 'settle' : 'release']])
      })

    it.each([['JSON', { json: {} }], ['JSON in pieces', { chunks: talk(Promise.resolve(), '{}'), headers: { 'Content-Type': 'application/json' } }], ['a stream', { chunks: talk(Promise.resolve()), headers: events }]] as const)('with a fault of the socket it is the same: %s', async (_, answer) => {
      const { api, finish } = await leaveBefore(answer, {}, (wire) => wire.reset())
      finish()
      expect(await api.settled()).toEqual([2])
    })

    it.each([['ceiling', [5], 'settle'], ['release', [], 'release']] as const)('%s: settled at once, whatever the handler still answers', async (onAbort, charges, ending) => {
      const { api, finish } = await leaveBefore({ json: {} }, { onAbort })
      expect(await api.settled()).toEqual(charges)
      finish()
      expect((await api.call('POST /other')).charged).toBe(1)
      expect([...api.store.calls.values()]).toEqual([[ending], ['settle']])
    })
  })

  describe('the client leaves in the middle of a stream', () => {
    it.each(policies.flatMap((policy) => kinds.map(([kind, headers]) => [policy, kind, headers] as const)))('%s: %s', async (onAbort, _, headers) => {
      const api = await open(({ signal }) => ({ chunks: talk(aborted(signal)), headers }), { onAbort })
      const wire = api.wire('POST /run')
      await wire.begun()
      wire.leave()
      expect(await api.settled()).toEqual({ metered: [2], ceiling: [5], release: [] }[onAbort])
    })

    it.each(policies.flatMap((policy) => kinds.map(([kind, headers]) => [policy, kind, headers] as const)))('%s: %s, with a fault of the socket, while the source can stop at once', async (onAbort, _, headers) => {
      const api = await open(({ signal }) => ({ chunks: endless(signal), headers }), { onAbort })
      const wire = api.wire('POST /run')
      await wire.begun()
      await wire.reset()
      expect(await api.settled()).toEqual({ metered: [2], ceiling: [5], release: [] }[onAbort])
    })

    it.each(kinds)('a handler that goes on all the same is charged for what was counted until then: %s', async (_, headers) => {
      const [finish, ended] = [latch(), latch()]
      async function* source() {
        try {
          meter.count('lookup', 2)
          yield 'data: one\n\n'
          await finish.opened
          meter.count('lookup', 2)
          yield 'data: two\n\n'
        } finally {
          ended.open()
        }
      }
      const api = await open(() => ({ chunks: source(), headers }), cents)
      const wire = api.wire('POST /run')
      await wire.begun()
      wire.leave()
      expect(await api.settled()).toEqual([2])
      finish.open()
      await ended.opened
      expect((await api.call('POST /other')).remaining).toBe(47)
      expect(await api.charges()).toEqual([2, 1])
    })

    it('an LLM\'s answer costs the prompt and the tokens that came by then', async () => {
      const delta = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`
      const terms = tokenUsage({ rates: { input: 0.01, output: 0.1 }, ceiling: () => ({ input: 100, output: 50 }) })
      const api = await open(({ signal }) => ({ chunks: talk(aborted(signal), delta('one') + delta('two') + delta('three')), headers: events }), terms)
      const wire = api.wire('POST /run')
      await wire.begun()
      wire.leave()
      expect(await api.settled()).toEqual([1.3])
    })

    it.each(policies)('%s: a stream with a failure status costs 0, whether it is held or not', async (onAbort) => {
      const reached = latch()
      const api = await open(({ signal }) => {
        reached.open()
        return { status: 503, chunks: talk(aborted(signal)), headers: events }
      }, { onAbort })
      const wire = api.wire('POST /run')
      await reached.opened
      wire.leave()
      expect(await api.settled()).toEqual([])
    })

    it('a stream that has broken before is no abort: it costs 0', async () => {
      const received = latch()
      const api = await open(() => ({ chunks: breaking(received.opened), headers: events }), { onAbort: 'ceiling' })
      const wire = api.wire('POST /run')
      await wire.begun()
      received.open()
      expect(await api.settled()).toEqual([])
      wire.leave()
      expect(await api.charges()).toEqual([])
    })
  })

  describe('the client leaves after the last byte', () => {
    it.each([['JSON', undefined], ...kinds] as const)('nothing happens any more: %s', async (_, headers) => {
      const api = await open(() => (headers ? { chunks: talk(Promise.resolve()), headers } : { json: {} }), { onAbort: 'release' })
      const agent = new Agent({ keepAlive: true })
      expect((await api.wire('POST /run', { agent }).read()).whole).toBe(true)
      agent.destroy()
      expect((await api.call('POST /other')).remaining).toBe(47)
      expect([...api.store.calls.values()]).toEqual([['settle'], ['settle']])
    })
  })

  describe('a socket that is used again', () => {
    it('carries calls of its own after another was left, and keeps nothing of those before', async () => {
      const warned: Error[] = []
      const watch = (warning: Error) => void warned.push(warning)
      process.on('warning', watch)
      const api = await open(({ signal }) => ({ chunks: talk(aborted(signal)), headers: events }), { onAbort: 'ceiling' })
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      await api.wire('POST /other', { agent }).read()
      const left = api.wire('POST /run')
      await left.begun()
      left.leave()
      for (let i = 0; i < 30; i++) expect((await api.wire('POST /other', { agent }).read()).whole).toBe(true)
      agent.destroy()
      expect([...await api.settled()].sort()).toEqual([...Array<number>(31).fill(1), 5])
      process.off('warning', watch)
      expect(warned).toEqual([])
    })
  })
}
