import { isLedgerCommand, type Command, type LedgerCommand, type LedgerReply, type ReplyTo, type SharedCommand, type SharedReplyTo, type Store } from '@farebox/core'
import { batchSender, type Sent } from './batch.js'
import { encodeCommand } from './codec.js'
import { connect, type RedisConnection } from './connection.js'
import { gather, type Gatherer } from './gather.js'
import { journalExport } from './journal-export.js'
import { keySpace } from './keys.js'
import { parseOptions, type RedisStoreOptions } from './options.js'
import { agreeOnPartitions } from './partitions.js'
import { sharedSender } from './shared.js'

/** At most this many commands a call: about a millisecond in which the server does nothing else. */
const MOST_A_BATCH = 128

/**
 * Keeps balances in Redis: one server, Sentinel or Cluster. The commands of one turn of the event loop travel as
 * one atomic script call (on a Cluster one for each partition they touch).
 *
 * @param connection a redis:// or rediss:// URL, which the store opens and `close()` closes, or an ioredis
 * `Redis` or `Cluster`, which stays yours: give it a small `maxRetriesPerRequest`, so that calls fail soon when
 * Redis is away
 * @throws FareboxError `OPTIONS_INVALID` for an unusable connection or option. `send` rejects with
 * `STORE_MISMATCH` when the data was written with another number of partitions, else with the client's own error.
 * @example
 * const store = redisStore(process.env.REDIS_URL)
 * await store.send({ kind: 'balance', account: 'ada' }) // { kind: 'balance', provisioned: false, balance: 0, reserved: 0, available: 0 }
 */
export function redisStore(connection: RedisConnection, options: RedisStoreOptions = {}): Store {
  const { prefix, partitions, now } = parseOptions(options)
  const { client, close } = connect(connection)
  const keys = keySpace(prefix, partitions)
  const journal = journalExport(client, keys, partitions, now)
  const agreement = onceFulfilled(() => Promise.all([agreeOnPartitions(client, keys.partitions, partitions), journal.learn()]))
  const sendBatch = batchSender(client, keys, now, journal)
  const sendSharedScript = sharedSender(client, keys, now)
  const gatherers = new Map<number, Gatherer<Sent>>()

  function gathererOf(account: string): Gatherer<Sent> {
    const slot = client.isCluster ? keys.partitionOf(account) : 0
    let gatherer = gatherers.get(slot)
    if (!gatherer) gatherers.set(slot, gatherer = gather(MOST_A_BATCH, sendBatch))
    return gatherer
  }

  async function sendLedger(command: LedgerCommand): Promise<LedgerReply> {
    const encoded = encodeCommand(command)
    const agreed = agreement.done()
    if (agreed) await agreed
    return new Promise((resolve, reject) => gathererOf(encoded.account).add({ command, encoded, resolve, reject }))
  }

  async function sendShared(command: SharedCommand): Promise<SharedReplyTo<SharedCommand>> {
    await agreement.done()
    switch (command.kind) {
      case 'export_journal': case 'waiting': case 'accounts': return journal.send(command)
      default: return sendSharedScript(command)
    }
  }

  return {
    name: 'redis',
    durable: true,
    send: <C extends Command>(command: C) => (isLedgerCommand(command) ? sendLedger(command) : sendShared(command)) as Promise<ReplyTo<C>>,
    async close() {
      await agreement.underWay?.catch(() => {})
      await Promise.all([...gatherers.values()].map((gatherer) => gatherer.drain()))
      await close()
    },
  }
}

/** Does a thing until it succeeds, once. */
function onceFulfilled(act: () => Promise<unknown>) {
  let done = false
  const once = {
    underWay: undefined as Promise<void> | undefined,
    /** `undefined` when it is done. */
    done(): Promise<void> | undefined {
      if (done) return undefined
      return once.underWay ??= act().then(() => { done = true }).finally(() => { once.underWay = undefined })
    },
  }
  return once
}
