import type { Context } from 'koa'
import { handOver, onSet } from './accessor.js'

/** A mount that a request is in. */
interface Mount {
  readonly prefix: string
  /** The path outside of it: koa-mount sets it again when the request leaves. */
  readonly outside: string
}

/** Where a context keeps them, the innermost last. */
const mounts = Symbol('farebox.mounts')

function mountsOf(ctx: Context): Mount[] | undefined {
  return ctx[mounts] as Mount[] | undefined
}

/**
 * The prefixes of the mounts that a request is in. `ctx.mountPath` does not tell: koa-mount keeps the innermost
 * there only, and leaves it behind when the request has left.
 */
export function mountedAt(ctx: Context): string {
  return (mountsOf(ctx) ?? []).map(({ prefix }) => prefix).join('')
}

/** Follows the requests of an app into mounts and out of them. */
export function watchMounts(context: object): void {
  onSet(context, 'mountPath', (ctx, prefix) => {
    const entered = { prefix: String(prefix), outside: ctx.path }
    const around = mountsOf(ctx)
    if (around) around.push(entered)
    else {
      ctx[mounts] = [entered]
      watchPath(ctx)
    }
  })
}

/** For a request that came into mounts before they were watched: koa-mount takes prefixes off letter by letter, so they are what is missing of the path. */
export function mountedBefore(ctx: Context): void {
  if (!handOver(ctx, 'mountPath')) return
  const outside = ctx.originalUrl.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  const missing = ctx.path === '/' && !outside.endsWith('/') ? outside : outside.slice(0, -ctx.path.length)
  const innermost = ctx['mountPath'] as string
  const prefix = missing.endsWith(innermost) ? missing : innermost
  ctx[mounts] = ctx.path === outside ? [] : [{ prefix, outside }]
}

function watchPath(ctx: Context): void {
  Object.defineProperty(ctx, 'path', {
    configurable: true,
    enumerable: true,
    get: () => ctx.request.path,
    set(path: string) {
      ctx.request.path = path
      const around = mountsOf(ctx)
      if (around?.at(-1)?.outside === path) around.pop()
    },
  })
}
