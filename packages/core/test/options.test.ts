import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseOptions, parseRoute } from '../src/billing/parse-options.js'
import { isFareboxError } from '../src/errors.js'
import { memoryStore } from '../src/store/memory.js'

const account = () => 'ada'
const store = memoryStore()
const route = { product: 'runs', price: 1 }

function faults(parse: () => unknown): string[] {
  try {
    parse()
  } catch (error) {
    if (!isFareboxError(error) || error.code !== 'OPTIONS_INVALID') throw error
    return error.message.split('\n')
  }
  return []
}
const faultsOf = (options: unknown) => faults(() => parseOptions(options))

it('fills in every default', () => {
  expect(parseOptions({ account, store })).toEqual({
    account, store, prices: {}, allowance: 0, unlisted: 'free', reservationTtl: 60_000, storeTimeout: 1_000, logger: console, enforce: true, on: {}, onThreshold: [], priceBookVersion: '',
    endpoints: { balance: '/v1/credits/balance', usageSummary: '/v1/credits/projections/usage-summary', operation: '/v1/operations/:id', estimate: '/estimate' },
  })
})

it.each([null, 'allow', {}, { allow: '5' }, { allow: 0 }, { allow: Infinity }, { allow: 5, of: 'ada' }])('onStoreError can\'t be %o', (onStoreError) => {
  expect(faultsOf({ account, store, onStoreError })).toEqual(['billing options: 1 fault', expect.stringContaining('onStoreError')])
})

it.each([null, {}, { append: () => {}, take: () => {} }])('a spool can\'t be %o', (spool) => {
  expect(faultsOf({ account, store, spool })).toEqual(['billing options: 1 fault', expect.stringContaining('spool: expected a spool: spoolDirectory(path)')])
})

it('keeps what it is given, functions and schemas as they are', () => {
  const prices = { 'POST /run': { ...route, body: z.object({}), price: () => 1, charge: () => 1, metering: true, maxDuration: 5, operation: () => 'op', onAbort: 'release', providers: ['clearbit'], expected: { credits: 1, lowMs: 0, highMs: 5 }, tokens: () => ({}) }, 'GET /': 'free' }
  const options = { account, store, prices, allowance: 0.5, unlisted: 'refuse', maxCeiling: 9, maxPerDay: () => 5, budgets: () => [], onThreshold: [{ below: 20 }, { used: 1 }], autoTopUp: { below: 5, topUp: () => 0 }, priceBookVersion: '2026-11', spool: { append: () => {}, take: () => {}, close: () => {} }, onStoreError: { allow: 0.5 }, endpoints: { balance: '/b', usageSummary: false, operation: '/o/:id/state', estimate: '/quote' }, enforce: false, on: { settled: () => {} }, reservationTtl: 1_000, storeTimeout: 1, logger: console }
  expect(parseOptions(options)).toEqual(options)
})

it('knows an allowance that comes again', () => {
  expect(parseOptions({ account, store, allowance: { credits: 5, every: 'month' } }).allowance).toEqual({ credits: 5, every: 'month', rollover: 0 })
})

it.each([
  ['no period', { credits: 5 }], ['another period', { credits: 5, every: 'week' }], ['no amount', { every: 'day' }], ['less than nothing', { credits: -1, every: 'day' }],
  ['too much', { credits: 1e10, every: 'day' }], ['less than nothing that rolls over', { credits: 5, every: 'day', rollover: -1 }], ['a typo', { credits: 5, every: 'day', rolover: 1 }], ['text', '5'],
])('refuses an allowance of %s', (_, allowance) => {
  expect(faultsOf({ account, store, allowance })).toHaveLength(2)
})

it.each([[0, 1], [0.0000009, 1], [0.000001, 0], [1, 0], [1.000001, 1], [NaN, 1]])('a threshold of %d used has so many faults: %d', (used, count) => {
  expect(faultsOf({ account, store, onThreshold: [{ used }] })).toHaveLength(count && count + 1)
})

it('lists every fault at once, each by its name', () => {
  const lines = faultsOf({
    account: 'ada', store: 'redis', spool: '/var/spool', onStoreError: { allow: 0 }, allowance: -1, unlisted: 'no', maxCeiling: Infinity, reservationTtl: 999, storeTimeout: 0.5, logger: {}, endpoints: { balance: 'b', operation: '/o', typo: '/' }, enforce: 'no', on: { settled: 5, setled: () => {} },
    allowence: 5, maxPerDay: 'x', budgets: [], onThreshold: [{ below: 0 }, { used: 2 }, { above: 1 }], autoTopUp: { below: 0 }, priceBookVersion: 5,
    prices: {
      'post /run': route,
      'GET /items/:id': route,
      'GET /items/:item/': route,
      'GET /none': null,
      'GET /name': 'paid',
      'GET /empty': {},
      'GET /surrogate': { product: '\ud800', price: 1 },
      'GET /wrong': { product: '', price: -1, charge: 5, body: {}, rates: { a: -1 }, metering: 'yes', maxDuration: 0, operation: 'id', onAbort: 'pay', providers: [''], expected: { lowMs: -1, typo: 1 }, tokens: {}, prise: 1 },
    },
  })
  const expected = [
    'account:', 'store:', 'spool:.*spoolDirectory', 'onStoreError.allow:', 'allowance:', 'unlisted:', 'maxCeiling:', 'reservationTtl:', 'storeTimeout:', 'logger:', 'endpoints.balance:', 'endpoints.operation:.*:id', 'endpoints:.*typo', 'enforce:', 'on.settled:', 'on:.*setled', 'options:.*allowence', 'maxPerDay:', 'budgets:', 'onThreshold[.]0.below:', 'onThreshold[.]1.used:', 'onThreshold[.]2:', 'autoTopUp.below:', 'autoTopUp.topUp:', 'priceBookVersion:',
    'prices\\["post /run"\\]:', 'prices\\["GET /items/:item/"\\]: means the same route as "GET /items/:id"',
    'prices\\["GET /none"\\]:', 'prices\\["GET /name"\\]: expected "free" or a route', 'prices\\["GET /empty"\\]product:|prices\\["GET /empty"\\].product:', 'prices\\["GET /empty"\\].?price:',
    'prices\\["GET /surrogate"\\]\\.?product: expected well-formed', ...['product', 'price', 'charge', 'body', 'rates.a', 'metering', 'maxDuration', 'operation', 'onAbort', 'providers.0', 'expected.lowMs', 'tokens'].map((field) => `prices\\["GET /wrong"\\]\\.?${field}:`), 'prices\\["GET /wrong"\\]\\.?expected:.*typo', 'prices\\["GET /wrong"\\]:.*prise',
  ]
  for (const pattern of expected) expect(lines.filter((line) => new RegExp(`^  ${pattern}`).test(line)), `${pattern} in\n${lines.join('\n')}`).toHaveLength(1)
  expect(lines[0]).toBe(`billing options: ${expected.length} faults`)
  expect(lines).toHaveLength(expected.length + 1)
})

it.each([undefined, null, 5, 'x', []])('options that are %s are one fault', (options) => {
  expect(faultsOf(options)[0]).toBe('billing options: 1 fault')
})

describe('the terms of one route', () => {
  it('are checked alike', () => {
    expect(faults(() => parseRoute({ price: NaN }))).toEqual(['billable route: 2 faults', expect.stringContaining('product:'), expect.stringContaining('price:')])
    expect(faults(() => parseRoute('free'))).toHaveLength(2)
    expect(parseRoute(route)).toEqual(route)
  })
})
