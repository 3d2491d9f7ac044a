import { billing } from '@farebox/hono'
import { getRequestListener } from '@hono/node-server'
import { Hono, type Context, type Handler } from 'hono'
import { Hono as Quick } from 'hono/quick'
import { Hono as Tiny } from 'hono/tiny'
import { Thrown, type Framework, type Record } from './framework.js'
import type { LayoutNode, LayoutRoute } from './layout.js'

const presets = { Hono, 'hono/quick': Quick, 'hono/tiny': Tiny }

/** Layouts as apps of Hono on Node: mounts are sub-apps. Its routers know no letter case but the one that is written. */
export function honoLayouts(name: keyof typeof presets): Framework {
  const add = (to: Hono, nodes: readonly LayoutNode[], prefix: string, record: Record): void => {
    for (const node of nodes) {
      if (node.kind === 'route') {
        const handlers = handlersOf(node, prefix + node.path, record)
        if (node.methods === 'ALL') to.all(node.path, ...handlers)
        else to.on([...node.methods], node.path, ...handlers)
        continue
      }
      const inside = new presets[name]() as Hono
      add(inside, node.nodes, prefix + node.path, record)
      to.route(node.path, inside)
    }
  }
  return {
    name, wildcard: '/*',
    build(layout, book, record, options) {
      const app = new presets[name]({ strict: layout.strict }) as Hono
      app.onError((_, c) => c.text('broken', 500))
      app.use(billing({ ...options((c, name) => (c as Context).req.header(name)), prices: book.prices } as never))
      add(app, layout.nodes, '', record)
      return getRequestListener(app.fetch)
    },
  }
}

function handlersOf({ does, chained }: LayoutRoute, path: string, record: Record): Handler[] {
  const handler: Handler = (c, next) => {
    record.ran(c.req.header('x-request')!, c.req.method, path, does)
    if (does === 'passes') return next()
    if (does === 'throws') throw new Thrown()
    if (does === 'answers' && c.req.header('if-none-match')) return c.body(null, 304)
    return c.json({ path }, does === 'fails' ? 422 : 200)
  }
  return [...(chained ? [((_, next) => next()) as Handler] : []), handler]
}
