import { connect } from 'node:net'
import { memoryStore, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import express from 'express'
import express4 from 'express4'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import { z } from 'zod'
import type { AppRoute, Framework } from '../support/apps/app.js'
import { expressApps } from '../support/apps/express.js'
import { honoApps } from '../support/apps/hono.js'
import { koaApps } from '../support/apps/koa.js'
import { serve } from '../support/apps/serve.js'
import { bodyNames, bodyOf } from './bodies.js'
import { ROUNDS, SEED, texts } from './texts.js'

const HEADERS = [
  'Accept: application/problem+json;q=1e999', 'Accept: ,;q=,', 'Content-Encoding: gzip', 'Content-Encoding: identity', 'Expect: 100-continue', 'If-None-Match: *', 'TE: trailers', 'Range: bytes=0-', 'X-Request-Id: a\x7fb',
  `X-Request-Id: ${'x'.repeat(5_000)}`, '__proto__: x', 'constructor: x', 'Cookie: a=%', 'Idempotency-Key: a\r\nIdempotency-Key: b', 'X-Account: eve', 'Transfer-Encoding: identity', 'Content-Length: 3', 'Connection: close',
]
const TYPES = ['application/json', 'application/json', 'application/json', 'application/json; charset=utf-16', 'application/json; charset=x', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '', 'application/vnd.x+json']

const drafts = fc.record({
  target: fc.constantFrom('/sold', '/sold', '/sold', '/raw', '/sold?__proto__=1&a[b]=c&%=', '/sold/estimate', '/v1/credits/balance', '/v1/operations/', '/v1/credits/projections/usage-summary'),
  id: texts, account: texts, key: fc.option(texts, { nil: undefined }), body: bodyNames, type: fc.constantFrom(...TYPES), headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 2 }),
  wire: fc.constantFrom('told', 'told', 'told', 'chunked', 'extensions', 'short', 'badChunk'),
})
type Draft = typeof drafts extends fc.Arbitrary<infer D> ? D : never

/** A header's bytes; what HTTP does not allow in one is sent nevertheless now and then. */
const latin1 = (text: string) => Buffer.from(text.slice(0, 3_000), 'utf8').toString('latin1')

function write({ target, id, key, type, headers, wire, body }: Draft, account: string, round: number): Buffer {
  const bytes = bodyOf(body, round)
  const isRead = target.startsWith('/v1')
  const framing = isRead ? [] : wire === 'told' ? [`Content-Length: ${bytes.length}`] : wire === 'short' ? [`Content-Length: ${bytes.length + 5}`] : ['Transfer-Encoding: chunked']
  const head = [
    `${isRead && !target.includes('usage') ? 'GET' : 'POST'} ${target === '/v1/operations/' ? target + encodeURIComponent(id.toWellFormed()).slice(0, 2_000) : target} HTTP/1.1`, 'Host: h', `x-account: ${account}`, `x-mark: ${round}`,
    ...(type && !isRead ? [`Content-Type: ${type}`] : []), ...(key === undefined ? [] : [`Idempotency-Key: ${latin1(key)}`]), ...framing, ...headers, '', '',
  ].join('\r\n')
  const size = bytes.length.toString(16)
  const sent = isRead ? [] : wire === 'told' || wire === 'short' ? [bytes] : wire === 'badChunk' ? [`${size}zz\r\n`, bytes, '\r\n0\r\n\r\n']
    : [...(bytes.length > 0 ? [wire === 'extensions' ? `${size};a="b;c"\r\n` : `${size}\r\n`, bytes, '\r\n'] : []), wire === 'extensions' ? '0\r\nx-trailer: 1\r\n\r\n' : '0\r\n\r\n']
  return Buffer.concat([Buffer.from(head, 'latin1'), ...sent.map((part) => Buffer.from(part as string, 'latin1'))])
}

