import type { Request, Response } from 'express'
import type { Route as Terms } from '@farebox/core'
import type { Engine, Exchange, ListedRoute } from '@farebox/core/adapter'
import { billableFor } from './routing/sold.js'
import { callOf } from './call.js'
import type { Route } from './routing/gate.js'
import { Reply } from './response/reply.js'
import { send } from './response/send.js'
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

  /** The request has reached a handler that `billable` made. Resolves as `enter` does. */
  sell(terms: Terms): Promise<boolean> {
    const { req } = this
    const route = req.route as Route | undefined
    const pattern = route ? this.routes.patternOf(route, req, (this.#passes.get(route) ?? 1) - 1) : req.baseUrl
    return this.enter({ key: `${req.method} ${pattern}`, terms })
  }

  /** Resolves with whether the handlers are to run; where not, the request has been answered. */
  async enter(listed: ListedRoute | undefined): Promise<boolean> {
    const answer = await this.#exchange.enter(listed, callOf(this.req), this.res.headersSent)
    if (answer) {
      send(this.req, this.res, answer)
      return false
    }
    if (this.#exchange.billed && listed && listed.terms !== 'free') {
      this.#reply ??= new Reply(this.req, this.res, this.#exchange, this.engine.settings.logger)
      this.#reply.entered(listed.terms.metering === true)
    }
    return true
  }

  /** Runs the handlers of a route that was entered. */
  run(next: () => void): void {
    this.#exchange.run(next)
  }

  /** Resolves when a response that has been made, if one has, is on its way. */
  answered(): Promise<void> {
    return this.#reply?.answered() ?? Promise.resolve()
  }

  threw(): void {
    if (this.#reply) this.#reply.threw()
    else this.#exchange.threw()
  }
}
