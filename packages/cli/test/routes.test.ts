import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../../test/support/redis.js'
import { documents, inShell } from './farebox.js'

const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const EXPRESS = pathToFileURL(createRequire(at('examples/the-hog/package.json')).resolve('express')).href
const BILLING = pathToFileURL(at('packages/express/dist/index.js')).href

let directory = ''
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'farebox-routes-')) })
afterAll(() => rm(directory, { recursive: true }))

/** An Express app that sells `POST /run`, and what its module does besides. */
const SHOP = `
  import express from '${EXPRESS}'
  import { billing, memoryStore } from '${BILLING}'
  const bill = billing({ account: () => 'ada', store: memoryStore(), prices: { 'POST /run': { product: 'runs', price: 2 } } })
  const app = express().use(bill).post('/run', () => {})
`
const REPORT = { priced: [{ route: 'POST /run', product: 'runs', price: '2 credits' }], free: [], unlisted: [], unmatched: [], before: [], opaque: [] }

async function written(source: string, name = 'app.mjs'): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, source)
  return file
}

const routes = async (source: string, ...args: string[]) => inShell(['routes', await written(source), ...args])

describe('reports what an app sells', () => {
  it.each([['the-hog', 5, 'POST /api/companies/search  1 per domain'], ['humalike', 8, 'POST /v1/social-memory/ingest              free'], ['llm-chat', 1, 'POST /v1/chat/completions  0.001 per input']])(
    'the example %s, which listens when it is imported', async (name, count, line) => {
      const { code, stdout } = await inShell(['routes', at(`examples/${name}/dist/main.js`)])
      expect(code).toBe(0)
      expect(stdout).toContain(line)
      expect(stdout.trim().split('\n')).toHaveLength(count)
    })

  it.each([['named exports', 'export { app, bill }'], ['a default export', 'export default { app, bill }']])('%s', async (_, exported) => {
    expect(await routes(SHOP + exported)).toEqual({ code: 0, stdout: 'POST /run  2 credits  (runs)\n', stderr: '' })
    const ended = await routes(SHOP + exported, '--json')
    expect(documents(ended)).toEqual([REPORT])
  })

  it('a CommonJS module', async () => {
    const source = `const app = { middleware: [] }; module.exports = { app, bill: { routes: (given) => ({ ...${JSON.stringify(REPORT)}, free: [String(given === app)] }), close: async () => {} } }`
    expect(documents(await inShell(['routes', await written(source, 'app.cjs'), '--json']))).toEqual([{ ...REPORT, free: ['true'] }])
  })
})

describe('exits with 1', () => {
  it.each([
    ['a key that matches no route', SHOP.replace('POST /run', 'POST /rnu'), { priced: [], unlisted: ['POST /run'], unmatched: ['POST /rnu'] }],
    ['a route before billing', SHOP.replace('.use(bill)', '') + '\napp.use(bill)\n', { priced: [], before: ['POST /run'] }],
    ['a handler that it cannot see', SHOP.replace('.post', '.use("/legacy", () => {}).post'), { opaque: ['/legacy'] }],
  ])('for %s', async (_, source, wrong) => {
    const ended = await routes(`${source}\nexport { app, bill }`, '--json')
    expect(documents(ended)).toEqual([{ ...REPORT, ...wrong }])
    expect(ended.code).toBe(1)
  })

  it('not for a route that is not in the price book', async () => {
    expect(await routes(`${SHOP}\napp.get('/more', () => {})\nexport { app, bill }`)).toMatchObject({ code: 0, stdout: expect.stringContaining('GET /more  not in the price book') })
  })
})

describe('ends', () => {
  it('although the app listens, at a port that is in use, and waits until it does', async () => {
    const taken = createServer().listen(0)
    const { port } = taken.address() as AddressInfo
    const source = `import { createServer } from 'node:http'\n${SHOP}\nawait new Promise((listening) => createServer(app).listen(${port}, listening))\nexport { app, bill }`
    expect(await routes(source)).toMatchObject({ code: 0, stdout: 'POST /run  2 credits  (runs)\n' })
    taken.close()
  })

  it('although its Redis is away, or billing never closes', async () => {
    const redis = `\nimport { redisStore } from '${pathToFileURL(at('packages/redis/dist/index.js')).href}'\n`
    expect(await routes(`${redis}${SHOP.replace('memoryStore()', `redisStore('redis://127.0.0.1:${await freePort()}')`)}\nexport { app, bill }`)).toMatchObject({ code: 0 })
    expect(await routes(`${SHOP}\nbill.close = () => new Promise(() => {})\nsetInterval(() => {}, 1000)\nexport { app, bill }`)).toMatchObject({ code: 0 })
  })

  it('having closed billing', async () => {
    expect(await routes(`${SHOP}\nbill.close = async () => console.error('closed')\nexport { app, bill }`)).toMatchObject({ code: 0, stderr: 'closed\n' })
  })

  it('and prints nothing of the app\'s among its own', async () => {
    const ended = await routes(`${SHOP}\nconsole.log('hello')\nexport { app, bill }`, '--json')
    expect(documents(ended)).toEqual([REPORT])
    expect(ended.stderr).toBe('hello\n')
  })

  it('with 2 for an error of the app, also of its listeners, and whatever else it has begun', async () => {
    expect(await routes('setInterval(() => {}, 1000)\nthrow new Error("no config")')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Error: no config') })
    expect(await routes('setTimeout(() => { throw new Error("no database") })\nawait new Promise(() => setInterval(() => {}, 1000))'))
      .toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Error: no database') })
    expect(await routes(SHOP.replace('price: 2', 'prise: 2') + 'export { app, bill }')).toMatchObject({ code: 2, stderr: expect.stringMatching(/^farebox: billing options: 2 faults\n.*price:.*\n.*prise.*\n$/) })
  })
})

describe('says what was expected', () => {
  const expected = 'expected the exports `app` and `bill` (what billing() returned), or a default export { app, bill }; it exports'

  it.each([['nothing', ''], ['createApp', 'export const createApp = () => {}'], ['app, default', 'export const app = {}\nexport default app'], ['app, bill', 'export const app = {}, bill = {}']])(
    'of a module that exports %s', async (names, source) => {
      const file = await written(`setInterval(() => {}, 1000)\n${source}`)
      expect(await inShell(['routes', file])).toEqual({ code: 2, stdout: '', stderr: `farebox: ${file}: ${expected} ${names}\n` })
    })

  it('of no module, a directory, a module with a missing import', async () => {
    expect(await inShell(['routes', 'nowhere.js'])).toEqual({ code: 2, stdout: '', stderr: 'farebox: nowhere.js: there is no such file\n' })
    expect(await inShell(['routes', directory])).toMatchObject({ code: 2, stderr: `farebox: ${directory}: expected a file, this is a directory\n` })
    expect(await routes('import "./nowhere.js"')).toMatchObject({ code: 2, stderr: expect.stringMatching(/Cannot find module .*nowhere\.js/) })
  })

  it('of TypeScript, where Node does not take it', async () => {
    const file = await written('export const app: number = 1', 'app.ts')
    const takes = 'strip_types' in process.features || 'typescript' in process.features
    expect((await inShell(['routes', file])).stderr).toContain(takes ? expected : `${file}: TypeScript needs a loader: NODE_OPTIONS="--import tsx" npx farebox routes ${file}`)
  })
})
