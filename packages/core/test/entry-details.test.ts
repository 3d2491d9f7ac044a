import { describe, expect, it } from 'vitest'
import { detailsOf, entryDetails, readDetails } from '../src/billing/settlement/entry-details.js'
import { metered } from '../src/billing/prices/metered.js'
import { call, setUp } from './requests.js'

const requested = (id: string, version = '') => detailsOf(call({ headers: { 'x-request-id': id } }), version)
const items = [{ unit: 'page', quantity: 3, credits: 1.5 }]

describe('what a charge\'s entry says of its call', () => {
  it('is the version of the price book and the request\'s id, where there are any', () => {
    expect(detailsOf(call(), '')).toEqual({})
    expect(detailsOf(call(), '2026-03')).toEqual({ priceBookVersion: '2026-03' })
    expect(requested('req-1', 'v')).toEqual({ priceBookVersion: 'v', requestId: 'req-1' })
    expect(requested('')).toEqual({})
  })

  it('is no more than 200 characters of that id', () => {
    expect(requested('x'.repeat(200)).requestId).toHaveLength(200)
    expect(requested('x'.repeat(201)).requestId).toHaveLength(200)
  })

  it('is the receipt\'s lines as well, read back as they were written', () => {
    const details = requested('"\n\u0000é🦊\u2028', 'v 1')
    const { details: json } = entryDetails(details, items)
    expect(readDetails(json!)).toEqual({ ...details, items })
    expect(json).not.toMatch(/\n/)
  })

  it('is nothing at all where nothing is known', () => {
    expect(entryDetails({}, [])).toEqual({})
    expect(readDetails('')).toEqual({})
  })

  it('leaves out lines that are too long, and keeps the rest', () => {
    const line = (length: number) => [{ unit: 'u'.repeat(length), quantity: 1, credits: 1 }]
    const around = JSON.stringify({ requestId: 'r', items: line(0) }).length
    const kept = (length: number) => readDetails(entryDetails({ requestId: 'r' }, line(length - around)).details!)
    expect(kept(8_192)).toEqual({ requestId: 'r', items: line(8_192 - around) })
    expect(kept(8_193)).toEqual({ requestId: 'r' })
    expect(entryDetails({}, line(8_193))).toEqual({})
  })
})

describe('the entries of an account', () => {
  const prices = {
    'POST /units': { product: 'units', ...metered({ rates: { page: 0.5 }, ceiling: () => ({ page: 4 }), used: () => ({ page: 3 }) }) },
    'POST /run': { product: 'runs', price: 2 },
  }

  it('have them, in the process that made the call', async () => {
    const { enter, engine } = setUp({ prices, priceBookVersion: 'v7' })
    for (const key of Object.keys(prices)) await (await enter(key, call({ headers: { 'x-request-id': `req ${key}` } }))).exchange.close({ status: 200 })
    const entries = await engine.billing.entries('ada')
    expect(entries).toMatchObject([
      { kind: 'grant', label: 'allowance', credits: 10, source: 'allowance' },
      { kind: 'charge', credits: -1.5, priceBookVersion: 'v7', requestId: 'req POST /units', items },
      { kind: 'charge', credits: -2, priceBookVersion: 'v7', requestId: 'req POST /run' },
    ])
    expect(entries.map((entry) => ['items' in entry, 'requestId' in entry, 'expiresAt' in entry])).toEqual([[false, false, false], [true, true, false], [false, true, false]])
  })

  it('of a grant say what it is and when it ends', async () => {
    const { engine } = setUp({ prices })
    const expiresAt = Date.now() + 60_000
    await engine.billing.grant('ada', 5, { id: 'g1', reason: 'spring', source: 'promotion', expiresAt })
    await engine.billing.grant('ada', 5, { id: 'g2', reason: 'paid' })
    const [promotion, topUp] = await engine.billing.entries('ada')
    expect(promotion).toMatchObject({ kind: 'grant', label: 'spring', source: 'promotion', expiresAt })
    expect(topUp).toEqual(expect.objectContaining({ kind: 'grant', label: 'paid', source: 'top-up' }))
    expect(topUp).not.toHaveProperty('expiresAt')
  })
})
