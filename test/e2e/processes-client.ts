import { Agent, request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

/** A response with its credits. */
export interface Reply {
  readonly status: number
  readonly charged: number | undefined
  readonly ceiling: number | undefined
  readonly json: unknown
  readonly metering: { readonly creditsCharged: number; readonly estimatedMaxCredits: number; readonly pending?: boolean } | undefined
}

/** Calls over connections that are kept: ten thousand `fetch` would cost more than all that they call. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true })

  async call(base: string, route: string, account: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const [method = '', path = ''] = route.split(' ')
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'x-account': account, ...(body !== undefined && { 'content-type': 'application/json' }), ...more }
      request(base + path, { method, headers, agent: this.#agent }, resolve).on('error', reject).end(body === undefined ? '' : JSON.stringify(body))
    })
    return readReply(response, await text(response))
  }

  close(): void {
    this.#agent.destroy()
  }
}

function readReply({ statusCode = 0, headers }: IncomingMessage, text: string): Reply {
  const credits = (name: string) => (headers[name] === undefined ? undefined : Number(headers[name]))
  const json = headers['content-type']?.includes('json') ? JSON.parse(text) as { metering?: Reply['metering'] } : undefined
  return { status: statusCode, charged: credits('credits-charged'), ceiling: credits('credits-ceiling'), json, metering: json?.metering }
}
