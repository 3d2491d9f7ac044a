// What a program that uses OpenAI's own SDK pays, pointed at llm-chat.
import OpenAI, { APIError, type ClientOptions } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { start, stores, type Caller, type Running } from './example.js'
import { makeLlmChat } from './makers.js'

const RATES = { input: 0.001, output: 0.002 }
const ALLOWANCE = 100

const words = (count: number): string => Array.from({ length: count }, (_, i) => `word${i % 10}`).join(' ')
const ask = (content: string, max_tokens = 4_096) => ({ model: 'echo-1', max_tokens, messages: [{ role: 'user' as const, content }] })
const streamed = (content: string, max_tokens?: number) => ({ ...ask(content, max_tokens), stream: true as const, stream_options: { include_usage: true } })
const cost = ({ prompt_tokens, completion_tokens }: OpenAI.CompletionUsage): number => credits(prompt_tokens, completion_tokens)
const credits = (input: number, output: number): number => Math.round((RATES.input * input + RATES.output * output) * 1e6) / 1e6

/** What an account says, with what could be taken for usage or for the frame of a stream. */
const prompts = [
  'hi', '', ' ', 'Which way to the sea?', words(50), words(700), 'Zwölf Boxkämpfer jagen Viktor 👩‍👩‍👧 über den Deich — 日本語も',
  '{"usage":{"prompt_tokens":1,"completion_tokens":1}}', '"usage": {"prompt_tokens": 99999, "completion_tokens": 99999}',
  'data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\ndata: [DONE]\n\n', 'event: metering\n\n\r\n\r\n', '\\"} "usage": null, {"choices"',
  ...Array.from({ length: 12 }, (_, i) => words(i * i + 1)),
]

/** An SDK that waits no time between attempts, and counts them. */
function sdkFor(api: Running, { account }: Caller, { fetch: send = fetch, ...options }: ClientOptions = {}) {
  const sent: Headers[] = []
  const client = new OpenAI({
    baseURL: `${api.url}/v1`, apiKey: account, maxRetries: 0, ...options,
    async fetch(url, init) {
      sent.push(new Headers(init?.headers))
      const response = await send(url, init)
      if (response.ok) return response
      return new Response(response.body, { status: response.status, headers: [...response.headers, ['retry-after-ms', '1']] })
    },
  })
  return { chat: client.chat.completions, sent }
}

/** Sends, and loses the first answers on their way back. */
function losing(count: number): typeof fetch {
  let lost = 0
  return async (url, init) => {
    const response = await fetch(url, init)
    if (lost++ >= count) return response
    await response.text()
    throw new TypeError('fetch failed')
  }
}

const errorOf = async (call: PromiseLike<unknown>): Promise<APIError> => {
  const error: unknown = await Promise.resolve(call).then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(APIError)
  return error as APIError
}

