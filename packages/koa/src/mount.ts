import type { Context } from 'koa'
import { handOver, onSet } from './accessor.js'

/** A mount that a request is in. */
interface Mount {
  readonly prefix: string
  /** The path outside of it: koa-mount sets it again when the request leaves. */
  readonly outside: string
}

const mounts = new WeakMap<Context['req'], Mount[]>()

/**
 * The prefixes of the mounts that a request is in. `ctx.mountPath` does not tell: koa-mount keeps the innermost
 * there only, and leaves it behind when the request has left.
 */
export function mountedAt(ctx: Context): string {
  return (mounts.get(ctx.req) ?? []).map(({ prefix }) => prefix).join('')
}

/** Follows the requests of an app into mounts and out of them. */
export function watchMounts(context: object): void {
  onSet(context, 'mountPath', (ctx, prefix) => {
    const entered = { prefix: String(prefix), outside: ctx.path }
    const around = mounts.get(ctx.req)
    if (around) around.push(entered)
    else {
      mounts.set(ctx.req, [entered])
      watchPath(ctx)
    }
  })
}

/** For a request that was in mounts before they were watched: koa-mount takes a prefix off letter by letter, so what is missing of the path is it. */
export function mountedBefore(ctx: Context): void {
  if (!handOver(ctx, 'mountPath')) return
  const outside = ctx.originalUrl.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  const missing = ctx.path === '/' && !outside.endsWith('/') ? outside : outside.slice(0, -ctx.path.length)
  const prefix = missing.endsWith(ctx['mountPath'] as string) && outside.startsWith(missing) ? missing : ctx['mountPath'] as string
  mounts.set(ctx.req, ctx.path === outside ? [] : [{ prefix, outside }])
}

function watchPath(ctx: Context): void {
  Object.defineProperty(ctx, 'path', {
    configurable: true,
    enumerable: true,
    get: () => ctx.request.path,
    set(path: string) {
      ctx.request.path = path
      const around = mounts.get(ctx.req)
      if (around?.at(-1)?.outside === path) around.pop()
    },
  })
}
