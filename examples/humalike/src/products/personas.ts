import { Hono } from 'hono'
import { pick } from 'example-support'
import { EnhanceInput, GenerateInput } from '../shapes.js'
import { simulate } from '../simulate.js'

const NAMES = ['Amara', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Femi', 'Greta', 'Hana'] as const
const TRAITS = ['curious', 'cautious', 'outspoken', 'patient', 'impulsive', 'warm'] as const
const BACKGROUNDS = [
  'Grew up by the sea, keeps bees, and never answers a message before noon.',
  'Left a law firm to bake bread; argues every price and tips well.',
  'Studies at night, drives a tram by day, and trusts nobody who says "actually".',
] as const

export function personas(): Hono {
  return new Hono()
    .post('/generate', simulate, async (c) => {
      const { count, detail } = GenerateInput.parse(await c.req.json())
      return c.json({ personas: Array.from({ length: count }, (_, i) => persona(`persona ${i}`, detail)) })
    })
    .post('/enhance', simulate, async (c) => {
      const { personas } = EnhanceInput.parse(await c.req.json())
      return c.json({ personas: personas.map((original) => ({ original, ...persona(JSON.stringify(original), 'long') })) })
    })
}

function persona(seed: string, detail: 'short' | 'long') {
  const short = { name: pick(NAMES, seed), trait: pick(TRAITS, seed) }
  return detail === 'short' ? short : { ...short, background: pick(BACKGROUNDS, seed) }
}
