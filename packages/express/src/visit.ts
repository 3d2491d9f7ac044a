import type { Request, Response } from 'express'
import type { Answer, Engine, Exchange, ListedRoute } from '@farebox/core/adapter'
import { billableFor } from './routing/sold.js'
import { callOf } from './call.js'
import type { Route } from './routing/gate.js'
import { Reply } from './response/reply.js'
import type { Routes } from './routing/routes.js'

const visits = new WeakMap<Request, Visit>()

/** One request on its way through the app, from where it met billing. */
export class Visit {
  readonly #exchange: Exchange
  readonly #passes = new Map<Route, number>()
  #reply: Reply | undefined

  constructor(
    readonly engine: Engine<Request>,
    readonly routes: Routes,
    private readonly req: Request,
    private readonly res: Response,
  ) {
    this.#exchange = engine.exchange()
  }

  static begin(visit: Visit): void {
    visits.set(visit.req, visit)
  }

  static of(req: Request): Visit | undefined {
    return visits.get(req)
  }

  /** The request has reached a Route. Resolves as `enter` does. */
  reach(route: Route): Promise<boolean> {
    const pass = this.#passes.get(route) ?? 0
    this.#passes.set(route, pass + 1)
    const listed = this.routes.find(route, this.req, pass)
    // A route that `billable` prices is listed by that, further on.
    return !listed && billableFor(route, this.req.method) ? Promise.resolve(true) : this.enter(listed)
  }

  /** Resolves with whether the handlers are to run; where not, the request has been answered. */
  async enter(listed: ListedRoute | undefined): Promise<boolean> {
    const answer = await this.#exchange.enter(listed, callOf(this.req, this.engine.settings), this.res.headersSent)
    if (answer) {
      send(this.req, this.res, answer)
      return false
    }
    if (this.#exchange.billed && listed && listed.terms !== 'free') {
      this.#reply ??= new Reply(this.req, this.res, this.#exchange, this.engine.settings.logger)
      this.#reply.metering = listed.terms.metering === true
    }
    return true
  }

  /** Resolves when a response that has been made, if one has, is on its way. */
  answered(): Promise<void> {
    return this.#reply?.answered() ?? Promise.resolve()
  }

  threw(): void {
    this.#exchange.threw()
  }
}

/** Writes an answer of billing's own. */
export function send(req: Request, res: Response, { status, headers, body }: Answer): void {
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(req.method === 'HEAD' ? undefined : body)
}
