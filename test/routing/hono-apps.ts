import { billing } from '@farebox/hono'
import { getRequestListener } from '@hono/node-server'
import { Hono, type Context, type Handler } from 'hono'
import { Hono as Quick } from 'hono/quick'
import { Hono as Tiny } from 'hono/tiny'
import { isExcused, Thrown, type Framework, type Record } from './framework.js'
import { routesOf, type LayoutNode, type LayoutRoute } from './layout.js'
import { canonicalPath } from './terms.js'

const presets = { Hono, 'hono/tiny': Tiny, 'hono/quick': Quick }

/** Layouts as apps of Hono on Node: mounts are sub-apps. Its routers know no letter case but the one that is written. */
export function honoLayouts(name: keyof typeof presets): Framework {
  const add = (to: Hono, nodes: readonly LayoutNode[], prefix: string, record: Record, paths: readonly string[]): void => {
    for (const node of nodes) {
      if (node.kind === 'route') {
        const path = prefix + node.path
        const handlers = handlersOf(isMiddleware(node, path, paths) ? { ...node, does: 'answers' } : node, path, record)
        if (node.methods === 'ALL') to.all(node.path, ...handlers)
        else to.on([...node.methods], node.path, ...handlers)
        continue
      }
      const inside = new presets[name]() as Hono
      add(inside, node.nodes, prefix + node.path, record, paths)
      to.route(node.path, inside)
    }
  }
  return {
    name, wildcard: '/*',
    // A router of hono/quick that knows no parameter beside a wildcard is chosen for good by a first request that meets none: what comes to one later is 500, without billing too.
    ...(name === 'hono/quick' && { fits: (path) => !(path.includes(':') && path.includes('*')) }),
    build(layout, book, record, options) {
      const app = new presets[name]({ strict: layout.strict }) as Hono
      app.onError((error, c) => c.text('broken', isExcused(error) ? 200 : 500))
      app.use(billing({ ...options((c, name) => (c as Context).req.header(name)), prices: book.prices } as never))
      add(app, layout.nodes, '', record, routesOf(layout.nodes).map(({ path }) => canonicalPath(path)))
      return getRequestListener(app.fetch)
    },
  }
}

/** What takes `next` before another handler of its own path is middleware there (docs/decisions/0006), and is not tried here. */
function isMiddleware({ does }: LayoutRoute, path: string, paths: readonly string[]): boolean {
  return does === 'passes' && paths.indexOf(canonicalPath(path)) !== paths.lastIndexOf(canonicalPath(path))
}

function handlersOf({ does, chained }: LayoutRoute, path: string, record: Record): Handler[] {
  const ran = (c: Context) => record.ran(c.req.header('x-request')!, c.req.method, path, does)
  // Hono tells by `next` what may pass on.
  const handler: Handler = does === 'passes' ? (c, next) => (ran(c), next()) : (c) => {
    ran(c)
    if (does === 'throws' || does === 'excused') throw new Thrown(does === 'excused')
    if (does === 'answers' && c.req.header('if-none-match')) return c.body(null, 304)
    return c.json({ path }, does === 'fails' ? 422 : 200)
  }
  return [...(chained ? [((_, next) => next()) as Handler] : []), handler]
}
