// What billing adds to a call: CPU time of this process, requests made in-process (sockets drown it in noise).
import { billing as expressBilling } from '@farebox/express'
import { billing as honoBilling, memoryStore } from '@farebox/hono'
import { billing as koaBilling } from '@farebox/koa'
import { redisStore } from '@farebox/redis'
import express from 'express'
import { Hono } from 'hono'
import Koa from 'koa'
import Router from '@koa/router'
import bodyParser from 'koa-bodyparser'
import inject from 'light-my-request'
import { z } from 'zod'
import { forEach, interleave, summary, text } from './statistics.js'

const CALLS = Number(process.env.CALLS ?? 1_500)
const ROUNDS = Number(process.env.ROUNDS ?? 11)
const IN_FLIGHT = 64
const payload = { domains: ['a.example', 'b.example'] }

const prices = {
  'POST /run': { product: 'run', body: z.object({ domains: z.array(z.string()) }), price: ({ body }) => body.domains.length },
}

export async function measureFrameworks(redisUrl) {
  const stores = { bare: () => undefined, memory: memoryStore, redis: () => redisStore(redisUrl, { prefix: `bench${Math.random()}` }) }
  const rows = {}
  for (const [framework, makeApp] of Object.entries({ express: expressApp, koa: koaApp, hono: honoApp })) {
    const open = Object.values(stores).map((store) => store())
    const apps = open.map((store) => makeApp(store && { account: () => `acct_${accounts++ % 1_000}`, store, allowance: 1e9, prices }))
    const variants = Object.fromEntries(Object.keys(stores).map((name, i) => [name, () => cpuPerCall(apps[i])]))
    await interleave(2, variants) // warm
    rows[framework] = row(await interleave(ROUNDS, variants))
    await Promise.all(open.map((store) => store?.close()))
  }
  return rows
}

let accounts = 0

function row({ bare, memory, redis }) {
  const added = (billed) => text(summary(billed.map((micros, round) => micros - bare[round])))
  return { 'bare µs a call': text(summary(bare)), 'added, memory': added(memory), 'added, Redis': added(redis) }
}

async function cpuPerCall(call) {
  const before = process.cpuUsage()
  await forEach(IN_FLIGHT, CALLS, call)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

function expressApp(options) {
  const app = express().use(express.json())
  if (options) app.use(expressBilling(options))
  app.post('/run', (req, res) => { res.json({ found: req.body.domains }) })
  return injected(app)
}

function koaApp(options) {
  const router = new Router().post('/run', (ctx) => { ctx.body = { found: ctx.request.body.domains } })
  const app = new Koa().use(bodyParser())
  if (options) app.use(koaBilling(options))
  return injected(app.use(router.routes()).callback())
}

function honoApp(options) {
  const app = new Hono()
  if (options) app.use(honoBilling(options))
  app.post('/run', async (c) => c.json({ found: (await c.req.json()).domains }))
  const body = JSON.stringify(payload)
  return async () => expect200((await drained(await app.request('/run', { method: 'POST', body, headers: { 'content-type': 'application/json' } }))).status)
}

async function drained(response) {
  await response.text()
  return response
}

function injected(handler) {
  return async () => expect200((await inject(handler, { method: 'POST', url: '/run', payload })).statusCode)
}

function expect200(status) {
  if (status !== 200) throw new Error(`expected 200, got ${status}`)
}