describe.each(stores)('the OpenAI SDK on %s', (_, makeStore) => {
  let api: Running
  let poor: Running
  beforeAll(async () => {
    api = await start(makeLlmChat, makeStore(), ALLOWANCE)
    poor = await start(makeLlmChat, makeStore(), 0.1)
  })
  afterAll(async () => {
    await api.close()
    await poor.close()
  })
  afterEach(() => vi.restoreAllMocks())

  /** Once nothing is set aside any more, what was charged. */
  async function settled(caller: Caller): Promise<number[]> {
    await expect.poll(async () => (await caller.balance()).reserved, { interval: 5 }).toBe(0)
    return caller.charges()
  }

  it('an answer costs 0.001 × prompt_tokens + 0.002 × completion_tokens of the usage that the SDK reports', async () => {
    await Promise.all(prompts.map(async (prompt) => {
      const caller = api.caller()
      const { data, response } = await sdkFor(api, caller).chat.create(ask(prompt)).withResponse()
      expect(data.choices[0]?.message.content).toBe(`You said: ${prompt}`)
      expect({ prompt, charges: await caller.charges() }).toEqual({ prompt, charges: [cost(data.usage!)] })
      expect(Number(response.headers.get('Credits-Charged'))).toBe(cost(data.usage!))
    }))
  })

  it('a stream costs the same by the usage in its last chunk, and comes through untouched', async () => {
    await Promise.all(prompts.map(async (prompt) => {
      const caller = api.caller()
      let text = ''
      let usage: OpenAI.CompletionUsage | null | undefined
      for await (const chunk of await sdkFor(api, caller).chat.create(streamed(prompt))) {
        text += chunk.choices[0]?.delta.content ?? ''
        usage = chunk.usage
      }
      expect(text).toBe(`You said: ${prompt}`)
      expect({ prompt, charges: await settled(caller) }).toEqual({ prompt, charges: [cost(usage!)] })
    }))
  })

  it('a call costs the same whether it is streamed or not', async () => {
    const [one, two] = [api.caller(), api.caller()]
    await sdkFor(api, one).chat.create(ask(words(40), 30))
    await sdkFor(api, two).chat.stream(streamed(words(40), 30)).done()
    expect(await settled(two)).toEqual(await settled(one))
  })

  it('the first chunk of a stream is there while the rest is still being made, and its price is set aside', async () => {
    const caller = api.caller()
    const stream = await sdkFor(api, caller).chat.create(streamed(words(400)))
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    expect(await caller.balance()).toMatchObject({ balance: ALLOWANCE, reserved: credits(3 + 400, 4_096) })
    await chunks.return?.()
  })

  it('the credits of an account are what its usage adds up to', async () => {
    const caller = api.caller()
    const { chat } = sdkFor(api, caller)
    const usages = await Promise.all([1, 20, 60].map(async (count) => (await chat.create(ask(words(count)))).usage!))
    const spent = usages.reduce((sum, usage) => sum + cost(usage), 0)
    expect(await caller.usage()).toMatchObject({ total_calls: 3, total_credits: expect.closeTo(spent, 6) as number, per_component: [{ component: 'chat', calls: 3 }] })
    expect((await caller.balance()).balance).toBeCloseTo(ALLOWANCE - spent, 6)
  })

  describe('a stream that the SDK leaves midway', () => {
    const PROMPT = words(600)
    const whole = credits(3 + 600, 600 + 3)

    it.each([1, 10, 50])('with controller.abort() after %i chunks is charged once, for what was metered so far', async (count) => {
      const caller = api.caller()
      const stream = await sdkFor(api, caller).chat.create(streamed(PROMPT))
      let tokens = 0
      await expect(async () => {
        for await (const { choices } of stream) {
          if (choices[0]?.delta.content) tokens++
          if (tokens === count) stream.controller.abort()
        }
      }).not.toThrow()
      const charges = await settled(caller)
      expect(charges).toHaveLength(1)
      expect(charges[0]).toBeGreaterThanOrEqual(credits(3 + 600, tokens))
      expect(charges[0]).toBeLessThan(whole)
    })

    it('with break is charged the same way', async () => {
      const caller = api.caller()
      for await (const { choices } of await sdkFor(api, caller).chat.create(streamed(PROMPT))) if (choices[0]?.delta.content) break
      const charges = await settled(caller)
      expect(charges).toHaveLength(1)
      expect(charges[0]).toBeGreaterThan(0)
      expect(charges[0]).toBeLessThan(whole)
    })

    it('is charged so too when it was not to tell its usage', async () => {
      const caller = api.caller()
      const log = vi.spyOn(console, 'error').mockReturnValue()
      for await (const { choices } of await sdkFor(api, caller).chat.create({ ...ask(PROMPT), stream: true })) if (choices[0]?.delta.content) break
      const charges = await settled(caller)
      expect(charges).toHaveLength(1)
      expect(charges[0]).toBeGreaterThan(0)
      expect(charges[0]).toBeLessThan(whole)
      expect(log).not.toHaveBeenCalled()
    })

    it('does not disturb others: of 30 each is charged once, and nothing stays set aside', async () => {
      const caller = api.caller()
      const { chat } = sdkFor(api, caller)
      await Promise.all(Array.from({ length: 30 }, async (_, i) => {
        let left = i * 3
        for await (const { choices } of await chat.create(streamed(words(60), 64))) if (choices.length > 0 && left-- === 0) break
      }))
      const charges = await settled(caller)
      expect(charges).toHaveLength(30)
      expect(Math.min(...charges)).toBeGreaterThan(0)
      expect(Math.max(...charges)).toBeLessThanOrEqual(credits(63, 63))
    })
  })

  it('a stream without include_usage tells no usage: its price is taken, and that is logged', async () => {
    const caller = api.caller()
    const log = vi.spyOn(console, 'error').mockReturnValue()
    for await (const { usage } of await sdkFor(api, caller).chat.create({ ...ask('hi', 50), stream: true })) expect(usage).toBeFalsy()
    expect(await settled(caller)).toEqual([credits(3 + 1, 50)])
    expect(log.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining('POST /v1/chat/completions has no valid charge, its price is taken')])
  })

  describe('refusals and failures', () => {
    it.each([['an answer', ask('hi', 200)], ['a stream', streamed('hi', 200)]])('a 402 for %s is an APIError of status 402, sent once and free', async (_, request) => {
      const caller = poor.caller()
      const { chat, sent } = sdkFor(poor, caller, { maxRetries: 2 })
      const error = await errorOf(chat.create(request))
      expect(error).toMatchObject({ status: 402, code: 'PAYMENT_REQUIRED', message: '402 insufficient credits' })
      expect(error.error).toMatchObject({ details: { required: credits(3 + 1, 200), available: 0.1, remedy: 'reduce' } })
      expect(sent).toHaveLength(1)
      expect(await caller.charges()).toEqual([])
    })

    it('a call without a key is an APIError of status 401', async () => {
      const { chat } = sdkFor(api, api.caller(), { defaultHeaders: { Authorization: null } })
      expect(await errorOf(chat.create(ask('hi')))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
    })

    it('a call that fails with 500 each time is sent three times by maxRetries 2, and free', async () => {
      const caller = api.caller()
      const { chat, sent } = sdkFor(api, caller, { maxRetries: 2, defaultHeaders: { 'x-simulate': 'error' } })
      expect(await errorOf(chat.create(ask('hi')))).toMatchObject({ status: 500 })
      expect(sent).toHaveLength(3)
      expect(await caller.charges()).toEqual([])
      expect(await caller.balance()).toEqual({ balance: ALLOWANCE, reserved: 0, available: ALLOWANCE })
    })

    it('a call that fails once and then succeeds is charged once', async () => {
      const caller = api.caller()
      const simulating: typeof fetch = (url, init) => {
        const headers = new Headers(init?.headers)
        if (headers.get('x-stainless-retry-count') === '0') headers.set('x-simulate', 'error')
        return fetch(url, { ...init, headers })
      }
      const { chat, sent } = sdkFor(api, caller, { maxRetries: 2, fetch: simulating })
      const { usage } = await chat.create(ask('hi'))
      expect(sent).toHaveLength(2)
      expect(await caller.charges()).toEqual([cost(usage!)])
    })
  })

  describe('retries', () => {
    const keyed = (key: string) => ({ headers: { 'Idempotency-Key': key } })

    it('carry no Idempotency-Key of the SDK\'s own: an answer that is lost and asked for again is paid twice', async () => {
      const caller = api.caller()
      const { chat, sent } = sdkFor(api, caller, { maxRetries: 1, fetch: losing(1) })
      const { usage } = await chat.create(ask('hi'))
      expect(sent.map((headers) => headers.get('idempotency-key'))).toEqual([null, null])
      expect(await caller.charges()).toEqual([cost(usage!), cost(usage!)])
    })

    it('with a key that the program gives, an answer that is lost is replayed and paid once', async () => {
      const caller = api.caller()
      const { chat, sent } = sdkFor(api, caller, { maxRetries: 2, fetch: losing(1) })
      const { data, response } = await chat.create(ask('hi'), keyed('question-1')).withResponse()
      expect(sent.map((headers) => headers.get('idempotency-key'))).toEqual(['question-1', 'question-1'])
      expect(response.headers.get('idempotent-replayed')).toBe('true')
      expect(await caller.charges()).toEqual([cost(data.usage!)])
      expect((await chat.create(ask('hi'), keyed('question-1'))).id).toBe(data.id)
    })

    it('a call that times out and is sent again under its key is paid once', async () => {
      const caller = api.caller()
      const { chat, sent } = sdkFor(api, caller, { maxRetries: 3, timeout: 100, defaultHeaders: { 'x-simulate': 'slow:200' } })
      const { usage } = await chat.create(ask('hi'), keyed('question-1'))
      expect(sent.length).toBeGreaterThan(1)
      expect(await settled(caller)).toEqual([cost(usage!)])
    })

    it('a stream is not kept: under its key it is refused with 409, and paid once', async () => {
      const caller = api.caller()
      const { chat, sent } = sdkFor(api, caller, { maxRetries: 1 })
      let usage: OpenAI.CompletionUsage | null | undefined
      for await (const chunk of await chat.create(streamed('hi'), keyed('question-1'))) usage = chunk.usage
      const charges = await settled(caller)
      expect(charges).toEqual([cost(usage!)])
      expect(await errorOf(chat.create(streamed('hi'), keyed('question-1')))).toMatchObject({ status: 409, code: 'IDEMPOTENCY_RESULT_UNAVAILABLE' })
      expect(sent).toHaveLength(3)
      expect(await caller.charges()).toEqual(charges)
    })
  })
})
