import { Hono } from 'hono'
import { pick } from 'example-support'
import { ExtractInput } from '../shapes.js'
import { simulate } from '../simulate.js'

const TONES = ['formal', 'playful', 'blunt', 'apologetic'] as const

export function socialLearning(): Hono {
  return new Hono().post('/profiles/extract', simulate, async (c) => {
    const { transcript } = ExtractInput.parse(await c.req.json())
    const said = transcript.trim()
    const speakers = new Set([...said.matchAll(/^([^\s:][^:\n]*):/gm)].map(([, speaker]) => speaker!))
    return c.json({
      profiles: [...speakers].map((speaker) => ({ speaker, tone: pick(TONES, speaker) })),
      charactersAnalysed: said.length,
    })
  })
}
