import type { MiddlewareHandler } from 'hono'

/** Obeys `x-simulate`: `slow:<ms>` takes that long, `error` answers 500 once the handler has done its work. */
export const simulate: MiddlewareHandler = async (c, next) => {
  const wishes = (c.req.header('x-simulate') ?? '').split(',').map((wish) => wish.trim())
  const slow = wishes.find((wish) => /^slow:\d+$/.test(wish))
  if (slow) await new Promise((resolve) => { setTimeout(resolve, Number(slow.slice('slow:'.length))) })
  await next()
  if (!wishes.includes('error')) return
  c.res = undefined // else Hono keeps the headers of the answer that was there
  c.res = c.json({ error: { code: 'SIMULATED', message: 'x-simulate asked for this error', details: {} } }, 500)
}
