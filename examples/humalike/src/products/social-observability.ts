import { Hono } from 'hono'
import { pick } from 'example-support'
import { AnalyzeInput } from '../shapes.js'
import { simulate } from '../simulate.js'

const MOODS = ['calm', 'tense', 'hopeful'] as const

export function socialObservability(): Hono {
  return new Hono().post('/analyze', simulate, async (c) => {
    const { events } = AnalyzeInput.parse(await c.req.json())
    return c.json({ events: events.length, mood: pick(MOODS, JSON.stringify(events)) })
  })
}
