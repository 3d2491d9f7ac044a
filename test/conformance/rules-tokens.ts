import { describe, expect, it } from 'vitest'
import { tokenUsage } from '@farebox/core'
import type { Handler } from '../support/apps/app.js'
import type { Rig } from './adapter.js'
import { anthropicEvents, openaiEvents, openaiJson } from './llm-responses.js'
import { events, inChunks } from './streams.js'

/** 9 tokens in and 12 out, as every response here tells, at these rates. */
const tokens = tokenUsage({ rates: { input: 0.01, output: 0.1 }, ceiling: () => ({ input: 100, output: 50 }) })
const spent = 1.29

export function tokenRules(rig: Rig): void {
  const open = (handler: Handler) => rig.open({ routes: [{ route: 'POST /run', handler }], prices: { 'POST /run': { product: 'chat', ...tokens } }, allowance: 50 })

  describe('token usage of a response', () => {
    const responses = { 'OpenAI, events': [openaiEvents, 'text/event-stream'], 'Anthropic, events': [anthropicEvents, 'text/event-stream'], 'OpenAI, JSON': [openaiJson, 'application/json'] } as const
    const cases = Object.keys(responses).flatMap((shape) => [1, 7, 64, 100_000].map((size) => [shape as keyof typeof responses, size] as const))

    it.each(cases)('is what a stream is charged for, and it passes as it is: %s in chunks of %i bytes', async (shape, size) => {
      const [text, type] = responses[shape]
      const api = await open(() => ({ chunks: inChunks(text, size), headers: { 'Content-Type': type } }))
      expect((await api.call('POST /run')).text).toBe(text)
      expect(await api.settled()).toEqual([spent])
    })

    it('is what a JSON response is charged for', async () => {
      const api = await open(() => ({ json: JSON.parse(openaiJson) as unknown }))
      expect(await api.call('POST /run')).toMatchObject({ charged: spent, ceiling: 6, remaining: 48.71 })
    })

    it('is not told: the price is taken, and it is logged', async () => {
      const api = await open(() => ({ chunks: inChunks('data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n', 9), headers: events }))
      await api.call('POST /run')
      expect(await api.settled()).toEqual([6])
      expect(api.errors).toEqual([expect.stringContaining('POST /run')])
    })
  })
}
