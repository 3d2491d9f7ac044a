import { describe, expect, it } from 'vitest'
import { PriceList } from '../src/billing/prices/price-list.js'
import { canonicalKey, parseRouteKey } from '../src/billing/prices/route-key.js'

const canonical = (key: string) => {
  const parsed = parseRouteKey(key)
  if (typeof parsed === 'string') throw new Error(parsed)
  return canonicalKey(parsed)
}

describe('keys that mean one route', () => {
  it.each([
    ['GET /items/:id', 'GET /items/:item'],
    ['GET /items/', 'GET /items'],
    ['GET /items/:id/parts/:part/', 'GET /items/:a/parts/:b'],
    ['GET /files/*', 'GET /files/*rest'],
    ['GET /files/*', 'GET /files/*splat/'],
    ['GET /files/*', 'GET /files{/*rest}'],
    ['GET //a///b', 'GET /a/b'],
    ['GET /:$x/:_y', 'GET /:a/:b'],
  ])('%s = %s', (one, other) => {
    expect(canonical(one)).toBe(canonical(other))
  })
})

describe('keys that mean two routes', () => {
  it.each([
    ['GET /items', 'POST /items'],
    ['GET /items/:id', 'GET /items/special'],
    ['GET /Items', 'GET /items'],
    ['GET /', 'GET /a'],
    ['GET /items/:id', 'GET /items/:id/parts'],
    ['GET /files/*', 'GET /files/:name'],
    ['GET /items/:id(\\d+)', 'GET /items/:id'],
    ['GET /items/:id.json', 'GET /items/:id'],
  ])('%s ≠ %s', (one, other) => {
    expect(canonical(one)).not.toBe(canonical(other))
  })
})

describe('malformed keys', () => {
  it.each(['', ' ', '/v1/run', 'POST', 'POST ', 'POST  /run', 'POST /run ', 'post /run', 'POST run', 'POSTED /run', 'ALL /run', 'POST,GET /run'])('%j', (key) => {
    expect(parseRouteKey(key)).toEqual(expect.stringContaining('expected'))
  })
})

it('a key may hold a space in its path, and a regular expression as its path', () => {
  expect(parseRouteKey('GET /a b')).toEqual({ method: 'GET', path: '/a b' })
  expect(parseRouteKey(`GET ${String(/^\/fly$/)}`)).toEqual({ method: 'GET', path: '/^\\/fly$/' })
})

describe('a price list', () => {
  const prices = new PriceList({ 'GET /items/:id': { product: 'items', price: 1 }, 'GET /both': 'free', 'HEAD /both': { product: 'head', price: 2 } })

  it('is asked with the pattern as the framework has it registered', () => {
    expect(prices.find('GET', '/items/:anything/')?.key).toBe('GET /items/:id')
    expect(prices.find('POST', '/items/:id')).toBeUndefined()
    expect(prices.find('GET', '/items/5')).toBeUndefined()
  })

  it('takes HEAD for the GET it is, unless HEAD is listed itself', () => {
    expect(prices.find('HEAD', '/items/:id')?.key).toBe('GET /items/:id')
    expect(prices.find('HEAD', '/both')?.key).toBe('HEAD /both')
  })
})
