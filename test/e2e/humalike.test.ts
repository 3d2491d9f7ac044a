import { describe, expect, it } from 'vitest'
import { describeExample, expectPriced, expectRefused } from './example-rules.js'
import { makeHumalike } from './makers.js'

const transcript = (length: number): string => 'x'.repeat(length)
const many = (length: number): unknown[] => Array.from({ length }, (_, i) => ({ id: i }))

describeExample({
  name: 'humalike',
  make: makeHumalike,
  call: {
    path: '/v1/social-learning/profiles/extract',
    body: { transcript: `Ada: hello${' '.repeat(2_000)}` },
    product: 'social-learning',
    price: 3,
    charge: 1,
  },
  rules(api) {
    describe('POST /v1/personas/generate', () => {
      const path = '/v1/personas/generate'

      it.each([
        ['2 credits for 1 persona', { body: { count: 1 }, price: 2 }],
        ['100 for 50, the most', { body: { count: 50 }, price: 100 }],
        ['2 for a short one', { body: { count: 1, detail: 'short' }, price: 2 }],
        ['5 for a long one', { body: { count: 1, detail: 'long' }, price: 5 }],
        ['250 for 50 long ones', { body: { count: 50, detail: 'long' }, price: 250 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([{ count: 0 }, { count: 51 }, { count: 1.5 }, { count: '1' }, {}, { count: 1, detail: 'epic' }])('422 for %j, free', (body) =>
        expectRefused(api(), path, body))

      it('makes as many personas as asked for, with a background where they are long', async () => {
        const { body } = await api().caller().post<{ personas: unknown[] }>(path, { count: 3, detail: 'long' })
        expect(body.personas).toHaveLength(3)
        expect(body.personas[0]).toHaveProperty('background')
      })
    })

    describe('POST /v1/personas/enhance', () => {
      const path = '/v1/personas/enhance'

      it.each([
        ['3 credits a persona', { body: { personas: many(1) }, price: 3 }],
        ['60 for 20', { body: { personas: many(20) }, price: 60 }],
        ['nothing for none', { body: { personas: [] }, price: 0 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it('422 without personas, free', () => expectRefused(api(), path, {}))
    })

    describe('POST /v1/populations/validate', () => {
      const path = '/v1/populations/validate'

      it.each([
        ['1 credit for 1', { body: { size: 1 }, price: 1 }],
        ['1 for 100', { body: { size: 100 }, price: 1 }],
        ['2 for 101: a hundred started', { body: { size: 101 }, price: 2 }],
        ['100 for 10,000, the most', { body: { size: 10_000 }, price: 100 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([{ size: 0 }, { size: 10_001 }, { size: 0.5 }, {}])('422 for %j, free', (body) => expectRefused(api(), path, body))
    })

    describe('POST /v1/social-learning/profiles/extract', () => {
      const path = '/v1/social-learning/profiles/extract'

      it.each([
        ['1 credit for 1 character', { body: { transcript: transcript(1) }, price: 1 }],
        ['1 for 1,000', { body: { transcript: transcript(1_000) }, price: 1 }],
        ['2 for 1,001: a thousand started', { body: { transcript: transcript(1_001) }, price: 2 }],
        ['200 for 200,000, the most', { body: { transcript: transcript(200_000) }, price: 200 }],
        ['nothing for an empty one', { body: { transcript: '' }, price: 0 }],
        ['priced as sent, charged as trimmed', { body: { transcript: `\n ${transcript(1_000)}  ` }, price: 2, charge: 1 }],
        ['a transcript of blanks is charged nothing', { body: { transcript: ' '.repeat(5_000) }, price: 5, charge: 0 }],
        ['blanks inside count', { body: { transcript: `a${' '.repeat(1_000)}b` }, price: 2 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([
        ['200,001 characters', { transcript: transcript(200_001) }],
        ['no transcript', {}],
      ])('422 for %s, free', (_, body) => expectRefused(api(), path, body))

      it('tells what it analysed', async () => {
        const { body } = await api().caller().post(path, { transcript: '  Ada: hi\nBob: hello  ' })
        expect(body).toMatchObject({ profiles: [{ speaker: 'Ada' }, { speaker: 'Bob' }], charactersAnalysed: 18 })
      })
    })

    describe('POST /v1/theory-of-mind/foresee', () => {
      const path = '/v1/theory-of-mind/foresee'

      it.each([
        ['the transcript price with a horizon of 1', { body: { transcript: transcript(1_001), horizon: 1 }, price: 2 }],
        ['ten times that with a horizon of 10, the most', { body: { transcript: transcript(1_001), horizon: 10 }, price: 20 }],
        ['2,000 for the longest and farthest', { body: { transcript: transcript(200_000), horizon: 10 }, price: 2_000 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([0, 11, 1.5, undefined])('422 for horizon %j, free', (horizon) => expectRefused(api(), path, { transcript: 'x', horizon }))

      it('422 for 200,001 characters, free', () => expectRefused(api(), path, { transcript: transcript(200_001), horizon: 1 }))
    })

    describe('POST /v1/social-observability/analyze', () => {
      const path = '/v1/social-observability/analyze'

      it.each([
        ['0.05 credits an event', { body: { events: many(1) }, price: 0.05 }],
        ['0.15 for three, to the micro-credit', { body: { events: many(3) }, price: 0.15 }],
        ['50 for 1,000', { body: { events: many(1_000) }, price: 50 }],
        ['nothing for none', { body: { events: [] }, price: 0 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it('422 without events, free', () => expectRefused(api(), path, {}))
    })

    describe('POST /v1/social-memory', () => {
      const path = '/v1/social-memory/read'
      const ingest = { memories: ['Ada likes tea', 'Ada likes long walks', 'Bob likes tea'] }

      it('ingest is free', async () => {
        const caller = api().caller()
        const { status, body, charged } = await caller.post('/v1/social-memory/ingest', ingest)
        expect({ status, body, charged }).toEqual({ status: 200, body: { ingested: 3 }, charged: undefined })
        expect(await caller.charges()).toEqual([])
      })

      it('ingest without an API key: 401', async () => {
        expect(await api().caller({}).post('/v1/social-memory/ingest', ingest)).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHENTICATED' } } })
      })

      it.each([
        ['0.1 a memory returned', 'tea', 100, ['Ada likes tea', 'Bob likes tea']],
        ['as many as match every word', 'ada TEA', 100, ['Ada likes tea']],
        ['nothing for no match', 'coffee', 100, []],
        ['as many as the limit lets through', 'likes', 1, ['Ada likes tea']],
        ['all of them up to the limit', 'likes', 3, ingest.memories],
      ])('read is priced at 0.1 × limit and charged %s', async (_, query, limit, memories) => {
        const caller = api().caller()
        await caller.post('/v1/social-memory/ingest', ingest)
        const { body, ceiling, charged } = await caller.post(path, { query, limit })
        expect(body).toEqual({ memories })
        expect({ ceiling, charged }).toEqual({ ceiling: limit / 10, charged: memories.length / 10 })
      })

      it('an account reads its own memories only', async () => {
        await api().caller().post('/v1/social-memory/ingest', ingest)
        expect(await api().caller().post(path, { query: 'tea', limit: 10 })).toMatchObject({ body: { memories: [] }, charged: 0 })
      })

      it.each([0, 101, 1.5, undefined])('422 for limit %j, free', (limit) => expectRefused(api(), path, { query: 'tea', limit }))
    })
  },
})
