import type { Response } from 'express'

const VERBS = { setHeader: 'set', setHeaders: 'set', appendHeader: 'append', removeHeader: 'remove' } as const

/** Makes a response look as one whose headers have left: nothing can be changed about it. Returns what undoes that. */
export function lookSent(res: Response): () => void {
  const names = ['headersSent', ...Object.keys(VERBS)]
  const before = names.map((name) => Object.getOwnPropertyDescriptor(res, name))
  Object.defineProperty(res, 'headersSent', { configurable: true, value: true })
  for (const [name, verb] of Object.entries(VERBS)) {
    const refuse = () => {
      throw sentAlready(verb)
    }
    Object.defineProperty(res, name, { configurable: true, writable: true, value: refuse })
  }
  return () => {
    names.forEach((name, i) => {
      if (before[i]) Object.defineProperty(res, name, before[i])
      else Reflect.deleteProperty(res, name)
    })
  }
}

/** What Node throws at a change to headers that have left. */
export function sentAlready(verb: string): Error {
  return Object.assign(new Error(`Cannot ${verb} headers after they are sent to the client`), { code: 'ERR_HTTP_HEADERS_SENT' })
}
