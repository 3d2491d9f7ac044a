import type { RequestListener } from 'node:http'
import type { Deed, Layout } from './layout.js'
import type { PriceBook } from './terms.js'

/** What the apps that are tried tell about themselves. */
export interface Record {
  /** A handler runs, for the request with this name. @param path of its route, from the root */
  ran(request: string, method: string, path: string, does: Deed): void
}

/** Makes options of billing that are the same everywhere, from how a framework tells a request's headers. */
interface Told<Request> {
  (header: (request: Request, name: string) => string | undefined): object
}

export interface Framework {
  readonly name: string
  /** How it writes `/*`. */
  readonly wildcard: string
  /** Whether nothing tells what a mount was made with (a router of Express 5 before 2.3): keys that look like it, but for case and names, can't be told from its own. */
  readonly forgets?: boolean
  /** Whether it can have a route with this path from the root; absent: any. */
  fits?(path: string): boolean
  /** A real app. @param options what is the same everywhere */
  build(layout: Layout, book: PriceBook, record: Record, options: Told<never>): RequestListener
}

export class Thrown extends Error {
  constructor(readonly excused: boolean) {
    super()
  }
}

/** Whether the app's error handler answers 200 to it. */
export function isExcused(error: unknown): boolean {
  return error instanceof Thrown && error.excused
}
