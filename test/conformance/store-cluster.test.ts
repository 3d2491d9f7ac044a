import { exportJournal } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { Redis, type Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectTo, startRedisCluster, type RedisCluster } from '../support/redis-cluster.js'
import { testStore } from './store.js'

let servers: RedisCluster
let cluster: Cluster
beforeAll(async () => {
  servers = await startRedisCluster()
  cluster = connectTo(servers)
}, 20_000)
afterAll(async () => {
  cluster.disconnect()
  await servers.stop()
})

testStore('redisStore on a Cluster', (now) => redisStore(cluster, { prefix: crypto.randomUUID(), now }))

/** Opens the slot of a prefix's calls, all of one account, to leave for another node. Returns what keeps it there. */
async function openSlot(prefix: string): Promise<() => Promise<unknown>> {
  const nodes = cluster.nodes('master')
  const keys = await Promise.all(nodes.map((node) => node.keys(`${prefix}:*:call:*`)))
  const i = keys.findIndex(([key]) => key !== undefined)
  const [from, to] = [nodes[i]!, nodes[(i + 1) % nodes.length]!]
  const slot = await from.cluster('KEYSLOT', keys[i]![0]!)
  await to.cluster('SETSLOT', slot, 'IMPORTING', await from.cluster('MYID'))
  await from.cluster('SETSLOT', slot, 'MIGRATING', await to.cluster('MYID'))
  return () => Promise.all([from, to].map((node) => node.cluster('SETSLOT', slot, 'STABLE')))
}

describe('a Cluster', () => {
  test('has the accounts of one batch on all its nodes', async () => {
    const prefix = crypto.randomUUID()
    const store = redisStore(cluster, { prefix })
    const accounts = Array.from({ length: 200 }, (_, i) => `account ${i}`)
    await Promise.all(accounts.map((account) => store.send({ kind: 'grant', account, grant: 'g', amount: 1, reason: '', source: '', priority: 50, expiresAt: 0 })))
    const held = await Promise.all(servers.nodes.map(async ({ host, port }) => {
      const node = new Redis(port, host)
      const keys = await node.keys(`${prefix}:*:account:*`)
      node.disconnect()
      return keys.length
    }))
    expect(held.reduce((sum, count) => sum + count)).toBe(200)
    expect(Math.min(...held)).toBeGreaterThan(20)
  })

  test('has the entries of all its nodes exported, those from before too', async () => {
    const store = redisStore(cluster, { prefix: crypto.randomUUID() })
    const accounts = Array.from({ length: 60 }, (_, i) => `account ${i}`)
    const grantAll = (grant: string) =>
      Promise.all(accounts.map((account) => store.send({ kind: 'grant', account, grant, amount: 1, reason: '', source: '', priority: 50, expiresAt: 0 })))
    await grantAll('g1')
    const uids: string[] = []
    const exported = exportJournal({ store, journal: { write: async (entries) => void uids.push(...entries.map(({ uid }) => uid)) } })
    await expect.poll(() => uids.length, { timeout: 10_000 }).toBe(60)
    await grantAll('g2')
    await expect.poll(() => uids.length, { timeout: 10_000 }).toBe(120)
    await exported.close()
    const expected = (id: number) => accounts.map((account) => `${encodeURIComponent(account)}/${id}`).sort()
    expect([uids.slice(0, 60).sort(), uids.slice(60).sort()]).toEqual([expected(1), expected(2)])
  })

  // On such a slot Redis stops a script where it writes a key that is not there, whatever it has written before.
  test('does all of a batch in a slot that is leaving, where a key is freed and taken again', async () => {
    const prefix = crypto.randomUUID()
    const store = redisStore(cluster, { prefix })
    const account = 'ada'
    const grant = (grant: string) => store.send({ kind: 'grant', account, grant, amount: 50, reason: '', source: '', priority: 50, expiresAt: 0 })
    const reserve = (reservation: string, key: string) => store.send({ kind: 'reserve', account, reservation, ceiling: 10, allowance: 0, ttlMs: 60_000, key, payload: '' })
    const settle = () => store.send({ kind: 'settle', account, reservation: 'r2', ceiling: 10, charge: 10, product: '', firstSentAt: Date.now(), key: 'k2', payload: '', response: 'done' })
    await Promise.all([grant('g1'), reserve('r1', 'k1'), reserve('r2', 'k2')])
    const close = await openSlot(prefix)
    const replies = await Promise.all([store.send({ kind: 'release', account, reservation: 'r1', key: 'k1' }), grant('g2'), reserve('r3', 'k1'), settle()])
    expect(replies.map(({ kind }) => kind)).toEqual(['released', 'granted', 'reserved', 'settled'])
    expect(await reserve('r4', 'k2')).toMatchObject({ kind: 'replayed', charge: 10 })
    await close()
  })

  test('takes the script up again on every node that forgot it', async () => {
    const store = redisStore(cluster, { prefix: crypto.randomUUID() })
    await Promise.all(cluster.nodes('master').map((node) => node.script('FLUSH')))
    const accounts = Array.from({ length: 50 }, (_, i) => `account ${i}`)
    const replies = await Promise.all(accounts.map((account) => store.send({ kind: 'grant', account, grant: 'g', amount: 1, reason: '', source: '', priority: 50, expiresAt: 0 })))
    expect(replies.every((reply) => reply.kind === 'granted' && !reply.replayed)).toBe(true)
  })
})
