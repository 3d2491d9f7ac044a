import type { Request } from 'express'
import type { Call, Engine } from '@farebox/core/adapter'
import { readBody } from './body.js'

/** An Express request as core reads it. */
export function callOf(req: Request, { account }: Engine<Request>['settings']): Call {
  return {
    url: req.originalUrl,
    get params() {
      return Object.fromEntries(Object.entries(req.params).map(([name, value]) => [name, [value].flat().join('/')]))
    },
    query: () => req.query,
    header: (name) => {
      const value = req.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
    account: () => account(req),
    body: () => readBody(req),
  }
}
