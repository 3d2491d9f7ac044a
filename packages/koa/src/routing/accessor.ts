import type { Context } from 'koa'

/** Calls back after a property was set on any context of an app. It stands on what contexts inherit from: that costs a request nothing. */
export function onSet(context: object, name: string, react: (ctx: Context, value: unknown) => void): void {
  const kept = Symbol(name)
  const values = context as Record<PropertyKey, unknown>
  const others = Object.getOwnPropertyDescriptor(context, name)?.set
  values[kept] = values[name]
  Object.defineProperty(context, name, {
    configurable: true,
    enumerable: true,
    get(this: Context) {
      return this[kept] as unknown
    },
    set(this: Context, value: unknown) {
      others?.call(this, value)
      this[kept] = value
      react(this, value)
    },
  })
}

/**
 * Hands a value that a context got before there was an accessor for it to the accessor.
 *
 * @returns whether there was one
 */
export function handOver(ctx: Context, name: string): boolean {
  if (!Object.hasOwn(ctx, name)) return false
  const value = ctx[name] as unknown
  delete ctx[name]
  ctx[name] = value
  return true
}
