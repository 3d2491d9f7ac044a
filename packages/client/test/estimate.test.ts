import { describe, expect, it } from 'vitest'
import { estimate, fareboxFetch, type Estimate } from '../src/index.js'
import { ok, refusal, scripted, timeless, type Step } from './scripted-server.js'

const ESTIMATE: Estimate = {
  estimatedCredits: 6, estimatedMaxCredits: 20, likelySyncOrAsync: 'sync', expectedLatencyRange: { lowMs: 100, highMs: 900 },
  providersLikelyUsed: ['apollo'], withinPlanLimits: true,
}
const json = (body: unknown, status = 200): Step => ({ status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
const POST: RequestInit = { method: 'POST', body: '{"count":6}', headers: { 'Content-Type': 'application/json', 'X-Api-Key': 'ada', 'Idempotency-Key': 'k' } }
const targets = (received: Awaited<ReturnType<typeof scripted>>['received']) => received.map(({ method, url }) => `${method} ${url}`)

describe('maxCredits', () => {
  it.each([19.999999, 0, Number.NaN])('%d is below what the call could cost: it is not sent', async (maxCredits) => {
    const { url, received } = await scripted(json(ESTIMATE), ok)
    expect(await fareboxFetch(`${url}/run`, POST, { maxCredits })).toEqual({ kind: 'too_expensive', estimate: ESTIMATE, maxCredits })
    expect(targets(received)).toEqual(['POST /run/estimate'])
  })

  it.each([20, 21])('%d is enough: the call follows its estimate', async (maxCredits) => {
    const { url, received } = await scripted(json(ESTIMATE), ok)
    expect(await fareboxFetch(`${url}/run?deep=1`, POST, { maxCredits })).toMatchObject({ kind: 'response', response: { status: 200 } })
    expect(targets(received)).toEqual(['POST /run/estimate?deep=1', 'POST /run?deep=1'])
  })

  it('the estimate has the same body and headers, without the key', async () => {
    const { url, received } = await scripted(json(ESTIMATE), ok)
    await fareboxFetch(new Request(`${url}/run`, POST), {}, { maxCredits: 20 })
    const [asked, called] = received
    expect(asked!.body.toString()).toBe('{"count":6}')
    expect(asked!.headers).toMatchObject({ 'content-type': 'application/json', 'x-api-key': 'ada' })
    expect(asked!.headers['idempotency-key']).toBeUndefined()
    expect(called!.body.toString()).toBe('{"count":6}')
    expect(called!.headers).toMatchObject({ 'content-type': 'application/json', 'x-api-key': 'ada', 'idempotency-key': 'k' })
  })

  it('a GET is estimated with a POST', async () => {
    const { url, received } = await scripted(json(ESTIMATE), ok)
    await fareboxFetch(`${url}/search/?q=a%20b#top`, {}, { maxCredits: 20 })
    expect(targets(received)).toEqual(['POST /search/estimate?q=a%20b', 'GET /search/?q=a%20b'])
  })

  it.each([
    [401, 'UNAUTHENTICATED', {}],
    [403, 'CEILING_TOO_HIGH', { required: 20, maxCeiling: 10 }],
    [422, 'INVALID_REQUEST', { issues: [{ field: 'count', message: 'too big' }] }],
    [500, 'PRICE_INVALID', {}],
    [503, 'BILLING_UNAVAILABLE', {}],
  ])('an estimate that is refused (%i) is the refusal, and the call is not sent', async (status, code, details) => {
    const { url, received } = await scripted(refusal(status, code, details), ok)
    expect(await fareboxFetch(`${url}/run`, POST, { maxCredits: 20, attempts: 1 })).toMatchObject({ kind: 'refused', refusal: { status, code, ...details } })
    expect(targets(received)).toEqual(['POST /run/estimate'])
  })

  it.each<[string, Step]>([
    ['404', { status: 404, body: 'no such route' }],
    ['another answer', json({ done: true })],
    ['a most that is no number', json({ ...ESTIMATE, estimatedMaxCredits: 'few' })],
    ['no JSON', { status: 200, body: '<h1>hello</h1>' }],
    ['an estimate with a failure', json(ESTIMATE, 500)],
  ])('where there is no estimate (%s) the call is not sent', async (_, step) => {
    const { url, received } = await scripted(step, ok)
    const outcome = await fareboxFetch(`${url}/run`, POST, { maxCredits: 20 })
    if (outcome.kind !== 'no_estimate' || typeof step === 'string') throw new Error(outcome.kind)
    expect(await outcome.response.text()).toBe(step.body)
    expect(targets(received)).toEqual(['POST /run/estimate'])
  })

  it('an estimate is free, so it is asked for again after a lost connection or a refusal that passes', async () => {
    const { url, received } = await scripted('hang_up', refusal(503, 'BILLING_UNAVAILABLE'), json(ESTIMATE), ok)
    expect(await fareboxFetch(`${url}/run`, POST, timeless({ maxCredits: 20 }).options)).toMatchObject({ kind: 'response' })
    expect(targets(received)).toEqual(['POST /run/estimate', 'POST /run/estimate', 'POST /run/estimate', 'POST /run'])
  })
})

it('without maxCredits nothing is estimated', async () => {
  const { url, received } = await scripted(ok)
  await fareboxFetch(`${url}/run`, POST)
  expect(targets(received)).toEqual(['POST /run'])
})

it('estimate() asks and does not call', async () => {
  const { url, received } = await scripted(json(ESTIMATE), refusal(401, 'UNAUTHENTICATED'))
  expect(await estimate(`${url}/run`, POST)).toEqual({ kind: 'estimated', estimate: ESTIMATE })
  expect(await estimate(`${url}/run`, POST)).toMatchObject({ kind: 'refused', refusal: { code: 'UNAUTHENTICATED' } })
  expect(targets(received)).toEqual(['POST /run/estimate', 'POST /run/estimate'])
})
