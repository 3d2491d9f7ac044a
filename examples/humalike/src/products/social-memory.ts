import { Hono } from 'hono'
import { apiKeyOf } from 'example-support'
import { IngestInput, ReadInput } from '../shapes.js'
import { simulate } from '../simulate.js'

/** Memories by owner, in this process. */
export function socialMemory() {
  const stored = new Map<string, string[]>()
  return new Hono<{ Variables: { owner: string } }>()
    .use(async (c, next) => {
      const owner = apiKeyOf((name) => c.req.header(name))
      if (!owner) return c.json({ error: { code: 'UNAUTHENTICATED', message: 'whose memories? Send an API key', details: {} } }, 401)
      c.set('owner', owner)
      return next()
    })
    .post('/ingest', simulate, async (c) => {
      const { memories } = IngestInput.parse(await c.req.json())
      stored.set(c.var.owner, [...(stored.get(c.var.owner) ?? []), ...memories])
      return c.json({ ingested: memories.length })
    })
    .post('/read', simulate, async (c) => {
      const { query, limit } = ReadInput.parse(await c.req.json())
      const words = query.toLowerCase().split(/\s+/).filter(Boolean)
      const matches = (stored.get(c.var.owner) ?? []).filter((memory) => words.every((word) => memory.toLowerCase().includes(word)))
      return c.json({ memories: matches.slice(0, limit) })
    })
}
