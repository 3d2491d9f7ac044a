import type { Request, Response } from 'express'

/** The status line as it was when the handler sent it. */
export interface StatusLine {
  readonly status: number
  readonly message: string
}

export function currentLine({ statusCode, statusMessage }: Response): StatusLine {
  return { status: Number(statusCode) | 0, message: statusMessage }
}

export function isStatus(status: number): boolean {
  return status >= 200 && status <= 999
}

/** Whether Node will send it; where not, it throws while the handler still can see it. */
export function isSendable(req: Request, res: Response, status: number): boolean {
  if (!isStatus(status)) return false
  return canGrow(req, res, status) || !res.hasHeader('Trailer')
}

/** Whether bytes may be added behind the last: there is a body, and its length has not been told. */
export function canGrow(req: Request, res: Response, status: number): boolean {
  return !res.hasHeader('Content-Length') && hasBody(req.method, status)
}

/** Whether Node will send it in chunks, which alone can have trailers (RFC 9112, section 7.1.2). */
export function canTrail(req: Request, res: Response, status: number): boolean {
  const encoding = res.getHeader('Transfer-Encoding')
  // Node sends it without, where something has taken that header off.
  const chunked = encoding === undefined ? !Reflect.get(res, '_removedTE') : /\bchunked\b/i.test(String(encoding))
  return req.httpVersion === '1.1' && isStatus(status) && chunked && canGrow(req, res, status)
}

export function hasBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304
}
