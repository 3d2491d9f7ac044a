import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A program of the repository, with all that it says. */
function run(file: string, { env = {}, args = [] }: { env?: Record<string, string>; args?: string[] } = {}) {
  const child = spawn(process.execPath, [file, ...args], { cwd: root, env: { ...process.env, REDIS_URL: '', ALLOWANCE: '', PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, said }))
  const listens = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => { if (said.includes('usage-summary')) resolve(said) })
    void ended.then(() => reject(new Error(said)))
  })
  listens.catch(() => {})
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').prependListener('data', (text: string) => { said += text })
  return { child, ended, listens }
}

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
  ['the-hog', 'SIGTERM'],
  ['humalike', 'SIGINT'],
  ['llm-chat', 'SIGTERM'],
] as const)('%s as a program', (name, signal) => {
  it(`prints its routes with their prices and three curl lines that work, and answers what runs before it ends on ${signal}`, async () => {
    const { child, ended, listens } = run(`examples/${name}/dist/main.js`)
    const said = await listens
    expect(said).toMatch(/^(GET|POST) \/\S+ +\S/m)
    const lines = said.split('\n').filter((line) => line.startsWith('curl'))
    expect(lines).toHaveLength(3)

    const [paid, balance, usage] = lines.map(sent) as [Sent, Sent, Sent]
    const call = await fetch(...paid)
    const charged = Number(call.headers.get('Credits-Charged'))
    expect(call.status).toBe(200)
    expect(charged).toBeGreaterThan(0)
    expect(await (await fetch(...balance)).json()).toEqual({ balance: 100 - charged, reserved: 0, available: 100 - charged })
    expect(await (await fetch(...usage)).json()).toMatchObject({ total_calls: 1, total_credits: charged })

    const [url, request] = paid
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
