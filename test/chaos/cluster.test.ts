import { expect, it, onTestFinished } from 'vitest'
import { ReplicatedCluster, slotsOf } from './cluster.js'
import { CLEAN, play } from './play.js'

/** More for a longer search: `FAREBOX_CLUSTER_FAULTS=10 npx vitest run test/chaos/cluster.test.ts`. Failovers, which take seconds, only then. */
const FAULTS = Number(process.env['FAREBOX_CLUSTER_FAULTS'] ?? 0)
const MOVES = FAULTS || 1
/** A master that no replica hears takes nothing: what it would take is lost. */
const SAFER = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '1']

async function startCluster(settings: readonly string[] = []): Promise<ReplicatedCluster> {
  const cluster = await ReplicatedCluster.start(settings)
  onTestFinished(() => cluster.stop())
  return cluster
}

it(`nothing is lost or charged twice while ${MOVES} slots move from one master of a Cluster to another`, async () => {
  const cluster = await startCluster()
  const slots = await slotsOf(cluster)
  expect(await play({
    name: `${MOVES} slots moved`, where: { nodes: cluster.addresses },
    async act(_, load) {
      for (let times = 0; times < MOVES; times++) {
        await load.charges(20)
        await cluster.moveOne(slots, () => load.charges(20))
      }
      console.info(`slots moved: ${JSON.stringify(await cluster.seen())}`)
    },
  })).toEqual(CLEAN)
}, 90_000 + MOVES * 10_000)

it.skipIf(FAULTS === 0).each([
  ['killed', 'kill', []], ['hanging', 'hang', []], ['killed, min-replicas-to-write 1', 'kill', SAFER], ['hanging, min-replicas-to-write 1', 'hang', SAFER],
] as const)(`what a failover of a Cluster loses is lost whole: the books add up over ${FAULTS} times (master %s)`, async (name, how, settings) => {
  const cluster = await startCluster(settings)
  const { faults } = await play({
    name: `${FAULTS} failovers of a Cluster, master ${name}`, where: { nodes: cluster.addresses },
    async act(_, load) {
      for (let times = 0; times < FAULTS; times++) {
        await load.charges(20)
        await cluster.failOver(how)
      }
      console.info(`failovers: ${JSON.stringify(await cluster.seen())}`)
      // What a slow replica keeps out says nothing of what was lost.
      await cluster.configure('min-replicas-to-write', '0')
    },
  })
  expect(faults).toEqual([])
}, 90_000 + FAULTS * 40_000)
