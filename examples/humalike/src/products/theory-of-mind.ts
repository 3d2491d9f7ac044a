import { Hono } from 'hono'
import { pick } from 'example-support'
import { ForeseeInput } from '../shapes.js'
import { simulate } from '../simulate.js'

const MOVES = ['asks for time', 'agrees', 'changes the subject', 'pushes back', 'makes a joke'] as const

export function theoryOfMind(): Hono {
  return new Hono().post('/foresee', simulate, async (c) => {
    const { transcript, horizon } = ForeseeInput.parse(await c.req.json())
    return c.json({ turns: Array.from({ length: horizon }, (_, turn) => ({ turn: turn + 1, move: pick(MOVES, `${turn} ${transcript}`) })) })
  })
}
