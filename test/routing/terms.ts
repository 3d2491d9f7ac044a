import { routesOf, type Layout } from './layout.js'

type Terms = 'free' | { readonly product: string; readonly price: number }

/** What the routes of a layout cost. Each paid key has a price of its own, so a charge says what it is for. */
export class PriceBook {
  readonly prices: Record<string, Terms> = {}
  readonly #decided = new Map<string, Terms | undefined>()

  /** @param wildcard as the framework writes it */
  constructor(layout: Layout, wildcard: string) {
    for (const { route, path } of routesOf(layout.nodes)) {
      for (const method of route.methods === 'ALL' ? ['GET', 'POST'] : route.methods) {
        const same = canonical(method, path)
        if (this.#decided.has(same)) continue
        const terms = route.terms === 'unlisted' ? undefined : route.terms === 'free' ? 'free' : { product: 'p', price: this.#decided.size + 1 }
        this.#decided.set(same, terms)
        if (terms) this.prices[`${method} ${withWildcard(path, wildcard)}`] = terms
      }
    }
  }

  /** What a path costs, or one that differs from it in the case of letters only. */
  likeOf(method: string, path: string): readonly number[] {
    const same = canonical(method === 'HEAD' ? 'GET' : method, path).toLowerCase()
    return [...this.#decided].flatMap(([key, terms]) => (key.toLowerCase() === same && typeof terms === 'object' ? [terms.price] : []))
  }

  /** Of the route with this path from the root, for a request of this method. */
  termsOf(method: string, path: string): Terms | undefined {
    return this.#decided.get(canonical(method === 'HEAD' ? 'GET' : method, path))
  }
}

export function withWildcard(path: string, wildcard: string): string {
  return path.replace(/\/\*$/, wildcard)
}

/** Billing takes paths for the same that differ in the names of parameters or a slash at the end. */
export function canonicalPath(path: string): string {
  return path.replace(/:\w/g, ':').replace(/(?<=.)\/$/, '')
}

function canonical(method: string, path: string): string {
  return `${method} ${canonicalPath(path)}`
}