/** Sends bytes and reads what comes back until the server closes, has answered or waits for more. */
async function send(port: number, bytes: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('error', () => {}).on('data', (data) => {
    text += data.toString('latin1')
    const [, length] = /^content-length: (\d+)\r\n/im.exec(text) ?? []
    const end = text.lastIndexOf('\r\n\r\n')
    if ((length !== undefined && !text.startsWith('HTTP/1.1 100') && text.length >= text.indexOf('\r\n\r\n') + 4 + Number(length)) || (/^transfer-encoding: chunked/im.test(text) && text.endsWith('0\r\n\r\n') && end > 0)) socket.destroy()
  })
  // A body that is shorter than it was told to be gets no answer.
  socket.setTimeout(250, () => socket.destroy())
  socket.write(bytes)
  // Not by `once`, which throws where a server closes before it has read all of a request, as it may.
  await new Promise((resolve) => { socket.on('close', resolve) })
  return text
}

const frameworks: readonly (readonly [string, Framework])[] = [
  ['Express 5', expressApps(express)], ['Express 4', expressApps(express4 as unknown as typeof express)], ['Koa', koaApps], ['Hono', honoApps],
]

describe.each(frameworks)('%s', (_, framework) => {
  it.each(['memory', 'redis'] as const)('no request crashes it, runs free or sees what is another\'s: %s', async (kind) => {
    const store: Store = kind === 'memory' ? memoryStore() : redisStore(inject('redisUrl'), { prefix: `hostile-${crypto.randomUUID()}` })
    const ran = new Map<string, number>()
    const handler: AppRoute['handler'] = (request) => {
      const account = request.header('x-account')!
      ran.set(account, (ran.get(account) ?? 0) + 1)
      return { json: { secret: `<${account}>`, operationId: account } }
    }
    const Input = z.object({ count: z.number().min(1).max(5) })
    const rejections: unknown[] = []
    const onRejection = (error: unknown) => rejections.push(error)
    process.on('unhandledRejection', onRejection)
    const built = framework({
      billing: {
        store, allowance: 100_000, logger: { warn() {}, error() {} },
        prices: { 'POST /sold': { product: '__proto__', body: Input, metering: true, price: ({ body }) => (body as z.infer<typeof Input>).count }, 'POST /raw': { product: 'constructor', price: 1 } },
      },
      routes: [{ route: 'POST /sold', handler }, { route: 'POST /raw', handler }, { route: 'GET /free', handler: () => ({ text: 'ok' }) }],
    })
    const served = await serve(built)
    const port = Number(new URL(served.url).port)
    let round = 0
    await fc.assert(fc.asyncProperty(fc.array(drafts, { minLength: 20, maxLength: 20 }), async (batch) => {
      await Promise.all(batch.map(async (draft) => {
        const at = round++
        // Any text may be an account's name, as far as a header can hold it; it is told apart by the round.
        const account = `${at}.${latin1(draft.account).replace(/[^\x21-\x7e\x80-\xff]/g, '').slice(0, 200)}`
        const answer = await send(port, write(draft, account, at))
        for (const [, mark] of answer.matchAll(/<(\d+)\./g)) expect(Number(mark), `another's response: ${answer.slice(0, 300)}`).toBe(at)
        await vi.waitFor(async () => {
          const { reserved, balance } = await store.send({ kind: 'balance', account })
          const { entries } = await store.send({ kind: 'entries', account, after: '', limit: 100 })
          const charges = entries.filter(({ kind }) => kind === 'charge')
          const calls = [...ran].find(([name]) => name === account || name === `${account}, eve`)?.[1] ?? 0
          const other = (await store.send({ kind: 'entries', account: `${account}, eve`, after: '', limit: 100 })).entries.filter(({ kind }) => kind === 'charge')
          expect({ reserved, charges: charges.length + other.length, sum: entries.reduce((sum, { amount }) => sum + amount, 0) }, answer.slice(0, 300)).toEqual({ reserved: 0, charges: calls, sum: balance })
          for (const { amount } of charges) expect(-amount).toBeGreaterThanOrEqual(1_000_000)
        }, { timeout: 3_000 })
      }))
      expect(await (await fetch(`${served.url}/free`)).text()).toBe('ok')
    }), { seed: SEED, numRuns: Math.ceil(ROUNDS / 50), endOnFailure: true })
    expect(ran.size).toBeGreaterThan(0)
    expect(rejections).toEqual([])
    process.off('unhandledRejection', onRejection)
    await served.stop()
  }, 60_000 + ROUNDS * 100)
})
