import { billing } from '@farebox/koa'
import type Router15 from '@koa/router'
import type Koa3 from 'koa'
import type { Context, Middleware } from 'koa'
import mount from 'koa-mount'
import { isExcused, Thrown, type Framework, type Record } from './framework.js'
import type { LayoutMount, LayoutNode, LayoutRoute } from './layout.js'
import { withWildcard } from './terms.js'

/** Layouts as apps of Koa: a mount is a nested router, or an app under koa-mount where its path is plain. */
export function koaLayouts(name: string, Koa: typeof Koa3, Router: typeof Router15, wildcard: string): Framework {
  const routerOf = (options: { strict: boolean; sensitive: boolean }) => new Router({ strict: options.strict, sensitive: options.sensitive })

  /** Routes beside each other share a router; an app that is mounted between them parts it. */
  const parts = (nodes: readonly LayoutNode[], options: { strict: boolean; sensitive: boolean }, prefix: string, record: Record): Middleware[] => {
    const made: Middleware[] = []
    let router = routerOf(options)
    for (const node of nodes) {
      if (node.kind === 'route') addRoute(router, node, withWildcard(node.path, wildcard), handlersOf(node, prefix + node.path, record))
      else if (!isApp(node)) router.use(node.path, nested(node, prefix + node.path, record).routes() as never)
      else {
        const inside = new Koa()
        for (const part of parts(node.nodes, node, prefix + node.path, record)) inside.use(part)
        made.push(router.routes() as Middleware, mount(node.path, inside))
        router = routerOf(options)
      }
    }
    return [...made, router.routes() as Middleware, router.allowedMethods() as Middleware]
  }

  /** Inside a router there are routers only. */
  const nested = (mounted: LayoutMount, prefix: string, record: Record): Router15 => {
    const router = routerOf(mounted)
    for (const node of mounted.nodes) {
      if (node.kind === 'route') addRoute(router, node, withWildcard(node.path, wildcard), handlersOf(node, prefix + node.path, record))
      else router.use(node.path, nested(node, prefix + node.path, record).routes() as never)
    }
    return router
  }

  return {
    name, wildcard,
    build(layout, book, record, options) {
      const app = new Koa()
      app.silent = true
      app.use(billing({ ...options((ctx, name) => (ctx as Context).get(name) || undefined), prices: book.prices } as never))
      app.use(excusing)
      for (const part of parts(layout.nodes, layout, '', record)) app.use(part)
      return app.callback()
    },
  }
}

const excusing: Middleware = (ctx, next) => next().catch((error: unknown) => {
  if (!isExcused(error)) throw error
  ctx.status = 200
})

const isApp = ({ app, path }: LayoutMount) => app && !path.includes(':')

function addRoute(router: Router15, { methods }: LayoutRoute, path: string, handlers: Middleware[]): void {
  if (methods === 'ALL') router.all(path, ...handlers as never[])
  else router.register(path, [...methods], handlers as never)
}

function handlersOf({ does, chained }: LayoutRoute, path: string, record: Record): Middleware[] {
  const handler: Middleware = async (ctx, next) => {
    record.ran(ctx.get('x-request'), ctx.method, path, does)
    if (does === 'passes') return next() as Promise<void>
    if (does === 'throws' || does === 'excused') throw new Thrown(does === 'excused')
    ctx.status = does === 'fails' ? 422 : 200
    ctx.etag = 'x'
    ctx.body = { path }
    if (does === 'answers' && ctx.fresh) ctx.status = 304
    return undefined
  }
  return [...(chained ? [((_, next) => next()) as Middleware] : []), handler]
}
