import type { Request } from 'express'
import type { Call } from '@farebox/core/adapter'
import { readBody } from './body.js'
import type { Params } from './routing/gate.js'

/** An Express request as core reads it, with params of its own where it is looked at before its route is reached. */
export function callOf(req: Request, params: Params | undefined = req.params): Call {
  return {
    url: req.originalUrl,
    // As they are now: a router takes its own off the request when it passes on, and a call can end after that.
    get params() {
      return textsOf(params ?? {})
    },
    query: () => req.query,
    header: (name) => {
      const value = req.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
    request: req,
    body: () => readBody(req),
  }
}

/** Of a wildcard, Express 5 makes an array of its parts. */
function textsOf(params: Params): Call['params'] {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, [value].flat().join('/')]))
}
