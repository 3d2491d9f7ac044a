import { createHash } from 'node:crypto'
import { always, afterwards } from './promises.js'
import { settled, World, type Scenario } from './world.js'

export interface Explored {
  /** Orders in which everything came to its end, or to a state that was known. */
  schedules: number
  /** Different ones, of everything. */
  states: number
  /** How calls came out, over all ends. */
  readonly outcomes: Map<string, number>
}

/**
 * Plays every order of what can happen, depth first. Nothing of a process can be put back, so each order is played from the
 * beginning; one that leads to a state that was seen already goes no further.
 *
 * @throws where a promise does not hold: with the order of events that leads there
 */
export async function explore(scenario: Scenario): Promise<Explored> {
  const seen = new Set<string>()
  const explored: Explored = { schedules: 0, states: 0, outcomes: new Map() }
  const open: string[][] = [[]]
  for (let prefix = open.pop(); prefix; prefix = open.pop()) {
    explored.schedules++
    open.push(...await play(scenario, prefix, seen, explored))
  }
  explored.states = seen.size
  return explored
}

/** Plays one order: as it is given, then whatever comes first. Returns those that branch off from what comes then. */
async function play(scenario: Scenario, prefix: readonly string[], seen: Set<string>, { outcomes }: Explored): Promise<string[][]> {
  const world = new World(scenario)
  const path: string[] = []
  const others: string[][] = []
  const step = async (action: string) => {
    path.push(action)
    await world.act(action)
  }
  await settled()
  for (const action of prefix) await step(action)
  for (;;) {
    check(always, world, path)
    if (isKnown(seen, world)) return others
    const [next, ...rest] = world.actions()
    if (next === undefined) break
    for (const action of rest) others.push([...path, action])
    await step(next)
  }
  await world.rest()
  check(always, world, path)
  check(afterwards, world, path)
  for (const { state } of world.runs) outcomes.set(state, (outcomes.get(state) ?? 0) + 1)
  return others
}

function isKnown(seen: Set<string>, world: World): boolean {
  const key = createHash('md5').update(world.key()).digest('base64')
  if (seen.has(key)) return true
  seen.add(key)
  return false
}

function check(promises: typeof always, world: World, path: readonly string[]): void {
  for (const [name, wrongIn] of Object.entries(promises)) {
    const wrong = wrongIn(world)
    if (wrong.length > 0) throw new Error(`"${name}" does not hold after ${path.join(', ')}: ${JSON.stringify(wrong)}`)
  }
}
