import { Hono } from 'hono'
import { ValidateInput } from '../shapes.js'
import { simulate } from '../simulate.js'

export function populations(): Hono {
  return new Hono().post('/validate', simulate, async (c) => {
    const { size } = ValidateInput.parse(await c.req.json())
    const outliers = Math.floor(size / 40)
    return c.json({ size, outliers, representative: outliers * 20 < size })
  })
}
