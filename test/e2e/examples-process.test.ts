import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from './program.js'

type Sent = [string, RequestInit & { headers: [string, string][] }]

/** What curl would send for a line as it is printed. */
function sent(line: string): Sent {
  const url = /http:\/\/\S+/.exec(line)![0]
  const headers = [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]): [string, string] => [name!, value!])
  const body = /-d '([^']+)'/.exec(line)?.[1]
  const method = /-X (\w+)/.exec(line)?.[1] ?? (body === undefined ? 'GET' : 'POST')
  return [url, { method, headers, ...(body !== undefined && { body }) }]
}

describe.each([
  ['the-hog', 'SIGTERM', ['/api/companies/search', '/api/deep-research/estimate', '/api/deep-research']],
  ['humalike', 'SIGINT', ['/v1/personas/generate/estimate', '/v1/personas/generate']],
  ['llm-chat', 'SIGTERM', ['/v1/chat/completions/estimate', '/v1/chat/completions', '/v1/chat/completions']],
] as const)('%s as a program', (name, signal, paths) => {
  it(`prints its routes with their prices and curl lines that work, and answers what runs before it ends on ${signal}`, async () => {
    const { child, ended, listens } = run(`examples/${name}/dist/main.js`)
    const said = await listens
    expect(said).toMatch(/^(GET|POST) \/\S+ +\S/m)
    const lines = said.split('\n').filter((line) => line.startsWith('curl'))
    const calls = lines.slice(0, -2).map(sent)
    const [balance, usage] = lines.slice(-2).map(sent) as [Sent, Sent]
    expect(calls.map(([url]) => new URL(url).pathname)).toEqual(paths)

    const spent = []
    for (const [url, request] of calls) {
      const response = await fetch(url, request)
      const { estimatedMaxCredits } = JSON.parse((await response.text()).replace(/^data:.*/s, '{}')) as { estimatedMaxCredits?: number }
      expect(response.ok).toBe(true)
      if (url.endsWith('/estimate')) expect(estimatedMaxCredits).toBeGreaterThan(0)
      else spent.push(Number(response.headers.get('Credits-Charged')))
    }
    // Streams and research are charged when they are done.
    expect(spent.some((credits) => credits > 0)).toBe(true)
    await expect.poll(async () => (await fetch(...balance)).json(), { timeout: 5_000 }).toMatchObject({ reserved: 0 })
    const { balance: left } = await (await fetch(...balance)).json() as { balance: number }
    expect(await (await fetch(...usage)).json()).toMatchObject({ total_calls: spent.length, total_credits: expect.closeTo(100 - left, 6) as number })

    const [url, request] = calls.find(([path]) => !path.endsWith('/estimate'))!
    const answered = fetch(url, { ...request, headers: [...request.headers, ['x-simulate', 'slow:300']] })
    await expect.poll(async () => (await fetch(...balance)).json()).not.toMatchObject({ reserved: 0 })
    // A second time, as where a terminal sends it and npm passes it on.
    child.kill(signal)
    child.kill(signal)
    expect((await answered).status).toBe(200)
    const answeredAt = performance.now()
    expect(await ended).toMatchObject({ status: 0, said: expect.stringContaining(`${name} closed`) as string })
    expect(performance.now() - answeredAt, 'a connection kept open holds nothing up').toBeLessThan(2_000)
  })
})

it('an example says so when its port is in use', async () => {
  const taken = createServer().listen(0)
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const ended = await run('examples/the-hog/dist/main.js', { env: { PORT: String(port) } }).ended
  expect(ended).toEqual({ status: 1, said: `the-hog: port ${port} is in use; choose another with PORT=${port + 1}\n` })
})

it.each([
  ['PORT', '65536', 'a whole number from 0 to 65535'],
  ['ALLOWANCE', 'many', 'a number of credits, 0 or more'],
])('an example refuses %s=%s', async (variable, value, expected) => {
  const ended = await run('examples/the-hog/dist/main.js', { env: { [variable]: value } }).ended
  expect(ended).toEqual({ status: 1, said: `${variable}: expected ${expected}, got "${value}"\n` })
})

it('npm start names the examples when it is asked for another one', async () => {
  const ended = await run('scripts/start.js', { args: ['nope'] }).ended
  expect(ended).toEqual({ status: 1, said: 'there is no example "nope"; choose one of: the-hog, humalike, llm-chat, edge\n' })
})
