// What docs.thehog.ai tells about credits, rule by rule and page by page. Where its JSON differs from ours in form
// (the envelope of a refusal, the words for an operation's status, latency in ms), ours is what is tested.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { start, stores, type Caller, type Running } from './example.js'
import { makeTheHog } from './makers.js'

const ALLOWANCE = 1_000
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const key = () => ({ 'Idempotency-Key': randomUUID() })

const search = { path: '/api/companies/search', body: { domains: ['acme.com', 'ACME.com', 'globex.com', 'initech.cached.example'] } }
const enrich = { path: '/api/people/enrich', body: { name: 'Ada Lovelace', company: 'found-at-2.example', maxEmailProviderAttempts: 3 } }
const generate = { path: '/api/generate', body: { prompt: 'Write.', maxTokens: 400 } }
const research = { path: '/api/deep-research', body: { question: 'Who bakes the best bread in Lisbon?' } }
const paid = [search, enrich, generate, research]

/** As `it.each` takes them: the path for the name, then the body. */
const rows = (calls: readonly { path: string; body: object }[]) => calls.map(({ path, body }) => [path, body] as const)

interface Accepted {
  readonly id: string
  readonly operationId: string
  readonly status: string
  readonly pollUrl: string
  readonly metering: object
  readonly meta: { readonly requestId: string }
}

interface Polled {
  readonly operationId: string
  readonly status: string
  readonly metering: { readonly creditsCharged: number; readonly estimatedMaxCredits: number; readonly pending?: true }
  readonly result: { readonly sources?: readonly string[]; readonly error?: string } | null
}

/** Polls an operation until it is over. */
async function finished(caller: Caller, { pollUrl }: Accepted): Promise<Polled> {
  for (;; await delay(50)) {
    const { body } = await caller.get<Polled>(pollUrl)
    if (body.status !== 'pending') return body
  }
}

