import { describe, expect, it } from 'vitest'
import { describeExample, expectPriced, expectRefused } from './example-rules.js'
import { makeLlmChat } from './makers.js'

const path = '/v1/chat/completions'
const ask = (content: string, rest: object = {}) => ({ model: 'echo-1', messages: [{ role: 'user', content }], ...rest })

/** So many tokens, each a word: with the 3 that a message takes, the prompt has 3 more. */
const words = (count: number): string => Array.from({ length: count }, () => 'word').join(' ')

interface Completion {
  readonly choices: readonly { readonly message: { readonly content: string }; readonly finish_reason: string }[]
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[]
  readonly usage?: object | null
}

describeExample({
  name: 'llm-chat',
  make: makeLlmChat,
  // 3 + 2 prompt tokens; of at most 100 it makes 5: "You said: hello there".
  call: { path, body: ask('hello there', { max_tokens: 100 }), product: 'chat', price: 0.205, charge: 0.015 },
  rules(api) {
    describe('POST /v1/chat/completions', () => {
      it.each([
        ['0.001 a prompt token and 0.002 a completion token', { body: ask(words(7), { max_tokens: 10 }), price: 0.03 }],
        ['charged for the tokens made, priced at max_tokens', { body: ask(words(7), { max_tokens: 50 }), price: 0.11, charge: 0.03 }],
        ['max_tokens 1, the least', { body: ask(words(7), { max_tokens: 1 }), price: 0.012 }],
        ['max_tokens 4,096, the most, all made', { body: ask(words(4_997), { max_tokens: 4_096 }), price: 13.192 }],
        ['priced at 256 completion tokens without max_tokens', { body: ask(words(7)), price: 0.522, charge: 0.03 }],
        ['cut at 256 completion tokens without max_tokens', { body: ask(words(997)), price: 1.512 }],
        ['every message counts', {
          body: { messages: [{ role: 'system', content: words(2) }, { role: 'user', content: words(7) }], max_tokens: 10 },
          price: 0.035,
        }],
        ['an empty message still takes its 3 tokens', { body: ask('', { max_tokens: 3 }), price: 0.009 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([
        ['max_tokens 0', ask('hi', { max_tokens: 0 })],
        ['max_tokens 4,097', ask('hi', { max_tokens: 4_097 })],
        ['max_tokens 1.5', ask('hi', { max_tokens: 1.5 })],
        ['no messages', { model: 'echo-1', messages: [] }],
        ['an unknown role', { messages: [{ role: 'robot', content: 'hi' }] }],
        ['a message without content', { messages: [{ role: 'user' }] }],
      ])('422 for %s, free', (_, body) => expectRefused(api(), path, body))

      it('answers as OpenAI does, and what its usage says is what is charged', async () => {
        const caller = api().caller()
        const { body, charged } = await caller.post<Completion>(path, ask('Which way to the sea?'))
        expect(body).toMatchObject({
          id: expect.stringMatching(/^chatcmpl-/) as string,
          object: 'chat.completion',
          created: expect.any(Number) as number,
          model: 'echo-1',
          choices: [{ index: 0, message: { role: 'assistant', content: 'You said: Which way to the sea?' }, finish_reason: 'stop' }],
        })
        const { prompt_tokens, completion_tokens, total_tokens } = body.usage
        expect(total_tokens).toBe(prompt_tokens + completion_tokens)
        expect(charged).toBeCloseTo(0.001 * prompt_tokens + 0.002 * completion_tokens, 6)
        expect(await caller.charges()).toEqual([charged])
      })

      it('is deterministic', async () => {
        const [one, two] = await Promise.all([api().caller().post<Completion>(path, ask('hi')), api().caller().post<Completion>(path, ask('hi'))])
        expect({ ...one.body, id: '', created: 0 }).toEqual({ ...two.body, id: '', created: 0 })
      })

      it('says finish_reason length where max_tokens cut the answer', async () => {
        const { body } = await api().caller().post<Completion>(path, ask('one two three', { max_tokens: 4 }))
        expect(body.choices[0]).toMatchObject({ message: { content: 'You said: one' }, finish_reason: 'length' })
      })

      it('stream: true answers the same as events, the last with the usage that is charged', async () => {
        const caller = api().caller()
        const response = await fetch(api().url + path, {
          method: 'POST',
          headers: { 'x-api-key': caller.account, 'content-type': 'application/json' },
          body: JSON.stringify(ask('one two', { stream: true, stream_options: { include_usage: true } })),
        })
        expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
        expect(response.headers.get('credits-ceiling')).toBe('0.517')
        const events = (await response.text()).split('\n\n').slice(0, -1).map((event) => event.replace(/^data: /, ''))
        expect(events.pop()).toBe('[DONE]')
        const chunks = events.map((event) => JSON.parse(event) as Chunk)
        expect(chunks.map(({ choices: [choice] }) => choice?.delta.content ?? '').join('')).toBe('You said: one two')
        expect(chunks.map(({ choices: [choice] }) => choice?.finish_reason).filter(Boolean)).toEqual(['stop'])
        expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 } })
        await expect.poll(caller.charges).toEqual([0.015])
      })

      it('a stream that fails costs nothing', async () => {
        const caller = api().caller()
        const { status, charged } = await caller.post(path, ask('hi', { stream: true }), { 'x-simulate': 'error' })
        expect({ status, charged }).toEqual({ status: 500, charged: 0 })
        expect(await caller.balance()).toMatchObject({ reserved: 0 })
        expect(await caller.charges()).toEqual([])
      })
    })
  },
})
