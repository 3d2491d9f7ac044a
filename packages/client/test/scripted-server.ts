import { createServer, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { FareboxOptions } from '../src/index.js'

/** What the server does with one request; it may close the connection without a word, or in the middle of a refusal. */
export type Step = 'hang_up' | 'break_off' | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }

export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A server that goes through its steps, one a request, and writes down what it received. More requests get a 599. */
export async function scripted(...steps: readonly Step[]): Promise<{ readonly url: string; readonly received: readonly Received[] }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request
    const step = steps[received.length] ?? { status: 599 }
    received.push({ method, url, headers, body: await buffer(request) })
    if (step === 'hang_up') return request.socket.destroy()
    if (step === 'break_off') {
      return response.writeHead(503, { 'Content-Type': 'application/json', 'Content-Length': 900 }).write('{"error":', () => request.socket.destroy())
    }
    return response.writeHead(step.status, step.headers).end(step.body)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

/** A refusal in the error envelope. */
export function refusal(status: number, code: string, details: object = {}, headers: Readonly<Record<string, string>> = {}): Step {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify({ error: { code, message: 'no', details } }) }
}

export const ok: Step = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"done":true}' }

/** Options with which no time passes, and the pauses that were asked for, in ms. */
export function timeless(options: FareboxOptions = {}): { readonly pauses: readonly number[]; readonly options: FareboxOptions } {
  const pauses: number[] = []
  return { pauses, options: { ...options, sleep: async (ms) => { pauses.push(ms) } } }
}
