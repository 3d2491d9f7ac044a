import { test } from 'vitest'
import { memoryBench } from './memory.js'
import { play } from './run.js'
import { search } from './search.js'

/** More for a longer search: `FAREBOX_MEMORY_STEPS=1000000 npx vitest run test/property` */
const STEPS = Number(process.env['FAREBOX_MEMORY_STEPS'] ?? 20_000)

test(`in memory all invariants hold after each of ${STEPS} random steps`, async () => {
  await search(STEPS, (story, counts) => play(story, memoryBench(), counts))
}, 60_000 + STEPS)
