import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectTo, startRedisCluster, type RedisCluster } from '../../../test/support/redis-cluster.js'
import { documents, farebox } from './farebox.js'

const ACCOUNTS = Array.from({ length: 60 }, (_, i) => `account ${i}`)

let cluster: RedisCluster
let url = ''
beforeAll(async () => {
  cluster = await startRedisCluster()
  url = `redis://127.0.0.1:${cluster.nodes[1]!.port}`
})
afterAll(() => cluster.stop())

const run = (...args: string[]) => farebox([...args, '--redis', url])
const audit = async () => documents(await run('audit', '--json'))

it('one node of it is enough to name, for accounts and for an audit of them all', async () => {
  const client = connectTo(cluster)
  const store = redisStore(client)
  await Promise.all(ACCOUNTS.map((account) => store.send({ kind: 'grant', account, grant: 'g', amount: 5_000_000, reason: '', source: '', priority: 50, expiresAt: 0 })))
  client.disconnect()
  expect(await run('account', 'grant', 'account 7', '5', '--id', 'a', '--reason', '')).toMatchObject({ code: 0, stderr: '' })
  expect(await run('account', 'show', 'account 7', '--json')).toMatchObject({ code: 0, stdout: expect.stringContaining('"balance":10') })
  expect(await run('audit')).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^60 accounts checked in [\d.]+ s, 0 findings\n$/) })
})

it('what is wrong is found on every node, and only what is wrong', async () => {
  const nodes = cluster.nodes.map((node) => new Redis(node))
  const corrupt = async (node: Redis) => {
    const [account] = await node.keys('farebox:*:account:*')
    await node.hincrby(account!, ':balance', 1)
    const journal = (await node.keys('farebox:*:journal:*')).find((key) => key !== account!.replace('account', 'journal'))
    await node.del(journal!.replace('journal', 'account'))
  }
  await Promise.all(nodes.map(corrupt))
  for (const node of nodes) node.disconnect()
  const found = await audit()
  expect(found.slice(0, -1)).toHaveLength(9)
  for (const check of ['balance', 'orphan']) expect(found.filter((finding) => (finding as { check?: string }).check === check)).toHaveLength(check === 'balance' ? 3 : 6)
  expect(found.at(-1)).toEqual({ summary: { accounts: 57, findings: 9, seconds: expect.any(Number) } })
})

it('and repaired', async () => {
  const { code, stdout } = await run('audit', '--repair', '--yes')
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/\n57 accounts checked in [\d.]+ s, 9 findings, 9 repaired, 0 left\n$/) })
  expect(await audit()).toEqual([{ summary: { accounts: 60, findings: 0, seconds: expect.any(Number) } }])
})

it('says so when a part of it is down', async () => {
  const node = new Redis({ ...cluster.nodes[2]!, retryStrategy: () => null })
  await node.call('SHUTDOWN', 'NOSAVE').catch(() => {})
  node.disconnect()
  const { code, stdout, stderr } = await run('audit', '--json')
  expect({ code, stdout }).toEqual({ code: 2, stdout: expect.not.stringContaining('summary') })
  expect(stderr).toMatch(/^farebox: (?:no answer from|Redis at .* refuses: CLUSTERDOWN).*\n$/)
})