describe.each(stores)('docs.thehog.ai on %s', (_, makeStore) => {
  let api: Running
  let poor: Running
  beforeAll(async () => {
    api = await start(makeTheHog, makeStore(), ALLOWANCE)
    poor = await start(makeTheHog, makeStore(), 2.5)
  })
  afterAll(async () => {
    await api.close()
    await poor.close()
  })

  const untouched = async (caller: Caller, credits = ALLOWANCE) => {
    expect(await caller.charges()).toEqual([])
    // Nothing is granted before the first call that is billed.
    expect([0, credits]).toContain((await caller.balance()).balance)
    expect(await caller.balance()).toMatchObject({ reserved: 0 })
  }

  describe('concepts/credits: what costs credits', () => {
    it('a company search is charged per unique domain where an external provider is consulted', async () => {
      const caller = api.caller()
      expect(await caller.post(search.path, search.body)).toMatchObject({ status: 200, ceiling: 3, charged: 2, body: { meta: { consulted: ['acme.com', 'globex.com'] } } })
      expect(await caller.charges()).toEqual([2])
    })

    it('a people enrichment is charged per provider attempt of the waterfall, which stops at the first that finds', async () => {
      const caller = api.caller()
      expect(await caller.post(enrich.path, enrich.body)).toMatchObject({ status: 200, ceiling: 6, charged: 4, body: { data: { attempts: [{ found: false }, { found: true }] } } })
      expect(await caller.charges()).toEqual([4])
    })

    it('a lower maxEmailProviderAttempts costs less', async () => {
      const at = async (most: number) => (await api.caller().post(enrich.path, { ...enrich.body, company: 'nowhere.example', maxEmailProviderAttempts: most })).charged
      expect(await Promise.all([1, 2, 3, 4].map(at))).toEqual([2, 4, 6, 8])
    })

    it('a generation is charged for the content it generated', async () => {
      const caller = api.caller()
      expect(await caller.post(generate.path, generate.body)).toMatchObject({ status: 200, ceiling: 5, charged: 1.06, body: { data: { tokens: 6 } } })
      expect(await caller.charges()).toEqual([1.06])
    })

    it.concurrent('a deep research is charged for its research, once it is done: 10 a source', async () => {
      const caller = api.caller()
      const { body } = await caller.post<Accepted>(research.path, research.body)
      expect(await caller.charges()).toEqual([])
      const { metering, result } = await finished(caller, body)
      expect(metering).toEqual({ creditsCharged: 10 * result!.sources!.length, estimatedMaxCredits: 50 })
      expect(await caller.charges()).toEqual([metering.creditsCharged])
    })
  })

  describe('concepts/credits: what is free', () => {
    it('GET /api/health, also without an account', async () => {
      expect(await api.caller({}).get('/api/health')).toMatchObject({ status: 200, charged: undefined })
    })

    it.concurrent('GET /api/operations/:id, however often', async () => {
      const caller = api.caller()
      const { body } = await caller.post<Accepted>(research.path, research.body)
      await Promise.all(Array.from({ length: 20 }, () => caller.get(body.pollUrl)))
      expect(await caller.balance()).toEqual({ balance: ALLOWANCE, reserved: 50, available: ALLOWANCE - 50 })
    })

    it.each(rows(paid))('POST %s/estimate: it calls nobody, sets nothing aside and charges nothing', async (path, body) => {
      const caller = api.caller()
      // The route's own handler would answer this with 500.
      expect(await caller.post(`${path}/estimate`, body, { 'x-simulate': 'error' })).toMatchObject({ status: 200 })
      await untouched(caller)
      expect(await caller.usage()).toMatchObject({ total_calls: 0 })
    })
  })

  describe('concepts/credits: estimates', () => {
    const estimateOf = async ({ path, body }: { path: string; body: unknown }, caller = api.caller()) => (await caller.post(`${path}/estimate`, body)).body

    it('takes the body of the call, and refuses the one the call would refuse', async () => {
      const { status, body } = await api.caller().post(`${search.path}/estimate`, { domains: 'acme.com' })
      expect({ status, body }).toMatchObject({ status: 422, body: { error: { code: 'INVALID_REQUEST' } } })
    })

    it('estimatedCredits: what the call is expected to cost; estimatedMaxCredits: never more than that', async () => {
      expect(await estimateOf(research)).toMatchObject({ estimatedCredits: 30, estimatedMaxCredits: 50 })
    })

    it('of a company search is the worst case: every unique domain is looked up', async () => {
      expect(await estimateOf(search)).toMatchObject({ estimatedMaxCredits: 3 })
    })

    it('likelySyncOrAsync: whether the call answers 200 or 202', async () => {
      const told = await Promise.all(paid.map(async (call) => {
        const { likelySyncOrAsync } = await estimateOf(call) as { likelySyncOrAsync: string }
        return [likelySyncOrAsync, (await api.caller().post(call.path, call.body)).status]
      }))
      expect(told).toEqual([['sync', 200], ['sync', 200], ['sync', 200], ['async', 202]])
    })

    it('expectedLatencyRange: how long it takes about', async () => {
      expect(await estimateOf(research)).toMatchObject({ expectedLatencyRange: { lowMs: 1_000, highMs: 1_500 } })
      expect(await estimateOf(generate)).toMatchObject({ expectedLatencyRange: { lowMs: 1, highMs: 100 } })
    })

    it('providersLikelyUsed: who is likely to be asked', async () => {
      const told = await Promise.all(paid.map(async (call) => (await estimateOf(call) as { providersLikelyUsed: unknown }).providersLikelyUsed))
      expect(told).toEqual([['directory'], ['hunt', 'burrow', 'forage', 'unearth'], ['writer'], ['web', 'writer']])
    })

    it('withinPlanLimits: whether credits cover the call, which then runs, or else is refused', async () => {
      for (const count of [2, 3]) {
        const call = { path: search.path, body: { domains: ['a.com', 'b.com', 'c.com'].slice(0, count) } }
        const caller = poor.caller()
        expect(await estimateOf(call, caller)).toMatchObject({ withinPlanLimits: count === 2 })
        expect(await caller.post(call.path, call.body)).toMatchObject({ status: count === 2 ? 200 : 402 })
      }
    })

    it.each(rows(paid))('POST %s costs no more than its estimate said', async (path, body) => {
      const caller = api.caller()
      const { estimatedMaxCredits } = (await caller.post<{ estimatedMaxCredits: number }>(`${path}/estimate`, body)).body
      const { ceiling, charged = 0 } = await caller.post(path, body)
      expect(ceiling).toBe(estimatedMaxCredits)
      expect(charged).toBeLessThanOrEqual(estimatedMaxCredits)
    })
  })

  describe('concepts/credits: metering and 402', () => {
    it('a company search says in metering what was charged and the ceiling that was set aside', async () => {
      const { body } = await api.caller().post(search.path, search.body)
      expect(body).toMatchObject({ metering: { creditsCharged: 2, estimatedMaxCredits: 3 } })
    })

    it.each(rows(paid))('POST %s with too few credits answers 402 before anybody is asked, and deducts nothing', async (path, body) => {
      const caller = poor.caller()
      const reply = await caller.post(path, body, { 'x-simulate': 'error' })
      expect(reply).toMatchObject({ status: 402, charged: 0, body: { error: { code: 'PAYMENT_REQUIRED', message: 'insufficient credits', details: { required: reply.ceiling, available: 2.5 } } } })
      await untouched(caller, 2.5)
    })

    it('402 says how to go on: ask for less, or top up', async () => {
      expect((await poor.caller().post(search.path, search.body)).body).toMatchObject({ error: { details: { remedy: 'reduce' } } })
      expect((await poor.caller().post(research.path, research.body)).body).toMatchObject({ error: { details: { remedy: 'top_up' } } })
    })
  })

  describe('concepts/sync-vs-async', () => {
    it.each(rows([search, enrich, generate]))('POST %s is sync: 200 with data and meta.requestId', async (path, body) => {
      expect(await api.caller().post(path, body)).toMatchObject({ status: 200, body: { data: expect.anything() as unknown, meta: { requestId: expect.stringMatching(UUID) as string } } })
    })

    it('POST /api/deep-research is always async: 202 with an operation to poll, and no result yet', async () => {
      const { status, body } = await api.caller().post<Accepted>(research.path, research.body)
      expect(status).toBe(202)
      expect(body).not.toHaveProperty('result')
    })

    it.concurrent('polling answers 200 from the first time until the operation is over, and from then on the same', async () => {
      const caller = api.caller()
      const { body } = await caller.post<Accepted>(research.path, research.body)
      expect(await caller.get(body.pollUrl)).toMatchObject({ status: 200, body: { operationId: body.operationId, status: 'pending', metering: { creditsCharged: 0, estimatedMaxCredits: 50, pending: true }, result: null } })
      const over = await finished(caller, body)
      expect(over).toMatchObject({ operationId: body.operationId, status: 'succeeded' })
      expect((await caller.get(body.pollUrl)).body).toEqual(over)
    })
  })

  describe('reference/response-shapes', () => {
    it.each(rows(paid))('POST %s: X-Request-Id is a UUID, and the meta.requestId of the body', async (path, body) => {
      const reply = await api.caller().post<{ meta: { requestId: string } }>(path, body)
      expect(reply.headers.get('x-request-id')).toMatch(UUID)
      expect(reply.body.meta.requestId).toBe(reply.headers.get('x-request-id'))
    })

    it('a 202 has id and operationId, status "queued", pollUrl and meta.requestId', async () => {
      const { body } = await api.caller().post<Accepted>(research.path, research.body)
      expect(body).toEqual({
        id: body.operationId,
        operationId: expect.stringMatching(UUID) as string,
        status: 'queued',
        pollUrl: `/api/operations/${body.operationId}`,
        meta: { requestId: expect.stringMatching(UUID) as string },
        metering: { creditsCharged: 0, estimatedMaxCredits: 50, pending: true },
      })
    })
  })

  describe('reference/idempotency', () => {
    it.concurrent('deep research with the same key is the same operation, identical either way, and researched and charged once', async () => {
      const caller = api.caller()
      const headers = key()
      const first = await caller.post<Accepted>(research.path, research.body, headers)
      const again = await caller.post<Accepted>(research.path, research.body, headers)
      expect({ status: again.status, body: again.body }).toEqual({ status: 202, body: first.body })
      expect(again.headers.get('idempotent-replayed')).toBe('true')
      expect(await caller.balance()).toMatchObject({ reserved: 50 })
      const { metering } = await finished(caller, first.body)
      expect(await caller.charges()).toEqual([metering.creditsCharged])
      // Its metering tells how the operation stands by now.
      expect((await caller.post<Accepted>(research.path, research.body, headers)).body).toMatchObject({ operationId: first.body.operationId, pollUrl: first.body.pollUrl, metering })
      expect(await caller.charges()).toEqual([metering.creditsCharged])
    })

    it.each(rows([enrich, generate, search]))('POST %s with the same key answers the same and is charged once', async (path, body) => {
      const caller = api.caller()
      const headers = key()
      const first = await caller.post(path, body, headers)
      const again = await caller.post(path, body, headers)
      expect({ status: again.status, body: again.body, charged: again.charged }).toEqual({ status: 200, body: first.body, charged: first.charged })
      expect(await caller.charges()).toEqual([first.charged])
    })

    it('a key belongs to an account: another one\'s is another call', async () => {
      const headers = key()
      const [one, two] = await Promise.all([api.caller(), api.caller()].map(async (caller) => {
        const { body } = await caller.post<Accepted>(research.path, research.body, headers)
        return body.operationId
      }))
      expect(one).not.toBe(two)
    })

    it('after a 500 the same key may be sent again, and is charged once', async () => {
      const caller = api.caller()
      const headers = key()
      expect(await caller.post(generate.path, generate.body, { ...headers, 'x-simulate': 'error' })).toMatchObject({ status: 500, charged: 0 })
      expect(await caller.post(generate.path, generate.body, headers)).toMatchObject({ status: 200, charged: 1.06 })
      expect(await caller.charges()).toEqual([1.06])
    })

    it('a job that is delivered more than once at the same time runs once', async () => {
      const caller = api.caller()
      const headers = key()
      const replies = await Promise.all(Array.from({ length: 10 }, () => caller.post<Accepted>(research.path, research.body, headers)))
      const accepted = replies.filter(({ status }) => status === 202)
      expect(new Set(accepted.map(({ body }) => body.operationId)).size).toBe(1)
      expect(replies.filter(({ status }) => status !== 202).map(({ status }) => status)).toEqual(Array<number>(10 - accepted.length).fill(409))
      expect(await caller.balance()).toMatchObject({ reserved: 50 })
    })
  })

  describe('api/operations/get and api/deep-research', () => {
    it.concurrent('an operation that failed says why, and costs nothing', async () => {
      const caller = api.caller()
      const { status, body } = await caller.post<Accepted>(research.path, { question: 'fail, please' })
      expect(status).toBe(202)
      expect(await finished(caller, body)).toMatchObject({ status: 'failed', metering: { creditsCharged: 0, estimatedMaxCredits: 50 }, result: { error: 'no source could be read' } })
      await untouched(caller)
    })

    it.concurrent('a question of any number of sources is charged for them, up to the ceiling of 50', async () => {
      const seen = await Promise.all(Array.from({ length: 12 }, async (_, i) => {
        const caller = api.caller()
        const { body } = await caller.post<Accepted>(research.path, { question: `Question ${i}?` })
        const { metering, result } = await finished(caller, body)
        const sources = result!.sources!.length
        expect({ i, charged: metering.creditsCharged, ledger: await caller.charges() }).toEqual({ i, charged: 10 * sources, ledger: [10 * sources] })
        return sources
      }))
      expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4, 5]))
    })

    it('an operation is its account\'s own', async () => {
      const { body } = await api.caller().post<Accepted>(research.path, research.body)
      expect(await api.caller().get(body.pollUrl)).toMatchObject({ status: 404, body: { error: { code: 'OPERATION_NOT_FOUND' } } })
    })

    it.each([{}, { question: '' }, { question: '   ' }, { question: 7 }])('%j is refused with 422, and nothing is begun', async (body) => {
      const caller = api.caller()
      expect(await caller.post(research.path, body)).toMatchObject({ status: 422, charged: 0 })
      await untouched(caller)
    })

    it('what the call answers with an error has begun nothing that is ever charged', async () => {
      const caller = api.caller()
      expect(await caller.post(research.path, research.body, { 'x-simulate': 'error' })).toMatchObject({ status: 500, charged: 0 })
      await untouched(caller)
    })
  })
})
