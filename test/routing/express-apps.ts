import { billing } from '@farebox/express'
import type express5 from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { isExcused, Thrown, type Framework, type Record } from './framework.js'
import type { LayoutNode, LayoutRoute } from './layout.js'
import { withWildcard } from './terms.js'

/** Layouts as apps of Express: mounts are routers or apps. */
export function expressLayouts(name: string, express: typeof express5, wildcard: string, forgets = false): Framework {
  const add = (to: express5.Router, nodes: readonly LayoutNode[], prefix: string, record: Record): void => {
    for (const node of nodes) {
      if (node.kind === 'route') {
        addRoute(to, node, withWildcard(node.path, wildcard), handlersOf(node, prefix + node.path, record))
        continue
      }
      const inside = node.app ? quiet(express, node) : express.Router({ strict: node.strict, caseSensitive: node.sensitive, mergeParams: true })
      add(inside, node.nodes, prefix + node.path, record)
      to.use(node.path, inside)
    }
  }
  return {
    name, wildcard, forgets,
    build(layout, book, record, options) {
      const app = quiet(express, layout)
      app.use(billing({ ...options((req, name) => (req as express5.Request).get(name)), prices: book.prices } as never))
      add(app, layout.nodes, '', record)
      app.use(((error, _req, res, next) => (isExcused(error) ? res.json({}) : next(error))) as ErrorRequestHandler)
      return app
    },
  }
}

function quiet(express: typeof express5, { strict, sensitive }: { strict: boolean; sensitive: boolean }): express5.Express {
  const app = express()
  app.set('env', 'test')
  app.set('strict routing', strict)
  app.set('case sensitive routing', sensitive)
  return app
}

function addRoute(to: express5.Router, { methods }: LayoutRoute, path: string, handlers: RequestHandler[]): void {
  if (methods === 'ALL') return void to.all(path, handlers)
  const route = to.route(path)
  for (const method of methods) route[method.toLowerCase() as 'get'](handlers)
}

function handlersOf({ does, chained }: LayoutRoute, path: string, record: Record): RequestHandler[] {
  const handler: RequestHandler = (req, res, next) => {
    record.ran(req.get('x-request')!, req.method, path, does)
    if (does === 'passes') return next()
    if (does === 'throws' || does === 'excused') throw new Thrown(does === 'excused')
    res.set('etag', '"x"').status(does === 'fails' ? 422 : 200).json({ path })
  }
  return [...(chained ? [((_req, _res, next) => next()) as RequestHandler] : []), handler]
}
