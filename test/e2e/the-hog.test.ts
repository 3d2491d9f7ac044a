import { describe, expect, it } from 'vitest'
import { describeExample, expectPriced, expectRefused } from './example-rules.js'
import { makeTheHog } from './makers.js'

const domains = (count: number): string[] => Array.from({ length: count }, (_, i) => `company-${i}.com`)

interface Searched {
  readonly data: readonly { readonly domain: string }[]
  readonly metering: { readonly creditsCharged: number; readonly estimatedMaxCredits: number }
  readonly meta: { readonly requestId: string; readonly consulted: readonly string[] }
}

describeExample({
  name: 'the-hog',
  make: makeTheHog,
  call: {
    path: '/api/companies/search',
    body: { domains: ['acme.com', 'globex.com', 'initech.cached.example'] },
    product: 'company-search',
    price: 3,
    charge: 2,
  },
  rules(api) {
    describe('POST /api/companies/search', () => {
      const path = '/api/companies/search'

      it.each([
        ['1 credit for a domain', { body: { domains: ['acme.com'] }, price: 1 }],
        ['100 credits for 100 domains, the most', { body: { domains: domains(100) }, price: 100 }],
        ['nothing for no domain', { body: { domains: [] }, price: 0 }],
        ['a duplicate counts once', { body: { domains: ['acme.com', 'acme.com', 'globex.com'] }, price: 2 }],
        ['a duplicate in other case counts once', { body: { domains: ['acme.com', 'ACME.com', 'Acme.Com'] }, price: 1 }],
        ['a known domain is priced and not charged', { body: { domains: ['acme.com', 'a.cached.example'] }, price: 2, charge: 1 }],
        ['a known domain in other case is not charged', { body: { domains: ['A.Cached.EXAMPLE'] }, price: 1, charge: 0 }],
        ['only what ends in .cached.example is known', { body: { domains: ['cached.example', 'a.cached.example.com'] }, price: 2 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([
        ['101 domains', { domains: domains(101) }],
        ['a domain that is no text', { domains: [7] }],
        ['no domains', {}],
      ])('422 for %s, free', (_, body) => expectRefused(api(), path, body))

      it('answers { data, metering, meta } as The Hog does, and metering, headers and ledger say the same', async () => {
        const caller = api().caller()
        const { body, headers, ceiling, charged } = await caller.post<Searched>(path, { domains: ['acme.com', 'ACME.com', 'a.cached.example'] })
        expect(body.data.map(({ domain }) => domain)).toEqual(['acme.com', 'a.cached.example'])
        expect(body.metering).toEqual({ creditsCharged: 1, estimatedMaxCredits: 2 })
        expect(body.meta).toEqual({ requestId: headers.get('x-request-id'), consulted: ['acme.com'] })
        expect({ creditsCharged: charged, estimatedMaxCredits: ceiling }).toEqual(body.metering)
        expect(await caller.charges()).toEqual([body.metering.creditsCharged])
      })
    })

    describe('POST /api/people/enrich', () => {
      const path = '/api/people/enrich'
      const person = (company: string, maxEmailProviderAttempts?: number) => ({ name: 'Ada Lovelace', company, maxEmailProviderAttempts })

      it.each([
        ['2 credits when the first of up to 4 finders has it', { body: person('found-at-1.example'), price: 8, charge: 2 }],
        ['4 when the second has it', { body: person('found-at-2.example'), price: 8, charge: 4 }],
        ['6 when the third has it', { body: person('found-at-3.example'), price: 8, charge: 6 }],
        ['8 when the fourth has it', { body: person('found-at-4.example'), price: 8 }],
        ['8 when nobody has it: the attempts were made', { body: person('nowhere.example'), price: 8 }],
        ['priced at 2 with at most 1 attempt', { body: person('found-at-1.example', 1), price: 2 }],
        ['charged for 1 attempt of at most 1 that found nothing', { body: person('found-at-2.example', 1), price: 2 }],
        ['priced at 6 with at most 3 attempts', { body: person('found-at-2.example', 3), price: 6, charge: 4 }],
        ['charged for 3 attempts of at most 3 nowhere', { body: person('nowhere.example', 3), price: 6 }],
        ['priced at 8 with at most 4 attempts', { body: person('found-at-1.example', 4), price: 8, charge: 2 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([0, 5, 1.5, '2', null])('422 for maxEmailProviderAttempts %j, free', (attempts) =>
        expectRefused(api(), path, { ...person('nowhere.example'), maxEmailProviderAttempts: attempts }))

      it.each([{ name: 'Ada' }, { company: 'acme.com' }])('422 for %j alone, free', (body) => expectRefused(api(), path, body))

      it('finds the address at the attempt that the company names, and none nowhere', async () => {
        const found = await api().caller().post(path, person('found-at-2.example'))
        expect(found.body).toMatchObject({
          data: { email: 'ada.lovelace@found-at-2.example', attempts: [{ found: false }, { found: true }] },
        })
        expect((await api().caller().post(path, person('nowhere.example'))).body).toMatchObject({ data: { email: null } })
      })
    })

    describe('POST /api/generate', () => {
      const path = '/api/generate'

      it.each([
        ['1.01 for 1 token at most', { body: { prompt: 'Write.', maxTokens: 1 }, price: 1.01 }],
        ['41 for 4,000 tokens at most, all made', { body: { prompt: 'x'.repeat(4_000), maxTokens: 4_000 }, price: 41 }],
        ['charged for the tokens made, not for the most', { body: { prompt: 'Write.', maxTokens: 4_000 }, price: 41, charge: 1.06 }],
      ])('%s', (_, priced) => expectPriced(api(), path, priced))

      it.each([0, 4_001, 2.5, undefined])('422 for maxTokens %j, free', (maxTokens) => expectRefused(api(), path, { prompt: 'Write.', maxTokens }))

      it('422 without a prompt, free', () => expectRefused(api(), path, { maxTokens: 1 }))
    })

    it('GET /api/health is free and needs no account', async () => {
      const { status, body, charged } = await api().caller({}).get('/api/health')
      expect({ status, body, charged }).toEqual({ status: 200, body: { status: 'ok' }, charged: undefined })
    })

    it('a body that is not JSON is refused and free', async () => {
      const caller = api().caller()
      const { status } = await caller.post('/api/generate', 'a text', { 'content-type': 'text/plain' })
      expect(status).toBe(422)
      expect(await caller.charges()).toEqual([])
    })
  },
})
