import Router15 from '@koa/router'
import express5 from 'express'
import express4 from 'express4'
import express51 from 'express51'
import fc from 'fast-check'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import Router12 from 'router12'
import Router13 from 'router13'
import Router14 from 'router14'
import { afterAll, describe, expect, it } from 'vitest'
import { expressLayouts } from './express-apps.js'
import type { Framework } from './framework.js'
import { honoLayouts } from './hono-apps.js'
import { koaLayouts } from './koa-apps.js'
import { fitting, layouts, routesOf } from './layout.js'
import { drafts } from './requests.js'
import { Trial, type Counts } from './trial.js'

/** More for a longer search, over all frameworks: `FAREBOX_ROUTING_REQUESTS=50000 npx vitest run test/routing` */
const REQUESTS = Number(process.env['FAREBOX_ROUTING_REQUESTS'] ?? 3_000)
/** A failure prints the seed it was found with: `FAREBOX_SEED` begins there. */
const SEED = Number(process.env['FAREBOX_SEED'] ?? Date.now() % 2 ** 31)
const REQUESTS_AN_APP = 50
const LONG = 20_000

const frameworks: readonly Framework[] = [
  expressLayouts('Express 5', express5, '/*rest'),
  expressLayouts('Express 5.1', express51 as unknown as typeof express5, '/*rest', true),
  expressLayouts('Express 4', express4 as unknown as typeof express5, '/*'),
  koaLayouts('Koa 3, @koa/router 15', Koa3, Router15, '/*path'),
  koaLayouts('Koa 3, @koa/router 14', Koa3, Router14 as never, '/*path'),
  koaLayouts('Koa 3, @koa/router 13', Koa3, Router13 as never, '/(.*)'),
  koaLayouts('Koa 3, @koa/router 12', Koa3, Router12 as never, '/(.*)'),
  koaLayouts('Koa 2, @koa/router 15', Koa2 as unknown as typeof Koa3, Router15, '/*path'),
  koaLayouts('Koa 2, @koa/router 12', Koa2 as unknown as typeof Koa3, Router12 as never, '/(.*)'),
  honoLayouts('Hono'),
  honoLayouts('hono/tiny'),
  honoLayouts('hono/quick'),
]

function layoutsOf({ fits }: Framework): typeof layouts {
  return fits ? layouts.map((layout) => ({ ...layout, nodes: fitting(layout.nodes, fits) })).filter(({ nodes }) => routesOf(nodes).length > 0) : layouts
}

const counted: Record<string, Counts> = {}
afterAll(() => console.table(counted))

describe.each(frameworks.map((framework) => [framework.name, framework] as const))('%s', (name, framework) => {
  it('charges once where a paid handler ran to its end, and nowhere else', async () => {
    const trial = await Trial.start(framework)
    const apps = Math.ceil(REQUESTS / frameworks.length / REQUESTS_AN_APP)
    try {
      await fc.assert(fc.asyncProperty(layoutsOf(framework), fc.array(drafts, { minLength: REQUESTS_AN_APP, maxLength: REQUESTS_AN_APP }), async (layout, requests) => {
        expect(await trial.run(layout, requests)).toEqual([])
      }), { seed: SEED, numRuns: apps, endOnFailure: true })
    } finally {
      await trial.stop()
    }
    counted[name] = trial.counts
    // Else the requests tried little.
    expect(trial.counts.paid).toBeGreaterThan(0)
    if (REQUESTS >= LONG) expect(trial.counts).toMatchObject({ refused: expect.toSatisfy((n: number) => n > 50) as number, free: expect.toSatisfy((n: number) => n > 50) as number })
  }, 60_000 + REQUESTS * 20)
})
